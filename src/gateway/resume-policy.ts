/**
 * Whether a message whose turn was cut off is answered after all, and whether one that grew old while it was held
 * still is: by itself, when a person says so, or not. Pure tables over what the configuration wants.
 *
 * Anything automatic needs to know how old the message is: an age that cannot be known counts as old, because to
 * answer yesterday's question by itself is worse than to ask.
 */

/** `turns.resume`. */
export type ResumeMode = 'auto' | 'ask' | 'always' | 'never';

/** `turns.on_expired`. */
export type ExpiredMode = 'answer' | 'ask' | 'expire';

export interface ResumeRules {
  readonly resume: ResumeMode;
  /** Milliseconds after which a message is old. */
  readonly maxAgeMs: number;
  readonly onExpired: ExpiredMode;
}

/** How an interrupted message goes on; `end`: it settles as interrupted. */
export type Resumption = 'by-itself' | 'ask' | 'end';

/** What is known of a turn that was cut off. */
export interface CutOff {
  /** It may have changed something outside. */
  readonly effects: boolean;
  readonly receivedAt: number;
  /** Its conversation was in flight in too many deaths running. */
  readonly quarantined: boolean;
}

/** How a message goes on whose turn was cut off. `now`: wall milliseconds. */
export function resumptionOf(cut: CutOff, rules: ResumeRules, now: number): Resumption {
  if (rules.resume === 'never') return 'end';
  if (rules.resume === 'ask' || cut.quarantined || isOld(cut.receivedAt, rules.maxAgeMs, now)) return 'ask';
  return rules.resume === 'always' || !cut.effects ? 'by-itself' : 'ask';
}

/** What becomes of a message that was held until now: `answer` while it is young. */
export function agedHold(receivedAt: number, rules: ResumeRules, now: number): ExpiredMode {
  return isOld(receivedAt, rules.maxAgeMs, now) ? rules.onExpired : 'answer';
}

/** True past `maxAgeMs`, and for a time that cannot be: before there were clocks, or later than now. */
export function isOld(receivedAt: number, maxAgeMs: number, now: number): boolean {
  const ageMs = now - receivedAt;
  return receivedAt <= 0 || ageMs < -CLOCK_SKEW_MS_MAX || ageMs >= maxAgeMs;
}

/** What a clock may have been set back by without anybody minding. */
const CLOCK_SKEW_MS_MAX = 5000;
