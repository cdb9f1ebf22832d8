/** How a draft and its status line stand on a terminal of so many columns and rows. Pure. */
import type { Draft } from './draft.ts';
import { charactersOf, cutTo, widthOf } from './width.ts';

const PROMPT = '> ';
const CONTINUED = '  ';

/** Rows that a draft takes at most; of a longer one those around the cursor are shown. */
export const DRAFT_ROWS_MAX = 8;

export interface Layout {
  /** Each fits its row; the first is the status line. */
  readonly rows: readonly string[];
  readonly cursor: { readonly row: number; readonly column: number };
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

interface Wrapped {
  readonly rows: string[];
  readonly cursor: { readonly row: number; readonly column: number };
}

/** The status line with the draft under it. The last column stays free, where terminals differ. */
export function layOut(status: string, draft: Draft, { columns, rows }: Size): Layout {
  const width = Math.max(PROMPT.length + 2, columns - 1);
  const wrapped = wrap(draft, width - PROMPT.length);
  const shownMax = Math.max(1, Math.min(DRAFT_ROWS_MAX, rows - 2));
  const last = Math.max(wrapped.cursor.row + 1, Math.min(wrapped.rows.length, shownMax));
  const first = Math.max(0, last - shownMax);
  const shown = wrapped.rows
    .slice(first, last)
    .map((row, index) => `${first + index === 0 ? PROMPT : CONTINUED}${row}`);
  const { row, column } = wrapped.cursor;
  return {
    rows: [cutTo(status, width), ...shown],
    cursor: { row: 1 + row - first, column: PROMPT.length + column },
  };
}

/** Breaks the text into rows of at most `width` columns. A cursor behind a full row stands on the next one. */
function wrap({ text, cursor }: Draft, width: number): Wrapped {
  const rows: string[] = [];
  let at = { row: 0, column: 0 };
  let offset = 0;
  for (const line of text.split('\n')) {
    let row = '';
    let column = 0;
    const see = () => {
      if (offset === cursor) at = { row: rows.length, column };
    };
    for (const character of charactersOf(line.replaceAll('\t', ' '))) {
      const taken = widthOf(character);
      if (column + taken > width) {
        rows.push(row);
        [row, column] = ['', 0];
      }
      see();
      row += character;
      column += taken;
      offset += character.length;
    }
    if (offset === cursor && column >= width) {
      rows.push(row);
      [row, column] = ['', 0];
    }
    see();
    rows.push(row);
    offset += 1;
  }
  return { rows, cursor: at };
}
