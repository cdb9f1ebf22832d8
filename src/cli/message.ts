/**
 * Sends one message to the gateway and follows it to its outcome, over a restart if it has to: the same id
 * asked again answers with the first outcome and does nothing twice.
 */
import type { Clock } from '../clock.ts';
import type { ControlClient, ControlReply } from '../control/client.ts';
import { isSluiceError, SluiceError } from '../errors.ts';

export interface MessageBody {
  readonly text: string;
  readonly id: string;
  readonly conversation?: string;
  readonly agent?: string;
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
  /** Returns after the admission. */
  readonly admissionOnly: boolean;
  /** How long until the admission must be there; then NO_ANSWER. */
  readonly admissionMs: number;
  /** How long until the outcome must be there; then NO_ANSWER. */
  readonly timeoutMs: number;
  /** True while a gateway lives that may only be without its socket just now; absent: none is waited for. */
  readonly comesBack?: () => boolean;
}

/** Between two attempts to reach a gateway that is restarting. */
const RECONNECT_MS = 200;

/** How long a gateway may be away before following gives up. */
const AWAY_MS_MAX = 120_000;

/** How long one that lives may be without its socket before a first message gives up. */
const UNREACHABLE_MS_MAX = 10_000;

/** Rejects with NO_GATEWAY when there was none to begin with, and with NO_ANSWER past a limit. */
export async function followMessage(body: MessageBody, options: FollowOptions): Promise<Followed> {
  const { clock } = options;
  const endsAt = clock.monotonicMs() + options.timeoutMs;
  let followed: Followed = { admission: undefined, settled: undefined, refusal: undefined };
  let awaySince: number | undefined;
  for (;;) {
    try {
      followed = await attempt(body, options, followed, endsAt);
      if (followed.settled ?? followed.refusal) return followed;
      if (options.admissionOnly && followed.admission) return followed;
      awaySince = undefined;
    } catch (error) {
      if (!isSluiceError(error)) throw error;
      // Before the admission there is nothing to come back for, unless the gateway is between two lives.
      const between = error.code === 'NO_GATEWAY' && options.comesBack?.() === true;
      const awayMs = awaySince === undefined ? 0 : clock.monotonicMs() - awaySince;
      if (followed.admission === undefined && !(between && awayMs < UNREACHABLE_MS_MAX)) throw error;
    }
    const now = clock.monotonicMs();
    awaySince ??= now;
    if (now >= endsAt) throw new SluiceError('NO_ANSWER', 'no outcome within the time given');
    if (now - awaySince > AWAY_MS_MAX) throw new SluiceError('NO_GATEWAY', 'the gateway has not come back');
    await clock.delay(RECONNECT_MS);
  }
}

async function attempt(
  body: MessageBody,
  options: FollowOptions,
  before: Followed,
  endsAt: number,
): Promise<Followed> {
  const { control, clock } = options;
  let { admission, settled } = before;
  const stop = new AbortController();
  let late = false;
  const giveUp = () => {
    late = true;
    stop.abort();
  };
  const patienceMs = endsAt - clock.monotonicMs();
  using _ = clock.timer(patienceMs, giveUp);
  const admissionTimer = clock.timer(options.admissionMs, giveUp);
  const refusal = await control.stream('/v1/messages', body, {
    signal: stop.signal,
    onEvent: ({ event, data }) => {
      if (event === 'admission') {
        admissionTimer[Symbol.dispose]();
        if (admission?.admission !== data.admission) options.onAdmission(data);
        admission = data;
        if (options.admissionOnly) stop.abort();
      }
      if (event === 'delta') options.onDelta(String(data.text));
      if (event === 'reply') options.onReply(String(data.text));
      if (event === 'settled') settled = data;
    },
  });
  admissionTimer[Symbol.dispose]();
  if (late && settled === undefined) throw new SluiceError('NO_ANSWER', 'the gateway did not answer in time');
  return { admission, settled, refusal };
}
