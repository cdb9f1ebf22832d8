/** Moments as a person reads them: local time, in an order that sorts. Pure but for the time zone. */

const CHARS = { second: 19, millisecond: 23 } as const;

/** The last moment that is told as one: a platform may say anything, and a `Date` does not hold more. */
const LAST_MOMENT_MS = 8e15;

/** `2026-11-21 08:41:02` or `2026-11-21 08:41:02.123`. `at`: wall milliseconds. */
export function momentOf(at: number, to: keyof typeof CHARS = 'millisecond'): string {
  if (Math.abs(at) > LAST_MOMENT_MS) return String(at);
  const minutesWest = new Date(at).getTimezoneOffset();
  return new Date(at - minutesWest * 60_000).toISOString().replace('T', ' ').slice(0, CHARS[to]);
}
