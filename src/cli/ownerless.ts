/**
 * How long a gateway that is away is waited for when nobody owns its home: the same for all who wait for one. Whoever
 * starts gateways again has done so by then; a home that is owned, or will be, is waited for longer by each in its own way.
 */
import type { Clock } from '../clock.ts';

/** How long the home may be without any gateway. */
export const OWNERLESS_MS_MAX = 10_000;

/** What whoever waits is told then. A stop that nobody undoes is no death, and comes to the same here. */
export const GONE = `the gateway is gone, and none follows it for ${OWNERLESS_MS_MAX / 1000} s`;

/** One wait, or several in a row. */
export class Ownerless {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #isOwned: () => boolean;
  /** Monotonic milliseconds; undefined while somebody owns it, or nobody has looked. */
  #since: number | undefined;

  constructor(clock: Pick<Clock, 'monotonicMs'>, isOwned: () => boolean) {
    this.#clock = clock;
    this.#isOwned = isOwned;
  }

  /** Looks once more, after an attempt that reached nobody; true when none will follow. */
  isForGood(): boolean {
    if (this.#isOwned()) {
      this.#since = undefined;
      return false;
    }
    const now = this.#clock.monotonicMs();
    this.#since ??= now;
    return now - this.#since > OWNERLESS_MS_MAX;
  }

  /** A gateway was reached: the next that is away is another one. */
  reached(): void {
    this.#since = undefined;
  }
}
