/**
 * Brings messages to their one outcome. Outcome and replies are committed together, then told to whoever
 * waits and handed to delivery. When the store cannot be written, replies leave all the same, marked "not
 * recorded", and their rows are kept (bounded) until it can.
 */
import type { Clock } from '../clock.ts';
import { isSluiceError, messageOf } from '../errors.ts';
import { newId } from '../messages/ids.ts';
import { waitsAtConnection } from '../messages/local.ts';
import { notRecorded } from '../messages/replies.ts';
import type { OutboundRow, Store, Write } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { Conversations } from './conversations.ts';
import type { Delivery } from './delivery.ts';
import type { InHand, Progress, ProgressListener, Settled, Settlement } from './in-hand.ts';
import { SettleTimes } from './settle-times.ts';

/** Units that wait for a writable store; the oldest are given up past it, and counted. */
export const UNRECORDED_UNITS_MAX = 1000;

interface Open {
  readonly settled: Promise<Settled>;
  readonly resolve: (settled: Settled) => void;
  readonly listeners: Set<ProgressListener>;
}

/** A message's end, as rows. */
export interface Prepared {
  readonly message: InHand;
  readonly settlement: Settlement;
  readonly outbound: readonly OutboundRow[];
  readonly unit: readonly Write[];
  /** Wall milliseconds, as its row has it. */
  readonly settledAt: number;
}

export interface LedgerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly delivery: Delivery;
  readonly conversations: Conversations;
  readonly life: () => number;
}

