/**
 * What a person sees: a terminal of so many columns that understands text and the few sequences the chat makes, and
 * refuses every other one. Lines that scroll out at the top are kept.
 */
import { charactersOf, widthOf } from '../../src/cli/chat/width.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const SEQUENCE = /\x1b\[(?<parameter>\??[\d;]*)(?<final>[A-Za-z])/y;

export class VirtualTerminal {
  readonly columns: number;
  readonly rows: number;
  readonly colour = false;
  /** Every line, as cells; a wide character stands in its first one. */
  readonly #lines: string[][] = [[]];
  #row = 0;
  #column = 0;
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

  onResize(): Disposable {
    return { [Symbol.dispose]: () => {} };
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
    if (this.#wraps || this.#column + width > this.columns) this.#feed(0);
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
      this.#line.length = this.#column;
    } else if (final === 'J' && parameter === '2') {
      this.#lines.length = 0;
      this.#lines.push([]);
    } else if (final === 'H' && parameter === '') {
      this.#row = 0;
      this.#column = 0;
    } else throw new Error(`sequence ESC [ ${parameter} ${final}`);
  }
}
