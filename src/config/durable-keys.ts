/**
 * The keys that say how the gateway goes on after it left or died: what becomes of turns that were cut off and of
 * messages that grew old, when too many deaths make a start without turns, and how long what is settled is kept.
 */
import { z } from 'zod';
import { duration, keyed, wants, whole } from './fields.ts';
import { orOff } from './forms.ts';

export const RESUME_MODES = ['auto', 'ask', 'always', 'never'] as const;
export const EXPIRED_MODES = ['answer', 'ask', 'expire'] as const;

/** The longest time that messages wait, or stay after they are settled, a file may ask for. */
const KEPT_DAYS_MAX = 3650;

/** Most deaths that a file may ask for. */
const DEATHS_MAX = 1000;

/** The schema of `turns`. */
export function turnsSchema() {
  return keyed({
    resume: z
      .enum(RESUME_MODES, { error: wants('a way to resume', 'use auto, ask, always or never') })
      .default('auto'),
    max_age: duration({ zero: false, daysMax: KEPT_DAYS_MAX }).prefault('24h'),
    on_expired: z
      .enum(EXPIRED_MODES, { error: wants('what to do with old messages', 'use answer, ask or expire') })
      .default('ask'),
  });
}

/** The schema of `safe_mode`. */
export function safeModeSchema() {
  const rules = keyed({
    deaths: whole(2, DEATHS_MAX).default(5),
    within: duration({ zero: false }).prefault('60s'),
    slow_deaths: whole(2, DEATHS_MAX).default(8),
    slow_within: duration({ zero: false }).prefault('30m'),
    quiet: duration({ zero: false }).prefault('2m'),
  });
  return orOff(rules, wants('a safe mode', 'write its keys below it, one a line, indented, or off'));
}

/** The schema of `store`. */
export function storeSchema() {
  return keyed({ retention: duration({ zero: false, daysMax: KEPT_DAYS_MAX }).prefault('30d') });
}
