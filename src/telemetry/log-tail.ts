/**
 * The last lines of this life's log in memory: what a follower is shown first, and what a crash report ends with.
 * Lines are numbered from 1 within a life, so that a follower who comes back misses none and sees none twice. Whoever
 * logs is never thrown at: a listener that throws hears no more.
 */
import { messageOf } from '../errors.ts';

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

interface Listener {
  readonly hear: (line: TailLine) => void;
  readonly dropped: () => void;
}

export class LogTail {
  /** Tells lives apart, also those of one process. */
  readonly life: string;
  readonly #lines: TailLine[] = [];
  readonly #listeners = new Set<Listener>();
  readonly #onProblem: (message: string) => void;
  #chars = 0;
  #number = 0;

  /** `onProblem` is told of each listener that was dropped; it may log. */
  constructor(life: string, onProblem: (message: string) => void) {
    this.life = life;
    this.#onProblem = onProblem;
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
    const problems = Array.from(this.#listeners, (listener) => this.#tell(listener, added));
    // Once all have heard this line: a problem may be the next one.
    for (const problem of problems) if (problem !== undefined) this.#onProblem(problem);
  }

  /** The newest lines after this number, oldest first. */
  after(number: number, linesMax: number = TAIL_LINES_MAX): TailLine[] {
    return linesMax > 0 ? this.#lines.filter((line) => line.number > number).slice(-linesMax) : [];
  }

  /**
   * Calls `hear` with each further line, until disposed. It must not log; should it throw, `dropped` is called, which
   * must not, and it hears no more.
   */
  listen(hear: (line: TailLine) => void, dropped: () => void): Disposable {
    const listener = { hear, dropped };
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Says what was wrong with the listener, if anything. */
  #tell(listener: Listener, line: TailLine): string | undefined {
    try {
      listener.hear(line);
      return undefined;
    } catch (error) {
      this.#listeners.delete(listener);
      listener.dropped();
      return `a follower of the log was dropped: ${messageOf(error)}`;
    }
  }
}
