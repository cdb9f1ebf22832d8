/**
 * Sends one message to the gateway and follows it to its outcome, over a restart if it has to: the same id
 * asked again answers with the first outcome and does nothing twice.
 */
import type { Clock } from '../clock.ts';
import type { ControlClient, ControlReply } from '../control/client.ts';
import { isSluiceError, SluiceError } from '../errors.ts';
import { isAbsence } from './departure.ts';
import { OWNERLESS_MS_MAX, Ownerless } from './ownerless.ts';

export interface MessageBody {
  readonly text: string;
  readonly id: string;
  readonly conversation?: string;
  readonly agent?: string;
  /** What becomes of a turn that a leaving gateway does not take: with `queue` it is kept. */
  readonly whenBusy?: 'queue';
  /** It may become an exec command and nothing else. */
  readonly only?: 'exec';
  /** Wall milliseconds after which the gateway must not begin it. */
  readonly deadlineAt?: number;
}

export interface Followed {
  readonly admission: Record<string, unknown> | undefined;
  readonly settled: Record<string, unknown> | undefined;
  /** What the gateway answered instead of taking the message. */
  readonly refusal: ControlReply | undefined;
}

export interface FollowOptions {
  readonly control: ControlClient;
  readonly clock: Clock;
  readonly onAdmission: (admission: Record<string, unknown>) => void;
  readonly onDelta: (text: string) => void;
  readonly onReply: (text: string) => void;
  /** The stream broke off: what was said until it is there again is missing from the deltas. */
  readonly onBreak?: () => void;
  /** Returns after the admission. */
  readonly admissionOnly: boolean;
  /** How long until the admission must be there; then NO_ANSWER. */
  readonly admissionMs: number;
  /** How long until the outcome must be there; then NOT_DONE. */
  readonly timeoutMs: number;
  /** True while a gateway lives that may only be without its socket just now; absent: none is waited for. */
  readonly comesBack?: () => boolean;
  /** False while nobody owns the home whose message was decided; then it counts for how long. Absent: it does not. */
  readonly isOwned?: () => boolean;
  /** Ends the following, which resolves with what is known by then. */
  readonly signal?: AbortSignal;
}

/** Between two attempts to reach a gateway that is restarting. */
const RECONNECT_MS = 200;

/** How long a gateway may be away before following gives up. */
const AWAY_MS_MAX = 120_000;

/** How long one that lives may be without its socket before a first message gives up. */
const UNREACHABLE_MS_MAX = 10_000;

/**
 * Rejects with NO_GATEWAY when there was none to begin with, with NO_ANSWER when none decides in time, with NOT_DONE when
 * what was decided has no outcome in time, and with GATEWAY_DIED when the gateway that decided is dead and none follows it.
 */
export async function followMessage(body: MessageBody, options: FollowOptions): Promise<Followed> {
  const { clock, signal } = options;
  const endsAt = clock.monotonicMs() + options.timeoutMs;
  let followed: Followed = { admission: undefined, settled: undefined, refusal: undefined };
  let awaySince: number | undefined;
  const ownerless = new Ownerless(clock, options.isOwned ?? (() => true));
  for (;;) {
    try {
      followed = await attempt(body, options, followed, endsAt);
      if (followed.settled ?? followed.refusal) return followed;
      if (signal?.aborted) return followed;
      if (options.admissionOnly && followed.admission) return followed;
      awaySince = undefined;
      ownerless.reached();
      options.onBreak?.();
    } catch (error) {
      if (!isSluiceError(error) || error.code === 'SENDER_GAVE_UP') throw error;
      options.onBreak?.();
      // Before the admission there is nothing to come back for, unless the gateway is between two lives.
      // One that closes may cut a connection whose message it has not answered: the same id is safe to send again.
      const between = isAbsence(error) && options.comesBack?.() === true;
      const awayMs = awaySince === undefined ? 0 : clock.monotonicMs() - awaySince;
      if (followed.admission === undefined && !(between && awayMs < UNREACHABLE_MS_MAX)) throw error;
    }
    const now = clock.monotonicMs();
    awaySince ??= now;
    if (now >= endsAt)
      throw followed.admission === undefined ? unanswered() : stillOpen(body, followed, options);
    if (now - awaySince > AWAY_MS_MAX) throw new SluiceError('NO_GATEWAY', 'the gateway has not come back');
    if (ownerless.isForGood()) throw died();
    await clock.delay(RECONNECT_MS, signal);
    if (signal?.aborted) return followed;
  }
}

const died = (): SluiceError =>
  new SluiceError('GATEWAY_DIED', `the gateway died, and none follows it for ${OWNERLESS_MS_MAX / 1000} s`);

async function attempt(
  body: MessageBody,
  options: FollowOptions,
  before: Followed,
  endsAt: number,
): Promise<Followed> {
  const { control, clock } = options;
  let { admission, settled } = before;
  let said = '';
  const stop = new AbortController();
  const ended = options.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, options.signal]);
  let late: 'outcome' | 'admission' | undefined;
  const giveUpOn = (what: 'outcome' | 'admission') => () => {
    late = what;
    stop.abort();
  };
  using _ = clock.timer(endsAt - clock.monotonicMs(), giveUpOn('outcome'));
  using admissionTimer = clock.timer(options.admissionMs, giveUpOn('admission'));
  const refusal = await control.stream('/v1/messages', body, {
    signal: ended,
    onEvent: ({ event, data }) => {
      if (event === 'admission') {
        admissionTimer[Symbol.dispose]();
        if (admission?.admission !== data.admission) options.onAdmission(data);
        admission = data;
        if (options.admissionOnly) stop.abort();
      }
      if (options.admissionOnly) return;
      if (event === 'delta') options.onDelta(String(data.text));
      if (event === 'reply') {
        said = String(data.text);
        options.onReply(said);
      }
      if (event === 'settled') settled = data;
      // It has no outcome until a person sends /resume, which may be never.
      if (event === 'awaiting') {
        if (data.text !== said) options.onReply(String(data.text));
        settled = { ...data, outcome: null };
      }
      if (settled !== undefined) stop.abort();
    },
  });
  const isDecided = admission !== undefined && late === 'outcome';
  if (late !== undefined && settled === undefined && !isDecided) {
    throw unanswered();
  }
  return { admission, settled, refusal };
}

const unanswered = (): SluiceError => new SluiceError('NO_ANSWER', 'the gateway did not answer in time');

/** It was decided, and goes on whether somebody waits or not. */
function stillOpen({ id }: MessageBody, { admission }: Followed, { timeoutMs }: FollowOptions): SluiceError {
  const state = admission?.admission === 'hold' ? 'kept, and not answered' : 'still working';
  return new SluiceError('NOT_DONE', `${state} after ${timeoutMs / 1000} s`, {
    hint: `The answer is kept: to hear it, send the same again with --id ${id}`,
  });
}
