/**
 * A text that is being written, and where in it: pure functions from one draft to the next. The cursor always stands
 * between two characters as a person counts them, and nothing enters a draft that a terminal would obey.
 */
import { textOnly } from '../../telemetry/terminal-text.ts';
import { characterAt, charactersOf, widthOf } from './width.ts';

/** The longest draft; what is pasted beyond is left out. */
export const DRAFT_CHARS_MAX = 256 * 1024;

export interface Draft {
  readonly text: string;
  /** In code units of `text`. */
  readonly cursor: number;
}

export const EMPTY: Draft = { text: '', cursor: 0 };

/** The draft with this text, its cursor at the end. */
export const draftOf = (text: string): Draft => ({ text, cursor: text.length });

export function insert({ text, cursor }: Draft, added: string): Draft {
  const taken = textOnly(added)
    .slice(0, DRAFT_CHARS_MAX - text.length)
    .toWellFormed();
  return between(text.slice(0, cursor) + taken + text.slice(cursor), cursor + taken.length);
}

/** What is written or taken out may join what was apart, such as a letter before an accent: the cursor goes behind both. */
function between(text: string, cursor: number): Draft {
  const { from, to } = characterAt(text, cursor);
  return { text, cursor: from === cursor ? cursor : to };
}

const left = ({ text, cursor }: Draft): number => (cursor === 0 ? 0 : characterAt(text, cursor - 1).from);
const right = ({ text, cursor }: Draft): number => characterAt(text, cursor).to;
/** `lastIndexOf` takes a negative place for the first one. */
const lineStart = ({ text, cursor }: Draft): number =>
  cursor === 0 ? 0 : text.lastIndexOf('\n', cursor - 1) + 1;

function lineEnd({ text, cursor }: Draft): number {
  const at = text.indexOf('\n', cursor);
  return at < 0 ? text.length : at;
}

/** Of a whole character: an accent alone, or the mark that makes a sign an emoji, belongs to no word. */
const isWord = (character: string): boolean => /[\p{L}\p{N}_]/u.test(character);

/** Over what is no word, then over the word. */
function wordStart({ text, cursor }: Draft): number {
  let inWord = false;
  for (let at = cursor; at > 0; ) {
    const { from } = characterAt(text, at - 1);
    const isPart = isWord(text.slice(from, at));
    if (inWord && !isPart) return at;
    inWord = isPart;
    at = from;
  }
  return 0;
}

function wordEnd({ text, cursor }: Draft): number {
  let inWord = false;
  for (let at = cursor; at < text.length; ) {
    const { to } = characterAt(text, at);
    const isPart = isWord(text.slice(at, to));
    if (inWord && !isPart) return at;
    inWord = isPart;
    at = to;
  }
  return text.length;
}

/** Where a key takes the cursor, or up to where it deletes. */
const PLACES = {
  left,
  right,
  lineStart,
  lineEnd,
  wordStart,
  wordEnd,
} as const;

export type Place = keyof typeof PLACES;

export const moveTo = (draft: Draft, place: Place): Draft => ({ ...draft, cursor: PLACES[place](draft) });

/** Takes out what is between the cursor and a place; a line that ends there is joined with the next one. */
export function cut(draft: Draft, place: Place): { draft: Draft; removed: string } {
  const { text, cursor } = draft;
  let to = PLACES[place](draft);
  if (to === cursor && place === 'lineEnd' && cursor < text.length) to += 1;
  const [from, end] = to < cursor ? [to, cursor] : [cursor, to];
  return { draft: between(text.slice(0, from) + text.slice(end), from), removed: text.slice(from, end) };
}

/** One line up or down, as near to the column as the line is long; undefined on the first or last one. */
export function moveByLine(draft: Draft, by: -1 | 1): Draft | undefined {
  const { text } = draft;
  const start = PLACES.lineStart(draft);
  const column = widthOf(text.slice(start, draft.cursor));
  if (by < 0 && start === 0) return undefined;
  const end = lineEnd(draft);
  if (by > 0 && end === text.length) return undefined;
  const target = by < 0 ? { text, cursor: start - 1 } : { text, cursor: end + 1 };
  let cursor = PLACES.lineStart(target);
  const targetEnd = lineEnd({ text, cursor });
  let width = 0;
  for (const character of charactersOf(text.slice(cursor, targetEnd))) {
    width += widthOf(character);
    if (width > column) break;
    cursor += character.length;
  }
  return { text, cursor };
}
