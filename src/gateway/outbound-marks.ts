/**
 * Writes down that messages are being sent, and what became of them. The first must be on disk before it happens; the
 * second has happened, so what could not be written is kept here, in order and bounded, and goes before whatever is
 * written next. Were it lost, the next life would take a message that has arrived for one whose end nobody saw.
 */
import type { Store } from '../store/store.ts';
import type { Write } from '../store/write.ts';
import type { Log } from '../telemetry/log.ts';
import { type Committed, outageTooLong, tryCommit } from './unexpected.ts';

/** Marks that wait for a writable store; the oldest are given up past it. */
export const MARKS_KEPT_MAX = 1000;

export type Mark = Extract<Write, { op: 'sending' | 'sent' | 'unsent' | 'outbound.end' | 'outbound.retry' }>;

export interface MarksOptions {
  readonly store: Pick<Store, 'commit' | 'writable' | 'obstacle'>;
  readonly log: Log;
}

export class OutboundMarks {
  readonly #store: Pick<Store, 'commit' | 'writable' | 'obstacle'>;
  readonly #log: Log;
  #kept: Mark[] = [];
  #catchingUp: Promise<boolean> | undefined;

  constructor({ store, log }: MarksOptions) {
    this.#store = store;
    this.#log = log;
  }

  /** True when it is on disk. What an outage keeps from it is kept for later. Never rejects. */
  async write(...marks: readonly Mark[]): Promise<boolean> {
    const written = await this.#writeBehindKept(marks);
    if (written !== 'outage') return written === 'written';
    this.#kept.push(...marks);
    if (this.#kept.length > MARKS_KEPT_MAX) {
      const count = this.#kept.splice(0, this.#kept.length - MARKS_KEPT_MAX).length;
      const because = outageTooLong(this.#store);
      this.#log.warn({ count }, `what became of messages that went out is forgotten: ${because}`);
    }
    return false;
  }

  /** The same, but one that cannot be written is of no use later: what it stands for does not happen. */
  async claim(...marks: readonly Mark[]): Promise<boolean> {
    return (await this.#writeBehindKept(marks)) === 'written';
  }

  /** Whether what became of this message is still to be written. */
  isKept(id: string): boolean {
    return this.#kept.some((mark) => mark.id === id);
  }

  /** Writes what was kept, as far as the store takes it. Never rejects. */
  async catchUp(): Promise<void> {
    await this.#allWritten();
  }

  async #writeBehindKept(marks: readonly Mark[]): Promise<Committed> {
    while (this.#kept.length > 0) if (!(await this.#allWritten())) return 'outage';
    return await this.#commit(marks);
  }

  /** True when nothing is left that was kept. */
  #allWritten(): Promise<boolean> {
    if (this.#kept.length === 0 || !this.#store.writable) return Promise.resolve(this.#kept.length === 0);
    this.#catchingUp ??= this.#writeKept();
    return this.#catchingUp;
  }

  async #writeKept(): Promise<boolean> {
    let written: Committed = 'written';
    let atOnce = MARKS_KEPT_MAX;
    while (this.#kept.length > 0 && written !== 'outage') {
      const unit = new Set(this.#kept.slice(0, atOnce));
      written = await this.#commit([...unit]);
      // One that is refused does not take the others with it.
      if (written === 'refused' && unit.size > 1) atOnce = 1;
      // Some may have come meanwhile.
      else if (written !== 'outage') this.#kept = this.#kept.filter((mark) => !unit.has(mark));
    }
    this.#catchingUp = undefined;
    return written !== 'outage';
  }

  #commit(unit: readonly Mark[]): Promise<Committed> {
    const tools = { store: this.#store, log: this.#log };
    return tryCommit(tools, unit, 'the store refused what became of a message that went out');
  }
}
