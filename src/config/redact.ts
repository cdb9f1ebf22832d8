/**
 * Takes out of a text what looks like a secret, for values that are shown in another place than their file. It errs
 * on the side of hiding: a hidden word that was none costs a look into the file.
 *
 * A text may be anybody's, so each pattern takes time in proportion to what it looks at: what it reads from one place at
 * which it may begin it reads from no other, but for a bounded number of characters.
 */

/** What stands in the place of what is hidden. */
export const HIDDEN = '***';

/** Characters that are looked at; the rest of a longer text is left out, and so is the word that would be cut. */
export const LOOKED_AT_CHARS_MAX = 16_384;

/** Words that name a secret, at the end of a key, a flag or a variable. */
const NAMES = '(?:key|token|secret|pass(?:word|wd|w|phrase)?|pwd|credentials?)';

/** A value to its end: after a quote, which may be escaped in front, to the next one of its kind. */
const VALUE = `(?:(?<=")[^"]+|(?<=')[^']+|(?:[^\\s"',]|,(?=[^\\s"']))+)`;

/** The same inside an address or a list of settings. */
const SETTING = `(?:(?<=")[^"]+|(?<=')[^']+|[^\\s"',;&]+)`;

/** The same behind `USER:`, which a quote may begin. */
const LOGIN_VALUE = `(?:(?<="[^\\s"]{1,160})[^"]+|(?<='[^\\s']{1,160})[^']+|[^\\s"']+)`;

/** Between a flag and its value, also as two words of a list, also as JSON has it. */
const GAP = `["',\\s=\\\\]`;

/** Options of one dash that only begin like `-pSECRET`. */
const LIKE_P = '(?:ass\\w*|ath|erm|id|lugin|ort|rint[0f]?|rofile|roject|roxy|rune|wd)';

/** Each with what stays in front of the secret as its first group, or none. */
const SECRETS: readonly RegExp[] = [
  // https://user:password@host; a slash may be a part of the password, two are the next address
  /((?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,31}:\/\/)(?:[^\s/"']|\/(?!\/))+(?=@)/gi,
  // Authorization: Bearer …, in a header or on its own; of a scheme that is not known both words
  /(\bauthorization["']?\s*[:=]\s*["']?(?:bearer|basic|token)\s+)[^\s"',]+/gi,
  /(\bauthorization["']?\s*[:=]\s*["']?)(?!(?:bearer|basic|token)\s)(?:[\w-]+ +)?[^\s"',]+/gi,
  /(\bbearer\s+)[^\s"',]+/gi,
  // --token …, also as two words of a list
  new RegExp(`((?<![\\w-])--?[\\w-]{0,64}${NAMES}(?:${GAP}|:)+)${VALUE}`, 'gi'),
  // -u user:password, --user=user:password
  new RegExp(
    `((?<![\\w-])(?:-u|--(?:proxy-)?user(?:name)?)${GAP}*[^\\s"',:=\\\\]{1,128}:)(?!//)${LOGIN_VALUE}`,
    'gi',
  ),
  // -pSECRET, and as a word of its own after a command that takes nothing else there
  new RegExp(`((?<![\\w-])-p(?!${LIKE_P}\\b)(?:\\\\?["'](?![\\s,\\])}"']))?)${VALUE}`, 'g'),
  new RegExp(`(\\bsshpass${GAP}+-p${GAP}+)${VALUE}`, 'g'),
  // API_KEY=…, password: …
  new RegExp(`((?<![\\w-])[\\w-]{0,64}${NAMES}["']?\\s*[=:]\\s*\\\\?["']?)${SETTING}`, 'gi'),
  // What services begin their keys with
  /()(?:\b|(?<=%[\dA-F]{2}))(?:sk|pk|rk|ghp|gho|ghs|ghu|github_pat|glpat|xox[abeprs]|xapp|hf|AKIA|AIza)[-_]?[A-Za-z0-9_-]{12,}/g,
  // A Telegram bot token
  /()(?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,}/g,
];

/** A word, or a path. */
const LONG_WORD = /[\w+=/.-]{32,}/g;
/** With letters and digits in it: no word of a language, and no path. */
const RANDOM = /^[\w+=-]{32,}\.?$/;
/** Where a value begins in a word: `NAME=VALUE`. */
const VALUE_BEGIN = /(?<==)(?=[^=])/;

/** The text with `***` in place of what looks like a secret; of a longer one no more than `charsMax` is looked at and kept. */
export function withoutSecrets(text: string, charsMax: number = LOOKED_AT_CHARS_MAX): string {
  const known = SECRETS.reduce((rest, pattern) => rest.replace(pattern, `$1${HIDDEN}`), cut(text, charsMax));
  return known.replace(LONG_WORD, (word) => word.split(VALUE_BEGIN).map(unlessRandom).join(''));
}

/**
 * What in a text looks like a secret that was made, not chosen: of twelve characters at least, with letters and digits.
 * An ordinary word behind `--token` is none, nor is a variable.
 */
export function madeSecretsIn(text: string): string[] {
  const found: string[] = [];
  for (const pattern of SECRETS) {
    for (const [whole, before = ''] of cut(text).matchAll(pattern)) {
      const value = whole.slice(before.length).replace(SHELL_END, '');
      if (MADE.test(value)) found.push(value, ...value.split(':').filter((part) => MADE.test(part)));
    }
  }
  return [...new Set(found)];
}

/** What ends a word for a shell, and is no part of it. */
const SHELL_END = /[;&|)]+$/;

const MADE = /^(?=.*[A-Za-z])(?=.*\d)[^\s$]{12,}$/;

/** True when the name of a key says that its value is a secret itself, not the variable that holds it. */
export function namesSecret(key: string): boolean {
  return SECRET_NAME.test(key);
}

const SECRET_NAME = new RegExp(`${NAMES}$`, 'i');

/**
 * The same of a key in a configuration, for what is told of it. More is hidden there: several of them, and what goes into
 * the head of a request.
 */
export function namesSecretValue(key: string): boolean {
  return SECRET_VALUE_NAME.test(key);
}

const SECRET_VALUE_NAME = new RegExp(`(?:${NAMES}s?|auth|authorization|cookies?|headers?)$`, 'i');

/** True for the name of a key below which names of environment variables belong: people write values there. */
export function namesVariables(key: string): boolean {
  return /^(?:.*_)?env$/i.test(key);
}

/** Half of a secret may not look like one. */
function cut(text: string, charsMax = LOOKED_AT_CHARS_MAX): string {
  if (text.length <= charsMax) return text;
  let end = charsMax;
  while (end > 0 && /\S/.test(text[end - 1] ?? '')) end -= 1;
  return `${text.slice(0, end)}…`;
}

const unlessRandom = (word: string): string =>
  RANDOM.test(word) && /\d/.test(word) && /[A-Za-z]/.test(word) ? HIDDEN : word;
