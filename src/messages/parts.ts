/**
 * Takes a long text apart for a platform that limits the length of a message: at the end of a line where there is one,
 * else of a sentence, else of a word, and never within what a reader sees as one character. Pure.
 */

/** Within this share of a part, from its end, a better place is looked for. */
const SHARE_LOOKED_THROUGH = 2;

/** What follows a place says whether a character ends there; more of it is not looked at. */
const CHARACTER_UNITS_LOOKED_AT = 64;

/** Where a part may end, the best first; each ends behind what it finds. */
const PLACES: readonly RegExp[] = [/\n[^\S\n]*\n/g, /\n/g, /[.!?…]["'”’)\]]*\s|[。！？][”’」』）]*/g, /\s/g];

const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/**
 * The parts of `text`, each of at most `charsMax` characters (UTF-16 code units, of which no platform counts more),
 * none of them empty: blanks where it was cut are left out. A text that fits is one part, as it is.
 */
export function partsOf(text: string, charsMax: number): string[] {
  const unitsMax = Math.max(2, Math.floor(charsMax));
  const parts: string[] = [];
  let rest = text;
  while (rest.length > unitsMax) {
    const end = endOf(rest, unitsMax);
    const part = rest.slice(0, end).trimEnd();
    if (part !== '') parts.push(part);
    rest = withoutLeadingBlank(rest.slice(end), rest[end - 1] === '\n');
  }
  if (parts.length === 0 || rest.trim() !== '') parts.push(rest);
  return parts;
}

/** A line keeps its indentation; what went on in the same line begins with its next word. */
function withoutLeadingBlank(rest: string, isNewLine: boolean): string {
  return isNewLine ? rest.replace(/^(?:[^\S\n]*\n)+/, '') : rest.trimStart();
}

/** How much of `rest` the next part takes, at most `unitsMax`. */
function endOf(rest: string, unitsMax: number): number {
  // One more: a blank right behind the part is a place to end before.
  const from = Math.floor(unitsMax / SHARE_LOOKED_THROUGH);
  const looked = rest.slice(from, unitsMax + 1);
  for (const place of PLACES) {
    const last = [...looked.matchAll(place)].at(-1);
    if (last !== undefined) return from + last.index + last[0].length;
  }
  return wholeCharacters(rest, unitsMax);
}

/** The last boundary between two characters at `end` or before it; one that is longer than a part is cut all the same. */
function wholeCharacters(rest: string, end: number): number {
  const boundary =
    characters.segment(rest.slice(0, end + CHARACTER_UNITS_LOOKED_AT)).containing(end)?.index ?? end;
  if (boundary > 0) return boundary;
  const isWithinPair = /[\uD800-\uDBFF]/.test(rest[end - 1] ?? '');
  return isWithinPair ? end - 1 : end;
}
