/**
 * Watches over a store that cannot be written: raises `store` when that begins, tries again every second, and
 * clears it when it is over. A start that could not open the store is finished here as soon as it can be; what fails
 * then by anything but the store would fail each time, so it ends the gateway as it would have ended the start.
 */
import type { Clock } from '../clock.ts';
import { isSluiceError, messageOf } from '../errors.ts';
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
  /** `back` failed by a defect: nothing is tried any more. */
  readonly failed: (error: unknown) => void;
}

export class StoreWatch implements Disposable {
  readonly #options: StoreWatchOptions;
  readonly #heartbeat: Disposable;
  #isDown = false;
  #probing: Promise<void> | undefined;

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

  /** Tries now, for whoever cannot wait for the next second. Resolves at once while nothing is wrong. Never rejects. */
  async look(): Promise<void> {
    // One that is under way may have looked too early.
    await this.#probing;
    await this.#probe();
  }

  #probe(): Promise<void> {
    // A store that failed before anybody watched, at its opening, told nobody.
    const { writable, obstacle } = this.#options.store;
    if (!writable) this.down(obstacle === 'lock' ? storeLocked() : 'nothing can be written');
    if (!this.#isDown) return Promise.resolve();
    this.#probing ??= this.#tryAgain().finally(() => {
      this.#probing = undefined;
    });
    return this.#probing;
  }

  async #tryAgain(): Promise<void> {
    try {
      if (!(await this.#options.store.probe())) return;
      await this.#options.back();
      // It may have failed again by what was written since; then nothing is back.
      if (!this.#options.store.writable) return;
      this.#isDown = false;
      this.#options.log.info('the store can be written again');
    } catch (error) {
      if (isSluiceError(error, 'STORE_UNAVAILABLE')) {
        this.#options.log.warn({ error: messageOf(error) }, 'the store could not be taken up again');
      } else {
        this[Symbol.dispose]();
        this.#options.failed(error);
      }
    }
  }
}
