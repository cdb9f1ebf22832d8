/**
 * The lines of a configuration as they may be shown: without what stands where a secret belongs, and without what looks
 * like one anywhere else. Where the text is no YAML, nobody knows what belongs to what: then nothing is shown but the
 * names of known keys, each at the beginning of its line. Pure.
 */
import { isNameOfAnyKey } from './key-facts.ts';
import { HIDDEN, withoutSecrets } from './redact.ts';
import type { SecretRegions, Span } from './secret-regions.ts';

/** Shows the part of a text from `begins` to before `ends`, which is a line without its break. */
export type LineShown = (begins: number, ends: number) => string;

/** What may be told of a text. */
export interface Telling {
  readonly line: LineShown;
  /** True where a secret stands or belongs, by the path of a value. */
  readonly hides: (path: readonly PropertyKey[]) => boolean;
  /** True where the last name of a path may be told. */
  readonly tellsName: (path: readonly PropertyKey[]) => boolean;
}

/** Of a text that is YAML. */
export function lineShown(text: string, { hidden, shown }: SecretRegions): LineShown {
  return (begins, ends) =>
    pieces(
      { begins, ends },
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
}

/** Of a text that is none. */
export function brokenLineShown(text: string): LineShown {
  return (begins, ends) => {
    const line = text.slice(begins, ends).trimEnd();
    const [, indent = '', key = '', , name = '', rest = ''] = KEY_LINE.exec(line) ?? [];
    if (!isNameOfAnyKey(name)) return MARKS_ALONE.test(line) ? line : line.replace(/\S.*$/s, HIDDEN);
    return `${indent}${key}${rest === '' ? '' : ` ${HIDDEN}`}`;
  };
}

/** The beginning of a document, or brackets. */
const MARKS_ALONE = /^(?:---|[\s[\]{},]*)$/;

/** A key with its colon, in a list or not, and what stands behind it. */
const KEY_LINE = /^(\s*(?:-\s+)*)((["']?)([\w-]+)\3:)(?:\s+(.*))?$/;

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
