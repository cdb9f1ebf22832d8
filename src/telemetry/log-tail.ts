/**
 * The last lines of this life's log in memory: what a follower is shown first, and what a crash report ends with.
 * Lines are numbered from 1 within a life, so that a follower who comes back misses none and sees none twice.
 */

/** Newest lines of the log that are kept in memory. */
export const TAIL_LINES_MAX = 500;

/** The most that the lines in memory may hold together. */
export const TAIL_CHARS_MAX = 256 * 1024;

export interface TailLine {
  /** Counts from 1 in each life. */
  readonly number: number;
  /** One JSON document, without its line break. */
  readonly line: string;
}

export class LogTail {
  /** Tells lives apart, also those of one process. */
  readonly life: string;
  readonly #lines: TailLine[] = [];
  readonly #listeners = new Set<(line: TailLine) => void>();
  #chars = 0;
  #number = 0;

  constructor(life: string) {
    this.life = life;
  }

  /** Of the newest line; 0 before the first. */
  get number(): number {
    return this.#number;
  }

  /** `line` comes with its line break. */
  add(line: string): void {
    this.#number += 1;
    const added = { number: this.#number, line: line.trimEnd() };
    this.#lines.push(added);
    this.#chars += added.line.length;
    while (this.#lines.length > TAIL_LINES_MAX || (this.#chars > TAIL_CHARS_MAX && this.#lines.length > 1)) {
      this.#chars -= this.#lines.shift()?.line.length ?? 0;
    }
    for (const listener of this.#listeners) listener(added);
  }

  /** The newest lines after this number, oldest first. */
  after(number: number, linesMax: number = TAIL_LINES_MAX): TailLine[] {
    return linesMax > 0 ? this.#lines.filter((line) => line.number > number).slice(-linesMax) : [];
  }

  /** Calls `listener` with each further line, until disposed. It must not throw and must not log. */
  listen(listener: (line: TailLine) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}
