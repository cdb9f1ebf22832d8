/** The one clock of a simulated world; its wall time can be set, as people and time servers do. */
import { FakeClock } from '../support/fake-clock.ts';

export class WorldClock extends FakeClock {
  #setByMs = 0;
  /** The most that it was ever ahead. */
  #aheadMs = 0;

  override wallMs(): number {
    return super.wallMs() + this.#setByMs;
  }

  /** Sets the wall clock; what counts from a moment to another does not notice. */
  set(byMs: number): void {
    this.#setByMs += byMs;
    this.#aheadMs = Math.max(this.#aheadMs, this.#setByMs);
  }

  /** No time that was ever written down lies in the future any more. */
  putRight(): void {
    this.#setByMs = this.#aheadMs;
  }
}
