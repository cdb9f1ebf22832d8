/**
 * A gateway that keeps dying starts without turns: platforms, commands and its own commands work, nothing of what
 * may have killed it is begun. It ends by itself when nothing happened for a while, or when an owner says so; then the
 * deaths before count no more, in whatever life. A planned restart does not end it: the next life goes on with it.
 */
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { Lifecycle } from './lifecycle.ts';

const REASON = 'safe-mode';

export interface SafeModeOptions {
  readonly store: Pick<Store, 'commit'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly life: () => number;
  readonly lifecycle: Pick<Lifecycle, 'send'>;
  /** Called just before turns are taken again. */
  readonly leaving: () => void;
}

export class SafeMode implements Disposable {
  readonly #options: SafeModeOptions;
  #timer: Disposable | undefined;
  /** It is over, which is not on disk yet. */
  #isUnwritten = false;

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
    this.#isUnwritten = true;
    void this.catchUp();
    leaving();
    lifecycle.send({ type: 'degraded.cleared', reason: REASON });
    return true;
  }

  /** Writes that it is over, where an outage has kept that from being written. Never rejects. */
  async catchUp(): Promise<void> {
    if (!this.#isUnwritten) return;
    const { store, log, life } = this.#options;
    this.#isUnwritten = false;
    try {
      await store.commit([{ op: 'life.safe-mode', id: life(), mode: 'left' }]);
    } catch (error) {
      this.#isUnwritten = true;
      log.warn({ error: messageOf(error) }, 'that safe mode is over is written when the store is back');
    }
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }
}
