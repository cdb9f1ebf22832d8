/**
 * What must never be printed: values that are known to be secrets, such as the control token, and whatever stands under
 * a key that names one. They are taken out of values, not out of their JSON: there a quote or a backslash is escaped, so
 * that a secret with one would be missed, and a number with a hole in it would make the line no JSON at all.
 */

/** Keys, in lower case, whose values never reach a log or a report, at any depth. */
const SECRET_KEYS = ['token', 'authorization', 'cookie', 'apikey', 'api_key', 'password', 'secret'];

const SECRET_KEY_IN_JSON = new RegExp(`"(?:${SECRET_KEYS.join('|')})":`, 'i');

/** A shorter value is left alone: it would redact ordinary words. */
const SECRET_CHARS_MIN = 8;

const REDACTED = '[redacted]';

export class Secrets {
  /** Each in every form; the longest first, so that one that begins another leaves no rest of that. */
  #forms: readonly string[] = [];
  /** The same as they stand in a text of JSON. */
  #inJson: readonly string[] = [];

  /** From now on this value is taken out wherever it stands. */
  add(value: string): void {
    if (value.length < SECRET_CHARS_MIN) return;
    this.#forms = [...new Set([...this.#forms, ...formsOf(value)])].toSorted((a, b) => b.length - a.length);
    this.#inJson = this.#forms.map(inJson);
  }

  /** The text without known secrets; not for JSON. */
  redact(text: string): string {
    let redacted = text;
    for (const form of this.#forms) redacted = redacted.replaceAll(form, REDACTED);
    return redacted;
  }

  /**
   * The same of a value of JSON: texts, keys, and numbers, which are taken out whole. `also` looks at each text and key
   * once more.
   */
  redactIn(value: unknown, also: (text: string) => string = asItIs): unknown {
    if (typeof value === 'string') return also(this.redact(value));
    if (typeof value === 'number') return this.#holdsOne(String(value)) ? REDACTED : value;
    if (Array.isArray(value)) return value.map((item) => this.redactIn(item, also));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, inner]) => [
      also(this.redact(key)),
      SECRET_KEYS.includes(key.toLowerCase()) ? REDACTED : this.redactIn(inner, also),
    ]);
    return Object.fromEntries(entries);
  }

  /** The same of one line of JSON with its line break. */
  redactLine(line: string): string {
    // Most lines hold none, and to take a line apart costs more than all the rest of logging it. JSON escapes one
    // character after the other: what a value holds stands in the line, escaped.
    const mayHoldOne = SECRET_KEY_IN_JSON.test(line) || this.#inJson.some((form) => line.includes(form));
    if (!mayHoldOne) return line;
    return `${JSON.stringify(this.redactIn(parsed(line)))}\n`;
  }

  #holdsOne(text: string): boolean {
    return this.#forms.some((form) => text.includes(form));
  }
}

/** As it is, and as a text has it that quotes it: as JSON, as a literal, as a part of an address. */
function formsOf(value: string): string[] {
  return [value, inJson(value), value.replaceAll('\\', '\\\\'), encodeURIComponent(value.toWellFormed())];
}

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);

/** A line that is no JSON, which nobody should have written, becomes the text of one. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return { level: 50, msg: line.trimEnd() };
  }
}

const asItIs = (text: string): string => text;
