/**
 * Watches over a store that cannot be written: raises `store` when that begins, tries again every second, and
 * clears it when it is over. A start that could not open the store is finished here as soon as it can be.
 */
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { storeLocked } from '../messages/replies.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';

const PROBE_PERIOD_MS = 1000;

export interface StoreWatchOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly down: () => void;
  /** The store can be written; what a start left undone comes first. */
  readonly back: () => Promise<void>;
}

export class StoreWatch implements Disposable {
  readonly #options: StoreWatchOptions;
  readonly #heartbeat: Disposable;
  #isDown = false;
  #probing = false;

  constructor(options: StoreWatchOptions) {
    this.#options = options;
    this.#heartbeat = options.clock.every(PROBE_PERIOD_MS, () => void this.#probe());
  }

  /** The store has failed: turns are refused from now on. */
  down(reason: string): void {
    if (this.#isDown) return;
    this.#isDown = true;
    this.#options.log.error(
      { reason },
      'the store cannot be written: commands run unrecorded, turns are refused',
    );
    this.#options.down();
  }

  [Symbol.dispose](): void {
    this.#heartbeat[Symbol.dispose]();
  }

  async #probe(): Promise<void> {
    // A store that failed before anybody watched, at its opening, told nobody.
    const { writable, obstacle } = this.#options.store;
    if (!writable) this.down(obstacle === 'lock' ? storeLocked() : 'nothing can be written');
    if (!this.#isDown || this.#probing) return;
    this.#probing = true;
    try {
      if (!(await this.#options.store.probe())) return;
      await this.#options.back();
      // It may have failed again by what was written since; then nothing is back.
      if (!this.#options.store.writable) return;
      this.#isDown = false;
      this.#options.log.info('the store can be written again');
    } catch (error) {
      this.#options.log.warn({ error: messageOf(error) }, 'the store could not be taken up again');
    } finally {
      this.#probing = false;
    }
  }
}
