/**
 * Writes down what became of messages that went out. Sending does not depend on a writable store: what could not be
 * written is kept here, in order and bounded, and goes before whatever is written next. Were it lost, the next life
 * would take a message that has arrived for one whose end nobody saw.
 */
import { isSluiceError, messageOf } from '../errors.ts';
import type { Store, Write } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';

/** Marks that wait for a writable store; the oldest are given up past it. */
export const MARKS_KEPT_MAX = 1000;

export type Mark = Extract<Write, { op: 'sending' | 'sent' | 'unsent' | 'outbound.end' | 'outbound.retry' }>;

export class OutboundMarks {
  readonly #store: Pick<Store, 'commit' | 'writable'>;
  readonly #log: Log;
  readonly #kept: Mark[] = [];
  #catchingUp: Promise<void> | undefined;

  constructor({ store, log }: { readonly store: Pick<Store, 'commit' | 'writable'>; readonly log: Log }) {
    this.#store = store;
    this.#log = log;
  }

  /** True when it is on disk. One that is not is kept for later. Never rejects. */
  async write(...marks: readonly Mark[]): Promise<boolean> {
    if (await this.claim(...marks)) return true;
    this.#kept.push(...marks);
    if (this.#kept.length > MARKS_KEPT_MAX) {
      const count = this.#kept.splice(0, this.#kept.length - MARKS_KEPT_MAX).length;
      this.#log.warn(
        { count },
        'what became of messages that went out is forgotten: the disk was full for too long',
      );
    }
    return false;
  }

  /** The same, but one that cannot be written is of no use later. */
  async claim(...marks: readonly Mark[]): Promise<boolean> {
    await this.catchUp();
    return this.#kept.length === 0 && (await this.#commit(marks)) === 'written';
  }

  /** Whether what became of this message is still to be written. */
  isKept(id: string): boolean {
    return this.#kept.some((mark) => mark.id === id);
  }

  /** Writes what was kept, as far as the store takes it. Never rejects. */
  catchUp(): Promise<void> {
    if (this.#kept.length === 0 || !this.#store.writable) return Promise.resolve();
    this.#catchingUp ??= this.#catchUp().finally(() => {
      this.#catchingUp = undefined;
    });
    return this.#catchingUp;
  }

  async #catchUp(): Promise<void> {
    const unit = [...this.#kept];
    // Those that come meanwhile stand behind these.
    if ((await this.#commit(unit)) !== 'outage') this.#kept.splice(0, unit.length);
  }

  async #commit(unit: readonly Mark[]): Promise<'written' | 'outage' | 'refused'> {
    try {
      await this.#store.commit(unit);
      return 'written';
    } catch (error) {
      if (isSluiceError(error, 'STORE_UNAVAILABLE')) return 'outage';
      this.#log.error(
        { error: messageOf(error) },
        'the store refused what became of a message that went out',
      );
      return 'refused';
    }
  }
}
