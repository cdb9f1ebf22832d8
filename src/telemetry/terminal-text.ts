/**
 * Text for a terminal. A terminal obeys what it is sent, and much of what is shown there was written by
 * strangers and agents: what is not text is taken out.
 */

/**
 * What a terminal obeys: strings (titles, links, images) up to their end, `ESC [` with its parameters, and all that is
 * shorter. Each begins with a character that none of them goes on with, so that the time is that of one reading;
 * `stripVTControlCharacters` of Node reads some texts of 64 KB for seconds, and any program may print such.
 */
const SEQUENCES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /\x1b[PX\]^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL_CHARACTERS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/**
 * Without escape sequences and control characters other than line break and tab. Of a sequence cut between two
 * pieces its printable end remains, which does nothing.
 */
export const textOnly = (text: string): string =>
  text.replaceAll(SEQUENCES, '').replaceAll(CONTROL_CHARACTERS, '');

/** The same of what a program printed: a carriage return begins a line, so that a progress bar is readable. */
export const printedText = (text: string): string =>
  text
    .replaceAll(SEQUENCES, '')
    .replaceAll(/\r+\n?/g, '\n')
    .replaceAll(CONTROL_CHARACTERS, '');
