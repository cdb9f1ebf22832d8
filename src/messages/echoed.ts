/** What a person typed, said back to them: never longer than a line, whatever was sent. */

/** Characters of a typed word that a reply repeats. */
const ECHOED_CHARS_MAX = 60;

/** The word, or its beginning; a character of two code units is not cut in half. */
export const echoed = (word: string): string =>
  word.length <= ECHOED_CHARS_MAX
    ? word
    : `${word.slice(0, ECHOED_CHARS_MAX).replace(/[\uD800-\uDBFF]$/, '')}…`;
