/**
 * The line editor: keys, as Node's `readline` decodes them, change the draft, walk through the history or mean
 * something to the chat. Ctrl-J and Alt-Enter begin a new line, and so does every line break of a paste.
 */
import { cut, type Draft, draftOf, EMPTY, insert, moveByLine, moveTo, type Place } from './draft.ts';

/** A key press, as `readline.emitKeypressEvents` tells it. */
export interface Key {
  readonly name?: string | undefined;
  readonly ctrl?: boolean;
  readonly meta?: boolean;
  readonly sequence?: string;
}

/** What a key means beyond editing. */
export type Meaning = 'edited' | 'submit' | 'complete' | 'interrupt' | 'leave' | 'redraw';

const MOVES: Readonly<Record<string, Place>> = {
  left: 'left',
  right: 'right',
  'C-b': 'left',
  'C-f': 'right',
  home: 'lineStart',
  end: 'lineEnd',
  'C-a': 'lineStart',
  'C-e': 'lineEnd',
  'M-b': 'wordStart',
  'M-f': 'wordEnd',
  'C-left': 'wordStart',
  'C-right': 'wordEnd',
};

const CUTS: Readonly<Record<string, Place>> = {
  backspace: 'left',
  'C-h': 'left',
  delete: 'right',
  'C-d': 'right',
  'C-k': 'lineEnd',
  'C-u': 'lineStart',
  'C-w': 'wordStart',
  'M-backspace': 'wordStart',
  'M-d': 'wordEnd',
};

const MEANINGS: Readonly<Record<string, Meaning>> = {
  return: 'submit',
  tab: 'complete',
  'C-c': 'interrupt',
  'C-l': 'redraw',
};

export class Editor {
  draft: Draft = EMPTY;
  readonly #history: readonly string[];
  /** Where in the history it is; its length while something new is written. */
  #at: number;
  /** What was being written before the history was looked through. */
  #unsent = EMPTY;
  #cutText = '';
  #pasting = false;
  #afterReturn = false;

  /** `history`: oldest first; what is submitted later is added to it by its owner. */
  constructor(history: readonly string[]) {
    this.#history = history;
    this.#at = history.length;
  }

  /** Takes one key. */
  press(key: Key): Meaning {
    const name = nameOf(key);
    if (name === 'paste-start' || name === 'paste-end') {
      this.#pasting = name === 'paste-start';
      this.#afterReturn = false;
      return 'edited';
    }
    if (this.#pasting) return this.#paste(key);
    if (name === 'C-d' && this.draft.text === '') return 'leave';
    const meaning = Object.hasOwn(MEANINGS, name) ? MEANINGS[name] : undefined;
    if (meaning !== undefined) return meaning;
    this.#edit(name, key);
    return 'edited';
  }

  /** Takes the whole draft away and begins anew, after the newest of the history. */
  clear(): string {
    const { text } = this.draft;
    this.draft = EMPTY;
    this.#unsent = EMPTY;
    this.#at = this.#history.length;
    return text;
  }

  #edit(name: string, key: Key): void {
    const move = Object.hasOwn(MOVES, name) ? MOVES[name] : undefined;
    const place = Object.hasOwn(CUTS, name) ? CUTS[name] : undefined;
    if (move !== undefined) this.draft = moveTo(this.draft, move);
    else if (place !== undefined) this.#cut(place);
    else if (name === 'enter' || name === 'C-j' || name === 'M-return') this.draft = insert(this.draft, '\n');
    else if (name === 'C-y') this.draft = insert(this.draft, this.#cutText);
    else if (name === 'up' || name === 'C-p') this.#up();
    else if (name === 'down' || name === 'C-n') this.#down();
    else if (!key.ctrl && !key.meta) this.draft = insert(this.draft, printable(key));
  }

  /** What is pasted is text, whatever keys it looks like. Some terminals end its lines with two characters. */
  #paste(key: Key): Meaning {
    const isReturn = key.name === 'return';
    const isFeed = key.name === 'enter';
    if (isReturn || isFeed) {
      if (!(isFeed && this.#afterReturn)) this.draft = insert(this.draft, '\n');
    } else this.draft = insert(this.draft, key.sequence ?? '');
    this.#afterReturn = isReturn;
    return 'edited';
  }

  #cut(place: Place): void {
    const { draft, removed } = cut(this.draft, place);
    this.draft = draft;
    if (place !== 'left' && place !== 'right') this.#cutText = removed;
  }

  #up(): void {
    const above = moveByLine(this.draft, -1);
    if (above !== undefined) this.draft = above;
    else if (this.#at > 0) this.#showPast(this.#at - 1);
  }

  #down(): void {
    const below = moveByLine(this.draft, 1);
    if (below !== undefined) this.draft = below;
    else if (this.#at < this.#history.length) this.#showPast(this.#at + 1);
  }

  #showPast(at: number): void {
    if (this.#at === this.#history.length) this.#unsent = this.draft;
    this.#at = at;
    const past = this.#history[at];
    this.draft = past === undefined ? this.#unsent : draftOf(past);
  }
}

const nameOf = ({ name = '', ctrl, meta }: Key): string =>
  `${ctrl === true ? 'C-' : ''}${meta === true ? 'M-' : ''}${name}`;

/** Keys without a character of their own (F5, page up) come as an escape sequence. */
const printable = ({ sequence = '' }: Key): string => (sequence.startsWith('\x1b') ? '' : sequence);
