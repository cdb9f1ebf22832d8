/**
 * What a message about a configuration repeats of the file. The schema makes its messages without knowing where the
 * value stands, and Zod hands on nothing but their text: so what is repeated is marked there, and shown or hidden
 * where the whole path is known, in `problems.ts`. The marks are characters that Unicode keeps for such a use, and no
 * message leaves with them.
 */
import { HIDDEN, LOOKED_AT_CHARS_MAX, namesSecretValue, namesVariables, withoutSecrets } from './redact.ts';

/** Longest piece of a wrong value that a message repeats. */
const SHOWN_LENGTH_MAX = 40;

/** Characters of a text that are looked at for secrets before it is cut to what is shown: half of one may not look like one. */
const LOOKED_AT_SHOWN_MAX = 512;

const [BEGIN, END] = ['\uFDD0', '\uFDD1'];
const MARKED = new RegExp(`${BEGIN}([^${END}]*)${END}`, 'g');
const MARKS = new RegExp(`[${BEGIN}${END}]`, 'g');

/** A value as a message shows it: on one line, cut, texts in quotes, without what looks like a secret. */
export function show(value: unknown): string {
  const text = (typeof value === 'number' ? String(value) : JSON.stringify(beginningOf(value))) ?? 'nothing';
  const shown = typeof value === 'string' ? text : withoutSecrets(text, LOOKED_AT_CHARS_MAX);
  return shown.length > SHOWN_LENGTH_MAX ? `${shown.slice(0, SHOWN_LENGTH_MAX)}…` : shown;
}

/** No more of a value than can be shown: written out, a small file of aliases is larger than the memory. */
function beginningOf(value: unknown): unknown {
  if (typeof value === 'string') {
    return withoutSecrets(value, LOOKED_AT_SHOWN_MAX).slice(0, SHOWN_LENGTH_MAX + 1);
  }
  if (Array.isArray(value)) return value.slice(0, SHOWN_LENGTH_MAX).map(beginningOf);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).slice(0, SHOWN_LENGTH_MAX);
  return Object.fromEntries(
    entries.map(([key, inside]) => [key, isHidden(key) ? HIDDEN : beginningOf(inside)]),
  );
}

const isHidden = (key: string): boolean => namesVariables(key) || namesSecretValue(key);

/** The same for a message of a finding, which is told only where the path of the value allows it. */
export function quoted(value: unknown): string {
  return quotedText(show(value));
}

/** A piece of the file, as it stands there, for such a message. */
export function quotedText(text: string): string {
  return `${BEGIN}${text.replace(MARKS, '\uFFFD')}${END}`;
}

/** The message as it is told: `shown` says what becomes of each piece that was marked. */
export function unquoted(message: string, shown: (text: string) => string): string {
  return message.replace(MARKED, (_, text: string) => shown(text)).replace(MARKS, '');
}
