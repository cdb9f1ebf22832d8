/**
 * Outcomes that could not be written when they came about: kept in memory, in order and bounded, and written when the
 * store is back. Of a reply that was to leave without a row it is written what has become of it since; one that waits for
 * its row, or had no room without, leaves once that is on disk.
 */
import type { Clock } from '../clock.ts';
import type { Store } from '../store/store.ts';
import type { Write } from '../store/write.ts';
import type { Log } from '../telemetry/log.ts';
import type { Delivery } from './delivery.ts';
import type { InHand } from './in-hand.ts';
import { type Committed, outageTooLong, tryCommit } from './unexpected.ts';

/** Units that wait for a writable store; the oldest are given up past it, and counted. */
export const UNRECORDED_UNITS_MAX = 1000;

export interface UnrecordedOptions {
  readonly store: Pick<Store, 'commit' | 'writable' | 'obstacle'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly delivery: Pick<Delivery, 'deliver' | 'noted' | 'notNoted'>;
  readonly life: () => number;
}

interface Kept {
  readonly unit: readonly Write[];
  /** Its replies have not been handed to delivery. */
  readonly repliesWait: boolean;
}

export class Unrecorded {
  readonly #options: UnrecordedOptions;
  readonly #kept: Kept[] = [];
  #givenUp = 0;
  #catchingUp: Promise<void> | undefined;

  constructor(options: UnrecordedOptions) {
    this.#options = options;
  }

  /** Keeps a unit for later, with the message's row where that was never written. */
  keep(
    { message, unit }: { readonly message: InHand; readonly unit: readonly Write[] },
    repliesWait: boolean,
  ): void {
    const noted = unit.map((write): Write => (write.op === 'settle' ? { ...write, recorded: false } : write));
    const received: Write[] = message.recorded ? [] : [{ op: 'receive', message: message.row }];
    this.#kept.push({ unit: [...received, ...noted], repliesWait });
    const past = this.#kept.length > UNRECORDED_UNITS_MAX ? this.#kept.shift() : undefined;
    if (past === undefined) return;
    this.#givenUp += 1;
    if (past.repliesWait) this.#deliver(past.unit, false);
  }

  /** Writes what was kept, oldest first, as far as the store takes it. Never rejects. */
  catchUp(): Promise<void> {
    const { store, life } = this.#options;
    // Rows of no life would be taken for a dead one's by the recovery that is still to come.
    if (this.#kept.length === 0 || !store.writable || life() === 0) return Promise.resolve();
    this.#catchingUp ??= this.#catchUp();
    return this.#catchingUp;
  }

  async #catchUp(): Promise<void> {
    const { store } = this.#options;
    for (let kept = this.#kept.shift(); kept !== undefined; kept = this.#kept.shift()) {
      const written = await this.#write(kept);
      if (written === 'outage') this.#kept.unshift(kept);
      if (written === 'outage' || !store.writable) break;
    }
    // In the same tick as the last look, so that nobody takes one for under way that is over.
    this.#catchingUp = undefined;
    if (this.#kept.length === 0) this.#sayGivenUp();
  }

  async #write({ unit: kept, repliesWait }: Kept): Promise<Committed> {
    const { store, log, life } = this.#options;
    const unit = kept.map((write) => ofLife(write, life()));
    const neverTaken: Write[] = [];
    const now = repliesWait ? unit : unit.flatMap((write) => this.#asItStands(write, neverTaken));
    const written = await tryCommit({ store, log }, now, 'the store refused an outcome');
    if (!repliesWait && written !== 'written') this.#notNoted(unit);
    if (written !== 'outage') this.#deliver(repliesWait ? unit : neverTaken, written === 'written');
    return written;
  }

  /** `stored`: their rows are on disk; where they never will be they leave without. */
  #deliver(unit: readonly Write[], stored: boolean): void {
    for (const write of unit)
      if (write.op === 'reply') this.#options.delivery.deliver(write.outbound, stored);
  }

  /** A reply may have left meanwhile, be under way or wait: a death must not hide from the next life what does not arrive. */
  #asItStands(write: Write, neverTaken: Write[]): readonly Write[] {
    if (write.op !== 'reply' || write.deliveredAt !== undefined) return [write];
    const { clock, delivery } = this.#options;
    const noted = delivery.noted(write.outbound.id);
    if (noted === 'delivered') return [{ ...write, deliveredAt: clock.wallMs() }];
    if (noted !== 'never-taken') return [write, ...noted];
    neverTaken.push(write);
    return [write];
  }

  #notNoted(unit: readonly Write[]): void {
    for (const write of unit) if (write.op === 'reply') this.#options.delivery.notNoted(write.outbound.id);
  }

  #sayGivenUp(): void {
    const count = this.#givenUp;
    this.#givenUp = 0;
    if (count === 0) return;
    const { log, store } = this.#options;
    log.warn({ count }, `outcomes were not recorded: ${outageTooLong(store)}`);
  }
}

/** A start that could not open the store had no number yet; its rows belong to the life it was given since. */
function ofLife(write: Write, life: number): Write {
  if (write.op === 'receive') return { ...write, message: { ...write.message, life } };
  if (write.op === 'reply') return { ...write, outbound: { ...write.outbound, life } };
  if (write.op === 'command.receive') return { ...write, command: { ...write.command, life } };
  return write;
}
