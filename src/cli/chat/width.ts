/** How much room text takes on a terminal: in columns, by what a person sees as one character. */
import stringWidth from 'string-width';

const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Each takes one column. */
const PLAIN = /^[\x20-\x7e]*$/;

/** The characters of a text as a person counts them: an accent or a family of emoji belongs to the one it stands with. */
export function* charactersOf(text: string): Generator<string> {
  for (const { segment } of characters.segment(text)) yield segment;
}

/** Where the character begins that holds the code unit at `index`, and where the next one begins. */
export function characterAt(text: string, index: number): { from: number; to: number } {
  const found = characters.segment(text).containing(index);
  return found === undefined
    ? { from: text.length, to: text.length }
    : { from: found.index, to: found.index + found.segment.length };
}

export const widthOf = (text: string): number => (PLAIN.test(text) ? text.length : stringWidth(text));

/** The text, or as much of it as fits with an ellipsis behind. */
export function cutTo(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let cut = '';
  let width = 0;
  for (const character of charactersOf(text)) {
    width += widthOf(character);
    if (width > columns - 1) break;
    cut += character;
  }
  return columns < 1 ? '' : `${cut}…`;
}

/**
 * Where a terminal's cursor stands after a text that began at `column`; `columns` when the last one is just full. A
 * character that does not fit goes whole to the next line.
 */
export function columnAfter(column: number, text: string, columns: number): number {
  const lineBreak = text.lastIndexOf('\n');
  const line = text.slice(lineBreak + 1);
  let at = lineBreak < 0 ? column : 0;
  if (PLAIN.test(line)) return wrapped(at + line.length, columns);
  for (const character of charactersOf(line)) {
    const width = widthOf(character);
    at = at + width > columns ? width : at + width;
  }
  return at;
}

const wrapped = (at: number, columns: number): number => (at <= columns ? at : ((at - 1) % columns) + 1);
