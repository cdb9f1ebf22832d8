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

/** Takes secrets out of a text that comes in pieces. */
export interface Pieces {
  /** What of the text so far may be shown and was not yet: what may be the beginning of a secret waits. */
  next(piece: string): string;
  /** What still waited: no further piece comes. */
  rest(): string;
}

export class Secrets {
  /** Each in every form; the longest first, so that one that begins another leaves no rest of that. */
  #forms: readonly string[] = [];
  /** The same as they stand in a text of JSON. */
  #inJson: readonly string[] = [];
  /** How each form may begin, by the last character of that beginning; the longest first. */
  #beginnings: ReadonlyMap<string, readonly string[]> = new Map();

  /** From now on these values are taken out wherever they stand. */
  add(...values: readonly string[]): void {
    const forms = new Set(this.#forms);
    for (const value of values) {
      if (value.length >= SECRET_CHARS_MIN) for (const form of formsOf(value)) forms.add(form);
    }
    if (forms.size === this.#forms.length) return;
    this.#forms = [...forms].toSorted((a, b) => b.length - a.length);
    this.#inJson = this.#forms.map(inJson);
    const beginnings = this.#forms.flatMap((form) =>
      Array.from({ length: form.length - 1 }, (_, index) => form.slice(0, index + 1)),
    );
    this.#beginnings = Map.groupBy(
      beginnings.toSorted((a, b) => b.length - a.length),
      (beginning) => beginning.at(-1) ?? '',
    );
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

  /** For a text that comes in pieces: a secret that is cut by them is found, too. */
  pieces(): Pieces {
    let kept = '';
    return {
      next: (piece) => {
        const text = kept + piece;
        const end = this.#certainIn(text);
        kept = text.slice(end);
        return this.redact(text.slice(0, end));
      },
      rest: () => {
        const last = this.redact(kept);
        kept = '';
        return last;
      },
    };
  }

  /** How many characters of a text no later piece can make a part of a secret. */
  #certainIn(text: string): number {
    const begun = this.#beginnings.get(text.at(-1) ?? '')?.find((beginning) => text.endsWith(beginning));
    if (begun === undefined) return text.length;
    let end = text.length - begun.length;
    // A whole secret may reach into what may be the beginning of another one: it is kept together.
    for (let moved = true; moved; ) {
      moved = false;
      for (const form of this.#forms) {
        const from = Math.max(0, end - form.length + 1);
        const at = text.slice(from, end + form.length - 1).indexOf(form);
        if (at < 0) continue;
        end = from + at;
        moved = true;
      }
    }
    return end;
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
