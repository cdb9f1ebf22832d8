/** Fits lines to a terminal. Pure. */

/** Narrower than this nothing is wrapped: it would be a column of syllables. */
const COLUMNS_MIN = 20;

/** Continued lines stand under the second column of a status. */
const INDENT = ' '.repeat(9);

/**
 * The text with every line no longer than `columns`: broken at spaces, and what is longer than a line where it must
 * be. As it is where `columns` is undefined, for then no person reads it on a terminal.
 */
export function wrapped(text: string, columns: number | undefined): string {
  if (columns === undefined || columns < COLUMNS_MIN) return text;
  return text
    .split('\n')
    .flatMap((line) => broken(line, columns))
    .join('\n');
}

function broken(line: string, columns: number): string[] {
  const lines: string[] = [];
  let rest = line;
  while (rest.length > columns) {
    const space = rest.lastIndexOf(' ', columns);
    // A break within the indent would bring nothing further.
    const at = rest.slice(0, Math.max(space, 0)).trim() === '' ? columns : space;
    lines.push(rest.slice(0, at).trimEnd());
    rest = `${INDENT}${rest.slice(at).trimStart()}`;
  }
  return [...lines, rest];
}
