/**
 * Signals at a command that waits for work which is another process's: the first asks for its end, the next one leaves.
 * Whoever listens last hears them, those that have come already too, so that none is lost between two listeners.
 */
import type { HandledSignal, Signals } from '../process/signals.ts';

export type Interrupt = Exclude<HandledSignal, 'SIGUSR1'>;

/** What a shell makes of a program that a signal ended. */
export const INTERRUPTED_EXIT: Readonly<Record<Interrupt, number>> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGTERM: 143,
};

/** As people call it. */
export const interruptName = (interrupt: Interrupt): string =>
  interrupt === 'SIGINT' ? 'Ctrl-C' : interrupt;

/** `nth`: 1 for the first. */
export type InterruptListener = (signal: Interrupt, nth: number) => void;

export class Interrupts {
  /** Rejects with a fault of this process, until somebody else listens for those. */
  readonly fault: Promise<never>;
  readonly #heard: Interrupt[] = [];
  #listener: InterruptListener | undefined;

  constructor(signals: Signals) {
    signals.install();
    signals.attach(({ signal }) => {
      if (signal !== 'SIGUSR1') this.#hear(signal);
    });
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    signals.onFault(reject);
    this.fault = promise;
  }

  /** The newest one; undefined where none came. */
  get last(): Interrupt | undefined {
    return this.#heard.at(-1);
  }

  /** Replaces the listener before. */
  listen(listener: InterruptListener): void {
    this.#listener = listener;
    for (const [index, signal] of this.#heard.entries()) listener(signal, index + 1);
  }

  #hear(signal: Interrupt): void {
    this.#listener?.(signal, this.#heard.push(signal));
  }
}
