/**
 * What becomes of a message that goes out: its state and what happened to it, to the state it is in from then on and
 * what is done next. Pure: nothing here sends, writes or knows the time.
 *
 * Two rules stand behind the table. A message is repeated without a mark only when it is certain that it did not
 * arrive, or when its platform recognises it; whoever gets one twice is told so. And what kept it back without its
 * platform having refused it (no link, a wait that the platform names, a store that takes no claim, a gateway that
 * leaves) is no attempt.
 */
import type { OutboundState } from '../store/records.ts';

/** The states that a message can still leave. */
export type OpenState = Exclude<OutboundState, 'delivered' | 'dead'>;

/**
 * - `sent`, `not-sent`, `cut` (nobody knows), `wait`, `format`, `gone`: how an attempt ended.
 * - `orphaned`: whoever had claimed it is dead, or it comes from such a life as `unknown`.
 * - `found-delivered`, `found-absent`, `not-known`: what its platform answered when it was asked; `not-asked`: the
 *   question did not get through.
 * - `too-old`, `discarded`: nobody wants it any more.
 * - `link-lost`, `leaving`: it was about to be sent, and cannot be now.
 * - `unclaimed`: the same, because it could not be put on disk that it is being sent.
 */
export type Happening =
  | 'sent'
  | 'not-sent'
  | 'cut'
  | 'wait'
  | 'format'
  | 'gone'
  | 'orphaned'
  | 'found-delivered'
  | 'found-absent'
  | 'not-known'
  | 'not-asked'
  | 'too-old'
  | 'discarded'
  | 'link-lost'
  | 'leaving'
  | 'unclaimed';

/** What the answer depends on besides. */
export interface Circumstances {
  /** Its platform recognises a message that is sent again. */
  readonly sendsOnce: boolean;
  /** Its platform can be asked whether it arrived. */
  readonly canAsk: boolean;
  /** It was sent as plain text already. */
  readonly plain: boolean;
  /** Attempts so far whose end nobody saw, the one that has just ended among them. */
  readonly cuts: number;
}

/** When it goes on: `ask` asks the platform first, at once; `link`, `store` and `next-start` wait for those. */
export type Next =
  | 'never'
  | 'at-once'
  | 'backoff'
  | 'named-wait'
  | 'ask'
  | 'ask-later'
  | 'link'
  | 'store'
  | 'next-start';

export interface Step {
  readonly state: OutboundState;
  readonly next: Next;
  /** Whether it counts as an attempt. */
  readonly counts: boolean;
  /** From now on it is sent like this: as plain text, or with the mark that it may come twice. */
  readonly as?: 'plain' | 'marked';
  /** Its conversation is not there: what follows in it is not tried either. */
  readonly parks?: true;
}

/** A message is given up after this many attempts whose end nobody saw: each of them may have reached its reader. */
export const UNKNOWN_ATTEMPTS_MAX = 5;

/** A message that could not be sent for this long is dead: its answer is of no use any more. */
export const OUTBOX_AGE_MS_MAX = 24 * 60 * 60 * 1000;

const BACKOFF_MS_FIRST = 1000;

/** The longest wait between two attempts at one message, but for a wait that its platform names. */
export const BACKOFF_MS_MAX = 60_000;

type Rule = Step | ((circumstances: Circumstances) => Step);

const DELIVERED: Step = { state: 'delivered', next: 'never', counts: false };
const DEAD: Step = { state: 'dead', next: 'never', counts: false };

/** Nobody saw whether it arrived. */
const uncertain =
  (next: 'at-once' | 'backoff', counts: boolean) =>
  ({ sendsOnce, canAsk }: Circumstances): Step => {
    if (sendsOnce) return { state: 'pending', next, counts };
    if (canAsk) return { state: 'unknown', next: next === 'backoff' ? 'ask-later' : 'ask', counts };
    return { state: 'unknown', next, counts, as: 'marked' };
  };

const cut = (circumstances: Circumstances): Step => {
  const { sendsOnce, canAsk, cuts } = circumstances;
  const isRepeatable = sendsOnce || canAsk || cuts < UNKNOWN_ATTEMPTS_MAX;
  return isRepeatable ? uncertain('backoff', true)(circumstances) : { ...DEAD, counts: true };
};

/** What is not named here cannot happen in that state, and changes nothing. */
const TABLE: Readonly<Record<OpenState, Readonly<Partial<Record<Happening, Rule>>>>> = {
  pending: {
    'too-old': DEAD,
    discarded: DEAD,
    'link-lost': { state: 'pending', next: 'link', counts: false },
    leaving: { state: 'pending', next: 'next-start', counts: false },
    unclaimed: { state: 'pending', next: 'store', counts: false },
  },
  sending: {
    sent: { ...DELIVERED, counts: true },
    'not-sent': { state: 'pending', next: 'backoff', counts: true },
    cut,
    wait: { state: 'pending', next: 'named-wait', counts: false },
    format: ({ plain }) =>
      plain ? { ...DEAD, counts: true } : { state: 'pending', next: 'at-once', counts: true, as: 'plain' },
    gone: { ...DEAD, counts: true, parks: true },
    orphaned: uncertain('at-once', false),
    // Claimed, and not handed to its platform.
    'link-lost': { state: 'pending', next: 'link', counts: false },
    leaving: { state: 'pending', next: 'next-start', counts: false },
  },
  unknown: {
    orphaned: uncertain('at-once', false),
    'found-delivered': DELIVERED,
    'found-absent': { state: 'pending', next: 'at-once', counts: false },
    'not-known': { state: 'unknown', next: 'at-once', counts: false, as: 'marked' },
    'not-asked': { state: 'unknown', next: 'ask-later', counts: false },
    'too-old': DEAD,
    discarded: DEAD,
    'link-lost': { state: 'unknown', next: 'link', counts: false },
    leaving: { state: 'unknown', next: 'next-start', counts: false },
    unclaimed: { state: 'unknown', next: 'store', counts: false },
  },
};

/** Whether a message that was claimed was not tried after all: its claim is no attempt. */
export const isDeferral = (happening: Happening): boolean =>
  happening === 'wait' || happening === 'link-lost' || happening === 'leaving';

/** Null: that changes nothing. */
export function stepFor(state: OpenState, happening: Happening, circumstances: Circumstances): Step | null {
  const rule = TABLE[state][happening];
  return typeof rule === 'function' ? rule(circumstances) : (rule ?? null);
}

/**
 * Milliseconds until the next attempt after so many failed ones in a row (from 1): 1 s, 2 s, 4 s … up to the limit.
 * `chance`, a number in [0, 1), takes up to half of it away, so that not all conversations come back at one moment.
 */
export function backoffMs(failures: number, chance: number): number {
  const wholeMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_FIRST * 2 ** (failures - 1));
  return Math.round((wholeMs * (2 - chance)) / 2);
}
