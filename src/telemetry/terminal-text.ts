/**
 * Text for a terminal. A terminal obeys what it is sent, and much of what is shown there was written by
 * strangers and agents: what is not text is taken out.
 */
import { stripVTControlCharacters } from 'node:util';

/**
 * Without escape sequences and control characters other than line break and tab. Of a sequence cut between two
 * pieces its printable end remains, which does nothing.
 */
export function textOnly(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return stripVTControlCharacters(text).replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '');
}
