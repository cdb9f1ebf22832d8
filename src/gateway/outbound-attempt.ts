/**
 * One attempt at the platform, within its time: to send a message, to ask whether one arrived. Whatever the platform
 * does, each comes to an end, and never rejects.
 */
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Outbound } from '../messages/outbound.ts';
import { type Platform, SendFailure, type SendTrouble } from '../platforms/platform.ts';
import type { Happening } from './delivery-policy.ts';

/** How long one attempt may take. */
const SEND_MS_MAX = 30_000;

/** How long a platform may take to say what became of an attempt that was ended. */
const LAST_WORD_MS_MAX = 1000;

/** How an attempt ended. */
export interface Ending {
  readonly happening: Happening;
  /** Why, for anything but an arrival. */
  readonly error: string | null;
  /** For `wait`: for how long, milliseconds. */
  readonly retryAfterMs?: number;
  /** What the platform calls the message that arrived. */
  readonly platformSentId?: string;
}

export interface AttemptOptions {
  readonly platform: Platform;
  readonly clock: Clock;
  /** Ends it early. */
  readonly stop: AbortSignal;
}

const HAPPENING: Readonly<Record<SendTrouble, Happening>> = {
  'not-sent': 'not-sent',
  unknown: 'cut',
  wait: 'wait',
  format: 'format',
  gone: 'gone',
};

/** Sends it. One whose time is over, or that was ended, is one whose end nobody saw. */
export function sendOnce(outbound: Outbound, options: AttemptOptions): Promise<Ending> {
  const cut: Ending = { happening: 'cut', error: 'it was not known in time whether it had arrived' };
  return within(options, cut, async (signal) => {
    try {
      const receipt = await options.platform.send(outbound, signal);
      const platformSentId = receipt?.platformSentId;
      return { happening: 'sent', error: null, ...(platformSentId === undefined ? {} : { platformSentId }) };
    } catch (error) {
      if (error instanceof SendFailure) return failed(error);
      // It was ended while it was under way, and the platform does not say how far it had come.
      return { happening: signal.aborted ? 'cut' : 'not-sent', error: messageOf(error) };
    }
  });
}

/** Asks whether it has arrived. */
export function askOnce(outbound: Outbound, options: AttemptOptions): Promise<Ending> {
  const late: Ending = {
    happening: 'not-asked',
    error: 'its platform did not say in time whether it had arrived',
  };
  return within(options, late, async (signal) => {
    try {
      const found = (await options.platform.reconcile?.(outbound, signal)) ?? 'unknown';
      if (found === 'delivered') return { happening: 'found-delivered', error: null };
      if (found === 'absent') return { happening: 'found-absent', error: 'it had not arrived' };
      return { happening: 'not-known', error: 'its platform does not know whether it had arrived' };
    } catch (error) {
      return { happening: 'not-asked', error: messageOf(error) };
    }
  });
}

function failed({ trouble, message, retryAfterMs }: SendFailure): Ending {
  // A wait of no length is a failure like any other: to try again at once is what the platform does not want.
  if (trouble === 'wait' && !(retryAfterMs !== undefined && retryAfterMs > 0)) {
    return { happening: 'not-sent', error: message };
  }
  return {
    happening: HAPPENING[trouble],
    error: message,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** What `work` comes to; `late` where it ignores that its time is over. */
async function within(
  { clock, stop }: AttemptOptions,
  late: Ending,
  work: (signal: AbortSignal) => Promise<Ending>,
): Promise<Ending> {
  const limit = new AbortController();
  const silent = Promise.withResolvers<Ending>();
  const signal = AbortSignal.any([limit.signal, stop]);
  using timers = new DisposableStack();
  timers.use(clock.timer(SEND_MS_MAX, () => limit.abort()));
  const end = () => timers.use(clock.timer(LAST_WORD_MS_MAX, () => silent.resolve(late)));
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  timers.defer(() => signal.removeEventListener('abort', end));
  return await Promise.race([work(signal), silent.promise]);
}
