/**
 * When a server that refused wants to be asked again, from its headers. Pure. Read in this order: `retry-after-ms`,
 * `retry-after` (seconds, or a date), `x-ratelimit-reset-requests` and `-tokens` (`20ms`, `6m0s`; of OpenAI and Groq),
 * `x-ratelimit-reset` (a time in seconds or milliseconds, as OpenRouter sends it, or the seconds that are left).
 */

export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A time further away than this is taken for a mistake. */
const WAIT_MS_MAX = 86_400_000;

/** Below this a number of seconds is a span, above it a time since 1970; and then the same for milliseconds. */
const EPOCH_SECONDS_MIN = 1_000_000_000;
const EPOCH_MS_MIN = 1_000_000_000_000;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** In wall milliseconds, at `nowMs` or later; undefined where no header says it in a way that can be right. */
export function resetAtMs(headers: Headers, nowMs: number): number | undefined {
  const read = (name: string): string => String(headers[name] ?? '').trim();
  const candidates = [
    inMs(number(read('retry-after-ms')), nowMs),
    inMs(thousandfold(number(read('retry-after'))), nowMs),
    dateMs(read('retry-after')),
    limitResetMs(read, nowMs),
    momentMs(number(read('x-ratelimit-reset')), nowMs),
  ];
  const atMs = candidates.find((each) => each !== undefined && each >= nowMs && each <= nowMs + WAIT_MS_MAX);
  return atMs === undefined ? undefined : Math.round(atMs);
}

/** Of the limits that are used up the one that is reset last; of all of them where none says that it is. */
function limitResetMs(read: (name: string) => string, nowMs: number): number | undefined {
  const limits = ['requests', 'tokens'].map((what) => ({
    isUsedUp: read(`x-ratelimit-remaining-${what}`) === '0',
    resetMs: spanMs(read(`x-ratelimit-reset-${what}`)),
  }));
  const usedUp = limits.filter(({ isUsedUp }) => isUsedUp);
  const resets = (usedUp.length > 0 ? usedUp : limits).flatMap(({ resetMs }) => resetMs ?? []);
  return resets.length === 0 ? undefined : nowMs + Math.max(...resets);
}

/** `1s`, `6m0s`, `2m59.56s`, `20ms`; a bare number is seconds. */
function spanMs(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return thousandfold(number(text));
  let spanMs = 0;
  for (const [, count, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    spanMs += Number(count) * (UNIT_MS[unit] ?? 0);
  }
  return spanMs;
}

function momentMs(value: number | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (value >= EPOCH_MS_MIN) return value;
  return value >= EPOCH_SECONDS_MIN ? value * 1000 : nowMs + value * 1000;
}

/** Only what looks like a date: `Date.parse` makes a year of a number. */
function dateMs(text: string): number | undefined {
  const parsed = /^[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(parsed) ? undefined : parsed;
}

const number = (text: string): number | undefined => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined);

const thousandfold = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : value * 1000;

const inMs = (span: number | undefined, nowMs: number): number | undefined =>
  span === undefined ? undefined : nowMs + span;
