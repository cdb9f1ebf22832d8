/**
 * How messages ended that were handed in without a row and did not arrive. A row that is written for one afterwards says
 * so: that of any other that is over says that it has been delivered, for ever.
 */
import type { SoFar } from './outbound-so-far.ts';

/** Ends that are remembered; past it the oldest count as delivered. */
export const UNARRIVED_KEPT_MAX = 10_000;

/** `never-taken`: there was no room for it. `dead`: it was given up, `was` before that, and why; wall milliseconds. */
export type Unarrived =
  | { readonly as: 'never-taken' }
  | { readonly as: 'dead'; readonly was: SoFar; readonly error: string; readonly at: number };

export class UnarrivedMessages {
  readonly #ends = new Map<string, Unarrived>();

  add(id: string, end: Unarrived): void {
    this.#ends.set(id, end);
    const [oldest] = this.#ends.keys();
    if (oldest !== undefined && this.#ends.size > UNARRIVED_KEPT_MAX) this.#ends.delete(oldest);
  }

  /** Undefined when it arrived, or waits. */
  get(id: string): Unarrived | undefined {
    return this.#ends.get(id);
  }

  /** It is handed in once more. */
  forget(id: string): void {
    this.#ends.delete(id);
  }
}
