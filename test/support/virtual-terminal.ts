/**
 * What a person sees: a terminal of so many columns that understands text and the few sequences the chat makes, and
 * refuses every other one. Lines that scroll out at the top are kept; another width breaks all of them anew.
 */
import { charactersOf, widthOf } from '../../src/cli/chat/width.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const SEQUENCE = /\x1b\[(?<parameter>\??[\d;]*)(?<final>[A-Za-z])/y;

export class VirtualTerminal {
  columns: number;
  rows: number;
  readonly colour = false;
  /** Every line, as cells; a wide character stands in its first one. */
  #lines: string[][] = [[]];
  /** Lines that go on in the next one because there was no more room. */
  #continued = new Set<number>();
  #row = 0;
  #column = 0;
  readonly #listeners = new Set<() => void>();
  /** A character stands in the last column: the next one goes to the next line. */
  #wraps = false;

  constructor(columns: number, rows = 24) {
    this.columns = columns;
    this.rows = rows;
  }

  /** The lines as a person reads them, without blanks at their ends; of the rows that are empty none at the end. */
  get screen(): string[] {
    const lines = this.#lines.map((cells) =>
      Array.from(cells, (cell) => cell ?? ' ')
        .join('')
        .trimEnd(),
    );
    while (lines.length > 0 && lines.at(-1) === '') lines.pop();
    return lines;
  }

  get cursor(): { row: number; column: number } {
    return { row: this.#row, column: this.#column };
  }

  write(text: string): void {
    let at = 0;
    while (at < text.length) {
      SEQUENCE.lastIndex = at;
      const match = SEQUENCE.exec(text);
      if (match !== null) {
        this.#obey(match.groups?.parameter ?? '', match.groups?.final ?? '');
        at = SEQUENCE.lastIndex;
        continue;
      }
      const end = text.indexOf('\x1b', at + 1);
      const piece = text.slice(at, end < 0 ? text.length : end);
      for (const character of charactersOf(piece)) this.#put(character);
      at += piece.length;
    }
  }

  onResize(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Another size: every line is broken anew, and the cursor stays with the character that it stands on. */
  resize(columns: number, rows: number): void {
    const [lines, continued] = [this.#lines, this.#continued];
    const cursor = { row: this.#row, column: this.#column };
    [this.columns, this.rows, this.#lines, this.#continued] = [columns, rows, [], new Set()];
    let row: string[] = [];
    for (const [at, cells] of lines.entries()) {
      for (let cell = 0; cell < cells.length || (at === cursor.row && cell <= cursor.column); ) {
        if (at === cursor.row && cell === cursor.column)
          [this.#row, this.#column] = [this.#lines.length, row.length];
        if (cell >= cells.length) break;
        const width = cells[cell + 1] === '' ? 2 : 1;
        if (row.length + width > columns) {
          this.#continued.add(this.#lines.length);
          this.#lines.push(row);
          row = [];
          if (at === cursor.row && cell === cursor.column)
            [this.#row, this.#column] = [this.#lines.length, 0];
        }
        row.push(cells[cell] ?? ' ', ...(width === 2 ? [''] : []));
        cell += width;
      }
      if (continued.has(at)) continue;
      this.#lines.push(row);
      row = [];
    }
    this.#wraps = this.#column >= columns;
    this.#column = Math.min(this.#column, columns - 1);
    for (const listener of this.#listeners) listener();
  }

  #put(character: string): void {
    if (character === '\r\n') this.#feed(0);
    else if (character === '\n') this.#feed(this.#column);
    else if (character === '\r') {
      this.#column = 0;
      this.#wraps = false;
    } else this.#print(character);
  }

  #print(character: string): void {
    if (/\p{Cc}/u.test(character)) throw new Error(`control character ${JSON.stringify(character)}`);
    const width = widthOf(character);
    if (this.#wraps || this.#column + width > this.columns) {
      this.#continued.add(this.#row);
      this.#feed(0);
    }
    this.#line[this.#column] = character;
    for (let more = 1; more < width; more += 1) this.#line[this.#column + more] = '';
    this.#column += width;
    this.#wraps = this.#column >= this.columns;
    if (this.#wraps) this.#column = this.columns - 1;
  }

  #feed(column: number): void {
    this.#row += 1;
    this.#column = column;
    this.#wraps = false;
    this.#lines[this.#row] ??= [];
  }

  get #line(): string[] {
    const line = this.#lines[this.#row] ?? [];
    this.#lines[this.#row] = line;
    return line;
  }

  #obey(parameter: string, final: string): void {
    const count = Number(parameter || '1');
    if (final === 'm' || (parameter === '?2004' && (final === 'h' || final === 'l'))) return;
    this.#wraps = false;
    if (final === 'A') {
      // Beyond the top a terminal stays there; that would be a mistake of whoever draws.
      if (count > this.#row || count >= this.rows) throw new Error(`up ${count} from row ${this.#row}`);
      this.#row -= count;
    } else if (final === 'C') {
      if (this.#column + count >= this.columns) throw new Error(`right ${count} from ${this.#column}`);
      this.#column += count;
    } else if (final === 'J' && parameter === '') {
      this.#lines.length = this.#row + 1;
      this.#line.length = Math.min(this.#line.length, this.#column);
      for (const row of this.#continued) if (row >= this.#row) this.#continued.delete(row);
    } else if (final === 'J' && parameter === '2') {
      this.#lines = [[]];
      this.#continued.clear();
    } else if (final === 'H' && parameter === '') {
      this.#row = 0;
      this.#column = 0;
    } else throw new Error(`sequence ESC [ ${parameter} ${final}`);
  }
}
