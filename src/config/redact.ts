/**
 * Takes out of a text what looks like a secret, for values that are shown in another place than their file. It errs
 * on the side of hiding: a hidden word that was none costs a look into the file.
 */

const HIDDEN = '***';

/**
 * Characters that are looked at; the rest of a longer text is left out. Looking takes time with the square of a text
 * that has no end of a word, and a fault may quote anything.
 */
const LOOKED_AT_CHARS_MAX = 16_384;

/** Words that name a secret, at the end of a key, a flag or a variable. */
const NAMES = '(?:key|token|secret|pass(?:word|wd|w|phrase)?|pwd|credentials?)';

/** Each with what stays in front of the secret as its first group, or none. */
const SECRETS: readonly RegExp[] = [
  // https://user:password@host
  /((?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,31}:\/\/)[^\s/@"']+(?=@)/gi,
  // Authorization: Bearer …, in a header or on its own
  /(\bauthorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic|token)\s+)?)[^\s"',]+/gi,
  /(\bbearer\s+)[^\s"',]+/gi,
  // --token …, also as two words of a list
  new RegExp(`((?<![\\w-])--?[\\w-]{0,64}${NAMES}["',\\s=:]+)[^\\s"',]+`, 'gi'),
  // API_KEY=…, password: …
  new RegExp(`((?<![\\w-])[\\w-]{0,64}${NAMES}["']?\\s*[=:]\\s*["']?)[^\\s"',;&]+`, 'gi'),
  // What services begin their keys with
  /()\b(?:sk|pk|rk|ghp|gho|ghs|ghu|github_pat|glpat|xox[abeprs]|xapp|hf|AKIA|AIza)[-_]?[A-Za-z0-9_-]{12,}/g,
  // A Telegram bot token
  /()(?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,}/g,
  // Long and random: letters and digits, no word of a language and no path
  /()(?<![\w/.-])(?=[\w+=-]*\d)(?=[\w+=-]*[A-Za-z])[\w+=-]{32,}(?![\w/.])/g,
];

/** The text with `***` in place of what looks like a secret. */
export function withoutSecrets(text: string): string {
  const looked = text.length > LOOKED_AT_CHARS_MAX ? `${text.slice(0, LOOKED_AT_CHARS_MAX)}…` : text;
  return SECRETS.reduce((rest, pattern) => rest.replace(pattern, `$1${HIDDEN}`), looked);
}

/** True when the name of a key says that its value is a secret itself, not the variable that holds it. */
export function namesSecret(key: string): boolean {
  return new RegExp(`${NAMES}$`, 'i').test(key);
}