export class Ledger {
  readonly #options: LedgerOptions;
  readonly #open = new Map<string, Open>();
  readonly #unrecorded: Write[][] = [];
  readonly #times: SettleTimes;
  #givenUp = 0;
  #catchingUp: Promise<void> | undefined;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#times = new SettleTimes(options.clock);
  }

  /** Makes a message known as open, so that it can be waited for and watched. */
  open(messageId: string): Promise<Settled> {
    const known = this.#open.get(messageId);
    if (known !== undefined) return known.settled;
    const { promise, resolve } = Promise.withResolvers<Settled>();
    this.#open.set(messageId, { settled: promise, resolve, listeners: new Set() });
    return promise;
  }

  /** Forgets a message that is not ours after all: a duplicate, or one that could not be kept. */
  forget(messageId: string): void {
    this.#open.delete(messageId);
  }

  /** The outcome of an open message; undefined when it is not open in this life. */
  waitFor(messageId: string): Promise<Settled> | undefined {
    return this.#open.get(messageId)?.settled;
  }

  /** Calls `listener` with what happens to an open message, until disposed. */
  watch(messageId: string, listener: ProgressListener): Disposable {
    const listeners = this.#open.get(messageId)?.listeners;
    listeners?.add(listener);
    return { [Symbol.dispose]: () => void listeners?.delete(listener) };
  }

  /** Ends what `watch` began, for whoever has gone before the message settled. */
  unwatch(messageId: string, listener: ProgressListener): void {
    this.#open.get(messageId)?.listeners.delete(listener);
  }

  tell(messageId: string, progress: Progress): void {
    const open = this.#open.get(messageId);
    if (open !== undefined) this.#tellAll(messageId, open.listeners, progress);
  }

  /** Settles a message: outcome, replies and `writes` in one commit. Never rejects. */
  async settle(message: InHand, settlement: Settlement): Promise<Settled> {
    const prepared = this.prepare(message, settlement);
    const recorded = message.recorded && (await this.#commit(prepared.unit)) === 'written';
    if (!recorded) this.#keep(prepared);
    const settled = this.finish(prepared, recorded);
    // What began unrecorded may end when the store is back already.
    if (!recorded) await this.catchUp();
    return settled;
  }

  /** What settles a message, for a unit that does more than that; `finish` follows its commit. */
  prepare(message: InHand, settlement: Settlement): Prepared {
    const settledAt = this.#times.next(message.row.conversation);
    const outbound = settlement.replies.map((text) => this.#outbound(message, settlement, text, settledAt));
    const unit = this.#unit(message, settlement, outbound, settledAt);
    return { message, settlement, outbound, unit, settledAt };
  }

  /** Tells the outcome to whoever waits, and hands the replies to delivery. */
  finish({ message, settlement, outbound, settledAt }: Prepared, recorded: boolean): Settled {
    const { clock, delivery, conversations, log } = this.#options;
    const { outcome, reason, exitCode = null } = settlement;
    const replies = recorded ? settlement.replies : settlement.replies.map((t) => `${t}\n${notRecorded()}`);
    const settled: Settled = { outcome, reason, replies, recorded, exitCode };
    if (!waitsAtConnection(message.row)) {
      outbound.forEach((row, index) => {
        delivery.deliver({ ...row, text: replies[index] ?? row.text }, recorded);
      });
    }
    this.#conclude(message.row.id, settled);
    conversations.tell(message.row.conversation, {
      type: 'settled',
      message: message.row,
      settled,
      settledAt,
    });
    const { id, kind, conversation, receivedAt } = message.row;
    const tookMs = clock.wallMs() - receivedAt;
    log.info({ message: id, kind, conversation, outcome, reason, tookMs }, `${kind} ${outcome}`);
    return settled;
  }

  /** Writes what ran unrecorded, oldest first, as far as the store takes it. */
  catchUp(): Promise<void> {
    this.#catchingUp ??= this.#catchUp().finally(() => {
      this.#catchingUp = undefined;
    });
    return this.#catchingUp;
  }

  async #catchUp(): Promise<void> {
    const { store, life } = this.#options;
    while (store.writable) {
      const unit = this.#unrecorded.shift();
      if (unit === undefined) return this.#sayGivenUp();
      if ((await this.#commit(unit.map((write) => ofLife(write, life())))) !== 'outage') continue;
      this.#unrecorded.unshift(unit);
      return;
    }
  }

  #sayGivenUp(): void {
    const count = this.#givenUp;
    this.#givenUp = 0;
    if (count > 0) {
      this.#options.log.warn({ count }, 'outcomes were not recorded: the disk was full for too long');
    }
  }

  /** A duplicate counts as written: its rows stand already. `refused`: the store is well and does not take this. */
  async #commit(unit: readonly Write[]): Promise<'written' | 'outage' | 'refused'> {
    try {
      await this.#options.store.commit(unit);
      return 'written';
    } catch (error) {
      if (isSluiceError(error, 'STORE_UNAVAILABLE')) return 'outage';
      this.#options.log.error({ error: messageOf(error) }, 'the store refused an outcome');
      return 'refused';
    }
  }

  #conclude(messageId: string, settled: Settled): void {
    const open = this.#open.get(messageId);
    this.#open.delete(messageId);
    if (open === undefined) return;
    for (const text of settled.replies) this.#tellAll(messageId, open.listeners, { type: 'reply', text });
    this.#tellAll(messageId, open.listeners, { type: 'settled', ...settled });
    open.resolve(settled);
  }

  /** One that throws is dropped: a reader's trouble is none of the message's. */
  #tellAll(messageId: string, listeners: Set<ProgressListener>, progress: Progress): void {
    for (const listener of listeners) {
      try {
        listener(progress);
      } catch (error) {
        listeners.delete(listener);
        this.#options.log.error(
          { message: messageId, error: messageOf(error) },
          'a watcher of a message failed',
        );
      }
    }
  }

  #outbound({ row }: InHand, { outcome }: Settlement, text: string, at: number): OutboundRow {
    const { life } = this.#options;
    const kind = outcome === 'refused' ? 'refusal' : 'reply';
    const { id: messageId, platform, conversation } = row;
    return { id: newId('o', at), messageId, platform, conversation, text, kind, createdAt: at, life: life() };
  }

  #unit({ row }: InHand, settlement: Settlement, outbound: readonly OutboundRow[], at: number): Write[] {
    const { outcome, reason, writes = [] } = settlement;
    const direct = waitsAtConnection(row);
    return [
      ...writes,
      { op: 'settle', id: row.id, outcome, reason, at },
      ...outbound.map(
        (reply): Write => ({ op: 'reply', outbound: reply, ...(direct ? { deliveredAt: at } : {}) }),
      ),
    ];
  }

  /** Keeps a unit for later: the message's row too, when that was never written. */
  #keep({ message, settlement, unit }: Prepared): void {
    const at = this.#options.clock.wallMs();
    const noted = unit.map((write): Write => {
      if (write.op === 'settle') return { ...write, recorded: false };
      return write.op === 'reply' ? { ...write, deliveredAt: at } : write;
    });
    this.#unrecorded.push([
      ...(message.recorded ? [] : [{ op: 'receive', message: message.row } as const]),
      ...noted,
    ]);
    this.#options.log.warn({ message: message.row.id, outcome: settlement.outcome }, 'settled, not recorded');
    if (this.#unrecorded.length > UNRECORDED_UNITS_MAX) {
      this.#unrecorded.shift();
      this.#givenUp += 1;
    }
  }
}

/** A start that could not open the store had no number yet; its rows belong to the life it was given since. */
function ofLife(write: Write, life: number): Write {
  if (write.op === 'receive') return { ...write, message: { ...write.message, life } };
  if (write.op === 'reply') return { ...write, outbound: { ...write.outbound, life } };
  if (write.op === 'command.receive') return { ...write, command: { ...write.command, life } };
  return write;
}
