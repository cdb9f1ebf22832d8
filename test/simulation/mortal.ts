/**
 * The end of a life by a crash, at any moment that the world can see. A life touches the world through ports alone, and
 * each call of one goes through here: once the life is dead, none has an effect or an answer any more. So what a dead
 * life still computes in this process, a killed one would not have done, and nobody can tell the two apart.
 */
import type { Clock } from '../../src/clock.ts';

/** What a dead life waits for: each call its own, or all that ever waited for it would stay in memory. */
const never = (): Promise<never> => new Promise(() => {});

export class Mortal {
  readonly #died: (at: string) => void;
  readonly #last: (() => void)[] = [];
  #isDead = false;
  /** Calls that are left, and whether the one it dies at takes effect. */
  #doom: { calls: number; takesEffect: boolean } | undefined;

  /** `died`: told at once, with the port at which it was. */
  constructor(died: (at: string) => void) {
    this.#died = died;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** It dies at its `calls`th call of a port from now on: just before that takes effect, or just after. */
  doom(calls: number, takesEffect: boolean): void {
    this.#doom ??= { calls, takesEffect };
  }

  die(at: string): void {
    if (this.#isDead) return;
    this.end();
    this.#died(at);
  }

  /** The same without a crash: it has left in order, and does nothing more. */
  end(): void {
    this.#isDead = true;
    for (const last of this.#last.splice(0)) last();
  }

  /** Called at the end, however that comes. */
  atEnd(last: () => void): void {
    this.#last.push(last);
  }

  /** A call of a port: what it comes to, or nothing ever. */
  port<T>(name: string, effect: () => Promise<T>): Promise<T> {
    if (this.#isDead || this.#strikes(name, false)) return never();
    const result = effect();
    if (!this.#strikes(`after ${name}`, true)) return result;
    // It may still fail, and nobody is left to hear of it.
    result.catch(() => {});
    return never();
  }

  /** The same for a call that answers at once; `otherwise` is what a dead life gets. */
  portNow<T>(name: string, otherwise: T, effect: () => T): T {
    if (this.#isDead || this.#strikes(name, false)) return otherwise;
    const result = effect();
    this.#strikes(`after ${name}`, true);
    return result;
  }

  #strikes(name: string, tookEffect: boolean): boolean {
    const doom = this.#doom;
    if (doom === undefined || this.#isDead) return this.#isDead;
    if (!tookEffect) doom.calls -= 1;
    if (doom.calls > 0 || doom.takesEffect !== tookEffect) return false;
    this.die(name);
    return true;
  }
}

/** The clock of one life: its timers end with it. */
export class MortalClock implements Clock {
  readonly #clock: Clock;
  readonly #timers = new Set<Disposable>();
  readonly #mortal: Mortal;

  constructor(clock: Clock, mortal: Mortal) {
    this.#clock = clock;
    this.#mortal = mortal;
    mortal.atEnd(() => {
      for (const timer of this.#timers) timer[Symbol.dispose]();
      this.#timers.clear();
    });
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  timer(delayMs: number, fire: () => void): Disposable {
    const timer = this.#clock.timer(delayMs, () => {
      this.#timers.delete(timer);
      if (!this.#mortal.isDead) fire();
    });
    return this.#kept(timer);
  }

  every(periodMs: number, fire: () => void): Disposable {
    return this.#kept(this.#clock.every(periodMs, () => this.#mortal.isDead || fire()));
  }

  delay(delayMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const over = () => {
        timer[Symbol.dispose]();
        signal?.removeEventListener('abort', over);
        resolve();
      };
      const timer = this.timer(delayMs, over);
      signal?.addEventListener('abort', over, { once: true });
    });
  }

  #kept(timer: Disposable): Disposable {
    if (this.#mortal.isDead) timer[Symbol.dispose]();
    else this.#timers.add(timer);
    return {
      [Symbol.dispose]: () => {
        this.#timers.delete(timer);
        timer[Symbol.dispose]();
      },
    };
  }
}
