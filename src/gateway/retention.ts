/**
 * Deletes what was settled long ago, a few rows at a time, so that the file stays bounded and nobody feels it. An id
 * that comes again after that is a new message.
 */
import type { Clock } from '../clock.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import { logUnlessOutage } from './unexpected.ts';

/** Messages that one step deletes, with all that belongs to them; each step holds up everything else meanwhile. */
export const PRUNED_AT_ONCE_MAX = 100;

/** Between two steps while there is more to delete. */
export const PRUNE_STEP_MS = 1000;

/** Between two looks when there was nothing left. */
export const PRUNE_PERIOD_MS = 10 * 60_000;

export interface RetentionOptions {
  readonly store: Pick<Store, 'prune' | 'writable'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly retentionMs: () => number;
}

export class Retention implements Disposable {
  readonly #options: RetentionOptions;
  #timer: Disposable;
  #disposed = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#timer = options.clock.timer(PRUNE_STEP_MS, () => void this.#step());
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#timer[Symbol.dispose]();
  }

  async #step(): Promise<void> {
    const waitMs = (await this.#prune()) > 0 ? PRUNE_STEP_MS : PRUNE_PERIOD_MS;
    if (this.#disposed) return;
    this.#timer = this.#options.clock.timer(waitMs, () => void this.#step());
  }

  async #prune(): Promise<number> {
    const { store, clock, log, retentionMs } = this.#options;
    if (!store.writable) return 0;
    try {
      return await store.prune(clock.wallMs() - retentionMs(), PRUNED_AT_ONCE_MAX);
    } catch (error) {
      logUnlessOutage(log, error, 'old messages could not be deleted');
      return 0;
    }
  }
}
