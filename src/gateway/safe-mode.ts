/**
 * A gateway that keeps dying starts without turns: platforms, commands and its own commands work, nothing of what
 * may have killed it is begun. It ends by itself when nothing happened for a while, or when an owner says so.
 */
import type { Clock } from '../clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { Lifecycle } from './lifecycle.ts';

const REASON = 'safe-mode';

export interface SafeModeOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly lifecycle: Pick<Lifecycle, 'send'>;
  /** Called just before turns are taken again. */
  readonly leaving: () => void;
}

export class SafeMode implements Disposable {
  readonly #options: SafeModeOptions;
  #timer: Disposable | undefined;

  constructor(options: SafeModeOptions) {
    this.#options = options;
  }

  get isOn(): boolean {
    return this.#timer !== undefined;
  }

  /** Before `started`. `quietMs`: after so long it ends by itself. */
  enter(quietMs: number): void {
    const { clock, log, lifecycle } = this.#options;
    if (this.isOn) return;
    this.#timer = clock.timer(quietMs, () => this.leave('nothing happened for a while'));
    log.warn({ quietMs }, 'the gateway died too often of late: it starts in safe mode, without turns');
    lifecycle.send({ type: 'degraded.raised', reason: REASON });
  }

  /** Turns are taken again; false when it is not on. */
  leave(because: string): boolean {
    const { log, lifecycle, leaving } = this.#options;
    if (!this.isOn) return false;
    this[Symbol.dispose]();
    log.info({ because }, 'safe mode is over');
    leaving();
    lifecycle.send({ type: 'degraded.cleared', reason: REASON });
    return true;
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }
}
