/**
 * What is wrong with the YAML of a text, in words for whoever wrote it and at the place where they made the mistake: the
 * library tells of a quote that stays open where the text ends, which is no line that anybody would look at. Pure.
 */
import type { Problem } from './problems.ts';

/** Where something stands in the text, as `tree.ts` finds it; offsets count UTF-16 units. */
interface Place {
  readonly path: readonly PropertyKey[];
  readonly key: number;
  /** Where the value itself begins, be it with a quote or a bracket. */
  readonly begins: number;
}

/** What the library says of a mistake. */
export interface Mistake {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, number];
}

/** The mistakes of a text, each once; `places` as far as it could be read. */
export function syntaxProblems(found: readonly Mistake[], places: readonly Place[], text: string): Problem[] {
  if (found.length === 0) return [];
  const pathAt = pathFinder(places);
  const openerAt = openerFinder(places, text);
  // Whatever a quote swallowed that stays open, the bracket that closes is in it.
  const inQuote = found.some((mistake) => isOpenQuote(mistake));
  const told = inQuote ? found.filter((mistake) => !isOpenBracket(mistake)) : found;
  const seen = new Set<number>();
  return told
    .map((mistake) => problemOf(mistake, text, pathAt, openerAt))
    .filter(({ offset }) => !seen.has(offset) && seen.add(offset));
}

function problemOf(
  mistake: Mistake,
  text: string,
  pathAt: (offset: number) => readonly PropertyKey[],
  openerAt: (mark: string, before: number) => number | undefined,
): Problem {
  const { code, message } = mistake;
  // At the end of the text there is no line to show.
  const offset = Math.min(mistake.pos[0], Math.max(0, text.trimEnd().length - 1));
  if (code === 'MULTIPLE_DOCS') return { offset, path: [], message: SECOND_DOCUMENT };
  const line = text.lastIndexOf('\n', offset - 1) + 1;
  if (INDENTS.includes(code) && /^ *\t/.test(text.slice(line, offset + 1)))
    return { offset: line, path: pathAt(line - 1), message: TAB };
  const opened = openedBy(mistake, openerAt);
  if (opened !== undefined) return { ...opened, path: pathAt(opened.offset) };
  const said =
    SYNTAX[code] ??
    SYNTAX[message] ??
    `${message.replace(REPEATED, '').replace(/\.$/, '')}; correct the YAML`;
  // What it took for a key there is none.
  return { offset, path: pathAt(NO_KEYS.includes(code) ? offset - 1 : offset), message: said };
}

const SECOND_DOCUMENT = 'a second document begins here; keep one, and put all keys into it';

const NO_COLON = 'a line has no colon; write NAME: VALUE';

const TAB = 'a tab indents the line; indent with spaces';

const INDENTS: readonly string[] = ['TAB_AS_INDENT', 'BAD_INDENT'];

const NO_KEYS: readonly string[] = ['BLOCK_AS_IMPLICIT_KEY', 'MULTILINE_IMPLICIT_KEY'];

/** What the library repeats of the text; the line below shows it, as far as it may be shown. */
const REPEATED = /:\s.*$/s;

/** The messages for the mistakes that people make most, by the library's code or message; its own text serves for the others. */
const SYNTAX: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: TAB,
  BAD_INDENT: 'the line is indented unlike those beside it; begin them in the same column',
  BAD_SCALAR_START: 'begins with a character that YAML keeps for itself; put the value in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'has a second colon in its line; put the value in quotes',
  MULTILINE_IMPLICIT_KEY: NO_COLON,
  'Implicit map keys need to be followed by map values': NO_COLON,
  BAD_DQ_ESCAPE:
    'has a backslash that means nothing in double quotes; write it twice, or put the value in single quotes',
  BAD_DIRECTIVE: 'is no directive that means anything here; remove the line',
  TAG_RESOLVE_FAILED: 'has a tag that means nothing here; remove it',
};

/** The quote or bracket that stays open, where it stands. */
function openedBy(
  mistake: Mistake,
  openerAt: (mark: string, before: number) => number | undefined,
): { offset: number; message: string } | undefined {
  if (!isOpenQuote(mistake) && !isOpenBracket(mistake)) return undefined;
  const mark = isOpenQuote(mistake) ? mistake.message.charAt(OPEN_QUOTE.length) : bracketOf(mistake);
  const offset = openerAt(mark, mistake.pos[0]);
  if (offset === undefined) return undefined;
  const close = CLOSING[mark];
  const message =
    close === undefined
      ? `begins with a quote that is never closed; end it with ${mark}`
      : `begins with ${mark} and does not end, or goes on in a line that is not indented; end it with ${close}`;
  return { offset, message };
}

const CLOSING: Readonly<Record<string, string>> = { '[': ']', '{': '}' };

/** How the library begins its messages; the quote or the kind of collection comes next. */
const OPEN_QUOTE = 'Missing closing ';

const isOpenQuote = ({ code, message }: Mistake): boolean =>
  code === 'MISSING_CHAR' && message.startsWith(OPEN_QUOTE);

const isOpenBracket = ({ message }: Mistake): boolean => /^Flow (map|sequence) .*end with a /.test(message);

const bracketOf = ({ message }: Mistake): string => (message.startsWith('Flow map') ? '{' : '[');

/** Finds the last key or value before an offset that begins with a mark. */
function openerFinder(
  places: readonly Place[],
  text: string,
): (mark: string, before: number) => number | undefined {
  const offsets = places.flatMap(({ key, begins }) => [key, begins]).toSorted((a, b) => a - b);
  const byMark = Map.groupBy(offsets, (offset) => text.charAt(offset));
  return (mark, before) => lastUpTo(byMark.get(mark) ?? [], before - 1, (offset) => offset);
}

/** Finds the key that stands last before an offset: the one a mistake in the YAML belongs to, as far as one can tell. */
function pathFinder(places: readonly Place[]): (offset: number) => readonly PropertyKey[] {
  const inOrder = places.toSorted((a, b) => a.key - b.key);
  return (offset) => lastUpTo(inOrder, offset, ({ key }) => key)?.path ?? [];
}

/** The last of those in order that are not beyond an offset; by halves, because a file may have thousands of mistakes. */
function lastUpTo<Each>(
  inOrder: readonly Each[],
  offset: number,
  offsetOf: (each: Each) => number,
): Each | undefined {
  let [low, high] = [0, inOrder.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const each = inOrder[middle];
    if (each !== undefined && offsetOf(each) <= offset) low = middle + 1;
    else high = middle;
  }
  return inOrder[low - 1];
}
