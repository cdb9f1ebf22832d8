/** A clock that stands still until a test moves it. Wall and monotonic time run together, from different origins. */
import type { Clock } from '../../src/clock.ts';

interface Timer {
  atMs: number;
  readonly periodMs: number | undefined;
  readonly fire: () => void;
}

export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>();
  readonly #wallOriginMs: number;
  #nowMs = 0;

  constructor(wallOriginMs = 1_700_000_000_000) {
    this.#wallOriginMs = wallOriginMs;
  }

  wallMs(): number {
    return this.#wallOriginMs + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  timer(delayMs: number, fire: () => void): Disposable {
    return this.#add({ atMs: this.#nowMs + Math.max(0, delayMs), periodMs: undefined, fire });
  }

  every(periodMs: number, fire: () => void): Disposable {
    return this.#add({ atMs: this.#nowMs + periodMs, periodMs, fire });
  }

  delay(delayMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.timer(delayMs, resolve);
      signal?.addEventListener('abort', () => {
        timer[Symbol.dispose]();
        resolve();
      });
    });
  }

  /** Timers that have not fired and were not disposed. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time on; what falls due meanwhile fires in order, at its own moment, and promises get their turn. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      await settled();
      const next = [...this.#timers].sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#nowMs = next.atMs;
      if (next.periodMs === undefined) this.#timers.delete(next);
      else next.atMs += next.periodMs;
      next.fire();
    }
    this.#nowMs = endMs;
    await settled();
  }

  #add(timer: Timer): Disposable {
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }
}

/** Resolves when every promise that is ready by now, and what follows from it, has been gone on with. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
