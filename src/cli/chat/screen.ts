/**
 * A terminal with a conversation that grows upwards and, under it, a few rows that are drawn anew: the status line
 * and what is being written. What is said goes above them piece by piece, as it comes, so that the terminal keeps it,
 * wraps it and scrolls it back as any other text.
 *
 * Invariants: between two calls the cursor stands in the draft, the rows of `#layout` are below the conversation, and
 * `#line` is what has been said of its last line. Only text reaches the terminal, besides the few sequences made here.
 *
 * A terminal that becomes narrower or wider breaks its lines anew, the rows drawn here and the conversation alike, as
 * nearly all do; where things stand then is counted from their text. One that cuts its lines instead (xterm) may lose
 * from sight as many lines of the conversation as a drawn row would have taken more.
 */
import { isDeepStrictEqual } from 'node:util';
import { textOnly } from '../../telemetry/terminal-text.ts';
import type { Terminal } from '../terminal.ts';
import type { Layout } from './layout.ts';
import { columnAfter, widthOf } from './width.ts';

const CLEAR_BELOW = '\x1b[J';
const CLEAR_ALL = '\x1b[2J\x1b[H';
const PASTE_MARKS_ON = '\x1b[?2004h';
const PASTE_MARKS_OFF = '\x1b[?2004l';
const DIM = '\x1b[2m';
const PLAIN = '\x1b[0m';
/** A tab's width depends on where it stands; this does not. */
const TAB = '    ';

/** A longer line that is not whole goes on in a new one when the terminal's width changes. */
const LINE_CHARS_MAX = 16 * 1024;

const up = (rows: number): string => (rows > 0 ? `\x1b[${rows}A` : '');
const rightTo = (column: number): string => (column > 0 ? `\x1b[${column}C` : '');

export class Screen implements Disposable {
  readonly #terminal: Terminal;
  #layout: Layout | undefined;
  /** What has been said of the conversation's last line: empty when it is a whole one. */
  #line = '';
  /** Where that ends, on a terminal of `#columns`. */
  #column = 0;
  #columns: number;
  /** That line filled its row to the end, so that a line break after it has been made already. */
  #full = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#columns = terminal.columns;
    terminal.write(PASTE_MARKS_ON);
  }

  /** Draws the rows below the conversation, unless they stand there already: what a person has selected stays so. */
  show(layout: Layout): void {
    if (isDeepStrictEqual(layout, this.#layout)) return;
    this.#terminal.write(this.#toTop() + this.#below(layout));
  }

  /** Adds to the conversation. */
  say(text: string): void {
    this.#add(textOnly(text).replaceAll('\t', TAB), false);
  }

  /** Adds a line of the chat's own, apart from what is said. */
  note(text: string): void {
    this.freshLine();
    this.#add(`${textOnly(text)}\n`, true);
  }

  /** Ends a line that is not whole. */
  freshLine(): void {
    if (this.#column > 0) this.#add('\n', false);
  }

  /** Empties the terminal, then draws again. */
  redraw(): void {
    const layout = this.#layout;
    this.#layout = undefined;
    this.#column = 0;
    this.#line = '';
    this.#terminal.write(CLEAR_ALL + (layout === undefined ? '' : this.#below(layout)));
  }

  /** Takes the rows below away and leaves the terminal as it was. */
  [Symbol.dispose](): void {
    this.freshLine();
    this.#terminal.write(this.#toTop() + PASTE_MARKS_OFF);
    this.#layout = undefined;
  }

  #add(text: string, isNote: boolean): void {
    this.#measure();
    const { columns, colour } = this.#terminal;
    const top = this.#toTop();
    const back = this.#column > 0 ? `${up(1)}\r${rightTo(this.#column)}` : '';
    const added = this.#full && text.startsWith('\n') ? text.slice(1) : text;
    if (added === '') {
      this.#full = false;
      return;
    }
    const lines = added.replaceAll('\n', '\r\n');
    const column = columnAfter(this.#column, added, columns);
    this.#full = column === columns;
    this.#column = this.#full ? 0 : column;
    const line = added.includes('\n') ? added.slice(added.lastIndexOf('\n') + 1) : this.#line + added;
    this.#line = this.#full ? '' : line.slice(0, LINE_CHARS_MAX + 1);
    const end = column > 0 ? '\r\n' : '';
    const shown = isNote && colour ? `${DIM}${lines}${PLAIN}` : lines;
    const below = this.#layout === undefined ? '' : this.#below(this.#layout);
    this.#terminal.write(`${top}${back}${shown}${end}${below}`);
  }

  /** Where the last line ends, now that the terminal may have another width. */
  #measure(): void {
    const { columns } = this.#terminal;
    if (columns === this.#columns) return;
    this.#columns = columns;
    if (this.#line.length > LINE_CHARS_MAX) this.#line = '';
    this.#column = columnAfter(0, this.#line, columns);
    this.#full = this.#full || this.#column === columns;
    if (this.#column === columns) [this.#column, this.#line] = [0, ''];
  }

  /** To the first row below the conversation, with nothing under it. */
  #toTop(): string {
    if (this.#layout === undefined) return '';
    const { columns, rows } = this.#terminal;
    const { row, column } = this.#layout.cursor;
    const taken = this.#layout.rows
      .slice(0, row)
      .reduce((sum, text) => sum + Math.max(1, Math.ceil(widthOf(text) / columns)), 0);
    const above = taken + Math.floor(Math.max(0, column - 1) / columns);
    return `${up(Math.min(above, rows - 1))}\r${CLEAR_BELOW}`;
  }

  #below(layout: Layout): string {
    this.#layout = layout;
    const [status = '', ...draft] = layout.rows;
    const first = this.#terminal.colour ? `${DIM}${status}${PLAIN}` : status;
    const { row, column } = layout.cursor;
    const back = up(layout.rows.length - 1 - row);
    return `${[first, ...draft].join('\r\n')}${back}\r${rightTo(column)}`;
  }
}
