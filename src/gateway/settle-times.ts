/**
 * When messages settle: no two of one conversation at the same millisecond, in the order in which they do, so that a
 * client which has seen one of them has seen all before it. A burst may run ahead of the clock a little for that.
 */
import type { Clock } from '../clock.ts';

/** How far ahead of the wall clock a message may settle; what comes faster still shares the clock's millisecond. */
export const SETTLED_AHEAD_MS_MAX = 100;

export class SettleTimes {
  readonly #clock: Clock;
  /** The last time of each conversation, those that were given last at the end; one that has passed is forgotten. */
  readonly #last = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Wall milliseconds for a message of this conversation that settles now. */
  next(conversation: string): number {
    const now = this.#clock.wallMs();
    const last = this.#last.get(conversation) ?? 0;
    // A last time that is far ahead was given before the clock was set back.
    const follows = last >= now && last - now < SETTLED_AHEAD_MS_MAX;
    const at = follows ? last + 1 : now;
    this.#last.delete(conversation);
    this.#last.set(conversation, at);
    for (const [key, time] of this.#last) {
      if (time >= now && time - now <= SETTLED_AHEAD_MS_MAX) break;
      this.#last.delete(key);
    }
    return at;
  }
}
