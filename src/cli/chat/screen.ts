/**
 * A terminal with a conversation that grows upwards and, under it, a few rows that are drawn anew: the status line
 * and what is being written. What is said goes above them piece by piece, as it comes, so that the terminal keeps it,
 * wraps it and scrolls it back as any other text.
 *
 * Invariants: between two calls the cursor stands in the draft, `#drawn` rows are below the conversation, and
 * `#column` is where its last line ends. Only text reaches the terminal, besides the few sequences made here.
 */
import { isDeepStrictEqual } from 'node:util';
import { textOnly } from '../../telemetry/terminal-text.ts';
import type { Terminal } from '../terminal.ts';
import type { Layout } from './layout.ts';
import { columnAfter } from './width.ts';

const CLEAR_BELOW = '\x1b[J';
const CLEAR_ALL = '\x1b[2J\x1b[H';
const PASTE_MARKS_ON = '\x1b[?2004h';
const PASTE_MARKS_OFF = '\x1b[?2004l';
const DIM = '\x1b[2m';
const PLAIN = '\x1b[0m';
/** A tab's width depends on where it stands; this does not. */
const TAB = '    ';

const up = (rows: number): string => (rows > 0 ? `\x1b[${rows}A` : '');
const rightTo = (column: number): string => (column > 0 ? `\x1b[${column}C` : '');

export class Screen implements Disposable {
  readonly #terminal: Terminal;
  #layout: Layout | undefined;
  /** Where the conversation's last line ends: 0 when it is a whole one. */
  #column = 0;
  /** That line filled its row to the end, so that a line break after it has been made already. */
  #full = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
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
    this.#terminal.write(CLEAR_ALL + (layout === undefined ? '' : this.#below(layout)));
  }

  /** Takes the rows below away and leaves the terminal as it was. */
  [Symbol.dispose](): void {
    this.freshLine();
    this.#terminal.write(this.#toTop() + PASTE_MARKS_OFF);
    this.#layout = undefined;
  }

  #add(text: string, isNote: boolean): void {
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
    const end = column > 0 ? '\r\n' : '';
    const shown = isNote && colour ? `${DIM}${lines}${PLAIN}` : lines;
    const below = this.#layout === undefined ? '' : this.#below(this.#layout);
    this.#terminal.write(`${top}${back}${shown}${end}${below}`);
  }

  /** To the first row below the conversation, with nothing under it. */
  #toTop(): string {
    return this.#layout === undefined ? '' : `${up(this.#layout.cursor.row)}\r${CLEAR_BELOW}`;
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
