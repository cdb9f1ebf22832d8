/**
 * The log as server-sent events, for the control socket alone. A follower begins with the newest lines, or after the
 * last one that it has seen; of another life it has seen none. One that reads too slowly misses lines and is told how
 * many (`event-stream.ts`); the log never waits for it.
 */
import type { LogTail, TailLine } from '../telemetry/log-tail.ts';
import { EventStream } from './event-stream.ts';

/** Followers of the log at the same time. */
export const LOG_STREAMS_MAX = 8;

export interface Follower {
  /** The `LIFE.NUMBER` of the last line that it has; absent for one that has none. */
  readonly lastEventId: string | undefined;
  /** How many of the newest lines one wants that has none; undefined: all that are kept. */
  readonly lines: number | undefined;
}

export class LogStreams {
  readonly #tail: LogTail;
  #followers = 0;

  constructor(tail: LogTail) {
    this.#tail = tail;
  }

  get full(): boolean {
    return this.#followers >= LOG_STREAMS_MAX;
  }

  /** A new follower: `from` says where it begins, then each event is a `line`, its data the line's JSON. */
  open(follower: Follower): EventStream {
    const stream = new EventStream();
    const send = ({ number, line }: TailLine) =>
      stream.send('line', JSON.parse(line), `${this.#tail.life}.${number}`);
    const first = this.#firstFor(follower);
    const { life, number } = this.#tail;
    // Also for a log that is silent: who comes back after it has an id to go on from.
    stream.send('from', { life, lines: first.length }, `${life}.${number - first.length}`);
    for (const line of first) send(line);
    // A follower that was dropped comes back, and goes on where it stopped.
    const listening = this.#tail.listen(send, () => stream.end());
    this.#followers += 1;
    void stream.closed.then(() => {
      listening[Symbol.dispose]();
      this.#followers -= 1;
    });
    return stream;
  }

  #firstFor({ lastEventId, lines }: Follower): TailLine[] {
    if (lastEventId === undefined) return this.#tail.after(0, lines);
    const { life } = this.#tail;
    const seen = lastEventId.startsWith(`${life}.`) ? lastEventId.slice(life.length + 1) : '';
    return this.#tail.after(countIn(seen) ?? 0);
  }
}

/** The number that a text of digits stands for; undefined for any other text. */
export const countIn = (text: string): number | undefined => (/^\d+$/.test(text) ? Number(text) : undefined);
