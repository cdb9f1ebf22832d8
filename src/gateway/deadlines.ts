/**
 * The clocks of the three shutdown deadlines. Each is an event with the serial of what it bounds, so a clock
 * that fires late changes nothing. Flushing and closing share one limit: closing keeps a share of it, in
 * case flushing uses up the rest.
 */
import type { DeadlineName } from '../../machines/events.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';

export interface DeadlineTimes {
  readonly drainMs: number;
  readonly killMs: number;
  readonly exitMs: number;
}

/** The limits of a shutdown as the configuration has them. */
export function shutdownTimes({ drainTimeoutMs, shutdown }: Config): DeadlineTimes {
  return { drainMs: drainTimeoutMs, killMs: shutdown.killGraceMs, exitMs: shutdown.exitTimeoutMs };
}

/** The part of the exit limit that is kept for closing, and the most it can be. */
const CLOSING_SHARE = 0.2;
const CLOSING_MS_MAX = 2000;

export interface DeadlineStart {
  readonly deadline: DeadlineName;
  readonly serial: number;
  readonly closing: boolean;
}

type DeadlineEvent = { type: `${DeadlineName}.deadline`; serial: number };

/** Runs the one clock that is armed, and sends the chart its event. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #times: () => DeadlineTimes;
  readonly #fire: (event: DeadlineEvent) => void;
  /** The deadlines follow one another, so at most one clock runs. */
  #running: { timer: Disposable; endsAt: number } | undefined;

  constructor(clock: Clock, times: () => DeadlineTimes, fire: (event: DeadlineEvent) => void) {
    this.#clock = clock;
    this.#times = times;
    this.#fire = fire;
  }

  start({ deadline, serial, closing }: DeadlineStart): void {
    this.stop();
    const delayMs = this.#delayMs(deadline, closing);
    const timer = this.#clock.timer(delayMs, () => {
      this.#running = undefined;
      this.#fire({ type: `${deadline}.deadline`, serial });
    });
    this.#running = { timer, endsAt: this.#clock.wallMs() + delayMs };
  }

  stop(): void {
    this.#running?.timer[Symbol.dispose]();
    this.#running = undefined;
  }

  /** Wall milliseconds at which the running one ends what it bounds; null where none runs. */
  get endsAt(): number | null {
    return this.#running?.endsAt ?? null;
  }

  #delayMs(deadline: DeadlineName, closing: boolean): number {
    const { drainMs, killMs, exitMs } = this.#times();
    const closingMs = Math.min(CLOSING_MS_MAX, exitMs * CLOSING_SHARE);
    if (deadline === 'drain') return drainMs;
    if (deadline === 'kill') return killMs;
    return closing ? closingMs : exitMs - closingMs;
  }
}
