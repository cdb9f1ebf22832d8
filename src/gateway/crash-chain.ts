/**
 * What the times at which earlier lives died come to: whether this life starts in safe mode, and which incident a
 * death belongs to. Pure; the times are in the store, so that they are counted across lives.
 */
import type { Death, SafeModeMark } from '../store/records.ts';

/** `safe_mode`: so many deaths within so long, or so many slower ones; null: it is off. Milliseconds. */
export interface SafeModeRules {
  readonly deaths: number;
  readonly withinMs: number;
  readonly slowDeaths: number;
  readonly slowWithinMs: number;
  /** After so long without a death it is over. */
  readonly quietMs: number;
}

/** What a start knows of deaths and of safe mode. `now`: wall milliseconds. */
export interface SafeModeFacts {
  /** In any order. */
  readonly deaths: readonly Death[];
  /** The last life that was in safe mode. */
  readonly mark: SafeModeMark | undefined;
  readonly rules: SafeModeRules;
  readonly now: number;
}

/** True when this start is without turns: safe mode goes on until it is left, and no death before that counts again. */
export function startsInSafeMode({ deaths, mark, rules, now }: SafeModeFacts): boolean {
  if (mark?.mode === 'on') return true;
  const counted = deaths.filter(({ life }) => mark === undefined || life >= mark.life);
  return isCrashLoop(
    counted.map(({ at }) => at),
    rules,
    now,
  );
}

/** True when the gateway died so often of late that it shall start without turns. `deaths`: when, in any order. */
export function isCrashLoop(deaths: readonly number[], rules: SafeModeRules, now: number): boolean {
  const since = (ms: number) => deaths.filter((at) => now - at <= ms).length;
  return since(rules.withinMs) >= rules.deaths || since(rules.slowWithinMs) >= rules.slowDeaths;
}

/**
 * The name of the incident that the last death belongs to: deaths with no more than the quiet time between one and the next
 * are one incident, named after its first, however many follow. Their order is that of the lives, for a clock may be set
 * between two of them: one that was set back by more than the quiet time ends an incident, as one that was set forward does,
 * for nobody knows how long ago the death before was. Undefined without a death.
 */
export function crashIncident(deaths: readonly Death[], quietMs: number): string | undefined {
  const [last, ...earlier] = [...deaths].sort((a, b) => b.life - a.life);
  if (last === undefined) return undefined;
  let first = last;
  for (const death of earlier) {
    if (Math.abs(first.at - death.at) > quietMs) break;
    first = death;
  }
  return `crash:${first.life}`;
}
