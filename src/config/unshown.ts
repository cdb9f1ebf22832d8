/**
 * The lines of a configuration as they may be shown: without what stands where a secret belongs, and without what looks
 * like one anywhere else. Where the text is no YAML, nobody knows what belongs to what; then the key in a line, and those
 * of the lines that it is indented below, decide, and more is hidden. Pure.
 */
import { HIDDEN, secretValueAt, withoutSecrets } from './redact.ts';
import type { SecretRegions, Span } from './secret-regions.ts';

/** Shows the part of a text from `begins` to before `ends`, which is a line without its break. */
export type LineShown = (begins: number, ends: number) => string;

/** What may be told of a text. */
export interface Telling {
  readonly line: LineShown;
  /** True where a secret stands or belongs, by the path of a value. */
  readonly holdsSecret: (path: readonly PropertyKey[]) => boolean;
}

/** `broken`: the text could not be read, so the regions are not all. */
export function lineShown(text: string, { hidden, shown }: SecretRegions, broken: boolean): LineShown {
  const isBelow = broken ? belowSecrets(text) : undefined;
  return (begins, ends) => {
    if (isBelow?.has(begins)) return masked(text.slice(begins, ends));
    const guessed = broken ? secretValueAt(text.slice(begins, ends)) : -1;
    const shownTo = guessed === -1 ? ends : begins + guessed;
    const line = pieces(
      { begins, ends: shownTo },
      hidden,
      (piece) => withoutSecrets(text.slice(...at(piece))),
      (piece) =>
        pieces(
          piece,
          shown,
          (rest) => masked(text.slice(...at(rest))),
          (key) => text.slice(...at(key)),
        ),
    );
    return shownTo === ends ? line : `${line} ${HIDDEN}`;
  };
}

const at = ({ begins, ends }: Span): [number, number] => [begins, ends];

/** A part of the text by what is outside of these spans, and what is inside. */
function pieces(
  { begins, ends }: Span,
  spans: readonly Span[],
  outside: (piece: Span) => string,
  inside: (piece: Span) => string,
): string {
  const texts: string[] = [];
  let from = begins;
  for (let index = firstEndingAfter(spans, begins); index < spans.length; index += 1) {
    const span = spans[index];
    if (span === undefined || span.begins >= ends) break;
    const [first, last] = [Math.max(from, span.begins), Math.min(ends, span.ends)];
    if (first > from) texts.push(outside({ begins: from, ends: first }));
    texts.push(inside({ begins: first, ends: last }));
    from = last;
  }
  if (from < ends) texts.push(outside({ begins: from, ends }));
  return texts.join('');
}

/** By halves: a file may have thousands of them, and as many lines to show. */
function firstEndingAfter(spans: readonly Span[], offset: number): number {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((spans[middle]?.ends ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Hidden but for the brackets, commas and white space around it, which say nothing and show what the line is. */
function masked(text: string): string {
  let [begins, ends] = [0, text.length];
  while (begins < ends && ' \t{[,]}'.includes(text.charAt(begins))) begins += 1;
  while (ends > begins && ' \t\r{[,]}'.includes(text.charAt(ends - 1))) ends -= 1;
  if (begins === ends) return text;
  const dash = text.startsWith('- ', begins) ? 2 : 0;
  return `${text.slice(0, begins + dash)}${HIDDEN}${text.slice(ends)}`;
}

/** Where the lines begin that are indented below a key whose value is a secret. */
function belowSecrets(text: string): ReadonlySet<number> {
  const found = new Set<number>();
  let secretIndent = Number.POSITIVE_INFINITY;
  for (let begins = 0; begins < text.length; ) {
    const end = text.indexOf('\n', begins);
    const ends = end === -1 ? text.length : end;
    const line = text.slice(begins, ends);
    if (line.trim() !== '') {
      const indent = indentOf(line);
      // A tab may stand for any number of columns.
      const isDeeper =
        indent > secretIndent || (/^ *\t/.test(line) && secretIndent !== Number.POSITIVE_INFINITY);
      if (isDeeper) found.add(begins);
      else secretIndent = secretValueAt(line) === -1 ? Number.POSITIVE_INFINITY : indent;
    }
    begins = ends + 1;
  }
  return found;
}

/** An item of a list may stand in the column of its key, and is below it all the same. */
function indentOf(line: string): number {
  const indent = line.length - line.trimStart().length;
  return 2 * indent + (line.startsWith('-', indent) ? 1 : 0);
}
