/**
 * What a person typed, said back to them: no longer than a line unless a reply says so, and with nothing in it that a
 * terminal obeys, whatever was sent.
 */
import { textOnly } from '../telemetry/terminal-text.ts';

/** Characters of a typed word that a reply repeats. */
const ECHOED_CHARS_MAX = 60;

/** Characters that are looked at for each that is repeated: a text may consist of what is taken out. */
const LOOKED_AT_TIMES = 10;

/** The word, or its beginning; a character of two code units is not cut in half. */
export const echoed = (word: string, charsMax = ECHOED_CHARS_MAX): string => {
  const lookedAt = word.slice(0, charsMax * LOOKED_AT_TIMES);
  const text = textOnly(lookedAt);
  if (text.length <= charsMax && lookedAt === word) return text;
  return `${text.slice(0, charsMax).replace(/[\uD800-\uDBFF]$/, '')}…`;
};
