/**
 * What has become of a message so far, as its row has to say it: that of one which was handed in without a row gets one
 * later, and a death must not hide from the next life that it may have arrived, nor how long its platform wants it left
 * alone. Pure.
 */
import type { OpenState } from './delivery-policy.ts';
import type { Mark } from './outbound-marks.ts';

export type Unsent = Extract<Mark, { op: 'unsent' }>;

/** What a letter knows of its attempts. */
interface Attempted {
  readonly state: OpenState;
  readonly marked: boolean;
  /** Attempts whose end nobody saw. */
  readonly cuts: number;
  readonly unsent: Unsent | null;
}

export interface SoFar {
  readonly state: OpenState;
  /** It was sent once more after an attempt that may have reached its reader. */
  readonly mayBeTwice: boolean;
  /** Of `pending`: how its last attempt failed, and until when it waits; null: it was not tried. */
  readonly unsent: Unsent | null;
}

/** A claim, as the marks say it. */
export type Claim = Omit<Extract<Mark, { op: 'sending' }>, 'op' | 'id'>;

/** As it is now: a letter goes on changing. */
export function soFarOf({ state, marked, cuts, unsent }: Attempted): SoFar {
  // Marked for its next attempt alone, it has not been sent a second time yet.
  const isFirst = state === 'unknown' && cuts <= 1;
  return { state, mayBeTwice: marked && !isFirst, unsent };
}

/** The marks that bring a new row there. Its attempts are not counted up: at least one says that there were any. */
export function marksSoFar(id: string, { state, mayBeTwice, unsent }: SoFar, { life, at }: Claim): Mark[] {
  const claim: Mark = { op: 'sending', id, life, at };
  // A claim over one whose end nobody saw is what says that it may come twice.
  const claims = mayBeTwice ? [claim, claim] : [claim];
  switch (state) {
    case 'pending':
      return unsent === null ? [] : [...claims, unsent];
    case 'sending':
      return claims;
    case 'unknown': {
      const error = 'nobody saw whether it had arrived';
      return [...claims, { op: 'outbound.end', id, at, state, error }];
    }
  }
}
