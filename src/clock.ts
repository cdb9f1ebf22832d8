/**
 * The one owner of time. Deadlines use the monotonic clock, ages and rows the wall clock; tests hand in a
 * clock of their own, so nothing in the project sleeps to synchronise.
 */
export interface Clock {
  /** Wall time in milliseconds since the Unix epoch: for rows, ages and people. */
  wallMs(): number;
  /** Monotonic milliseconds from an arbitrary origin: for durations and deadlines. */
  monotonicMs(): number;
  /** Calls `fire` once after `delayMs`; disposing before that cancels it. A timer keeps the process alive. */
  timer(delayMs: number, fire: () => void): Disposable;
  /** Calls `fire` every `periodMs` until disposed. Does not keep the process alive. */
  every(periodMs: number, fire: () => void): Disposable;
  /** Resolves after `delayMs`, or at once (without throwing) when `signal` aborts. */
  delay(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** Longest delay Node's timers take; a longer one would fire at once. */
const TIMER_MS_MAX = 2_147_483_647;

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  timer(delayMs, fire) {
    const handle = setTimeout(fire, Math.min(Math.max(0, delayMs), TIMER_MS_MAX));
    return { [Symbol.dispose]: () => clearTimeout(handle) };
  },
  every(periodMs, fire) {
    const handle = setInterval(fire, periodMs);
    handle.unref();
    return { [Symbol.dispose]: () => clearInterval(handle) };
  },
  delay(delayMs, signal) {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(handle);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const handle = setTimeout(done, Math.min(Math.max(0, delayMs), TIMER_MS_MAX));
      signal?.addEventListener('abort', done, { once: true });
    });
  },
};
