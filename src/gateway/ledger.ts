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
import type { InHand, Progress, ProgressListener, Settled, Settlement, Suspension } from './in-hand.ts';
import { outboundRows } from './outbound-rows.ts';
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
  /** The text without known secrets: the one outlet of replies. */
  readonly redact: (text: string) => string;
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

  /**
   * Leaves a message open and says why, in one commit. It goes on counting as open here, so that whoever asks for it waits
   * for its outcome. False when it could not be written; then nothing was said, unless it is `openAnyway`.
   */
  async keepOpen({ row, recorded }: InHand, suspension: Suspension, openAnyway: boolean): Promise<boolean> {
    const { delivery, clock } = this.#options;
    const { phase, replies, writes = [] } = suspension;
    const at = clock.wallMs();
    const outbound = replies.flatMap((text) => this.#rowsOf(row, 'notice', text, at));
    const opened: Write = { op: 'phase', id: row.id, phase, reason: 'resume' };
    const unit = [...writes, opened, ...this.#saying(row, outbound, at)];
    const isWritten = recorded && (await this.#commit(unit)) === 'written';
    if (!isWritten && !openAnyway) return false;
    for (const text of replies) this.tell(row.id, { type: 'reply', text });
    if (!waitsAtConnection(row)) for (const reply of outbound) delivery.deliver(reply, isWritten);
    return isWritten;
  }

  /** What settles a message, for a unit that does more than that; `finish` follows its commit. */
  prepare(message: InHand, made: Settlement): Prepared {
    const settlement = { ...made, replies: made.replies.map(this.#options.redact) };
    const settledAt = this.#times.next(message.row.conversation);
    const outbound = settlement.replies.flatMap((text) =>
      this.#outbound(message, settlement, text, settledAt),
    );
    const unit = this.#unit(message, settlement, outbound, settledAt);
    return { message, settlement, outbound, unit, settledAt };
  }

  /** Tells the outcome to whoever waits, and hands the replies to delivery. */
  finish({ message, settlement, outbound, settledAt }: Prepared, recorded: boolean): Settled {
    const { clock, delivery, conversations, log } = this.#options;
    const { outcome, reason, exitCode = null } = settlement;
    const note = notRecorded(this.#options.store.obstacle);
    const replies = recorded ? settlement.replies : settlement.replies.map((t) => `${t}\n${note}`);
    const settled: Settled = { outcome, reason, replies, recorded, exitCode };
    if (!waitsAtConnection(message.row)) {
      for (const [at, row] of outbound.entries()) {
        const endsHere = (outbound[at + 1]?.part ?? 0) === 0;
        const text = recorded || !endsHere ? row.text : `${row.text}\n${note}`;
        delivery.deliver({ ...row, text }, recorded);
      }
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
    const { store, life, delivery } = this.#options;
    while (store.writable) {
      const unit = this.#unrecorded.shift();
      if (unit === undefined) return this.#sayGivenUp();
      const now = unit.map((write) => ofLife(write, life())).flatMap((write) => this.#asItStands(write));
      if ((await this.#commit(now)) !== 'outage') continue;
      for (const write of unit) if (write.op === 'reply') delivery.notNoted(write.outbound.id);
      this.#unrecorded.unshift(unit);
      return;
    }
  }

  /** A reply may have left meanwhile, be under way or wait: a death must not hide from the next life what does not arrive. */
  #asItStands(write: Write): readonly Write[] {
    if (write.op !== 'reply' || write.deliveredAt !== undefined) return [write];
    const { clock, delivery } = this.#options;
    const marks = delivery.noted(write.outbound.id);
    return marks === 'over' ? [{ ...write, deliveredAt: clock.wallMs() }] : [write, ...marks];
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

  /** The rows of one reply: one, or one for each of its parts. */
  #outbound({ row }: InHand, { outcome }: Settlement, text: string, at: number): OutboundRow[] {
    return this.#rowsOf(row, outcome === 'refused' ? 'refusal' : 'reply', text, at);
  }

  #rowsOf(row: InHand['row'], kind: OutboundRow['kind'], text: string, at: number): OutboundRow[] {
    const { life, delivery } = this.#options;
    const { id: messageId, platform, conversation } = row;
    const whole = { id: newId('o', at), messageId, platform, conversation, text, kind } as const;
    return outboundRows({ ...whole, createdAt: at, life: life() }, delivery.textCharsMax(platform));
  }

  #unit({ row }: InHand, settlement: Settlement, outbound: readonly OutboundRow[], at: number): Write[] {
    const { outcome, reason, mergedInto, writes = [] } = settlement;
    const merged = mergedInto === undefined ? {} : { mergedInto };
    return [
      ...writes,
      { op: 'settle', id: row.id, outcome, reason, at, ...merged },
      ...this.#saying(row, outbound, at),
    ];
  }

  /** Rows of what is said; who waits at the connection has it with this very commit. */
  #saying(row: InHand['row'], outbound: readonly OutboundRow[], at: number): Write[] {
    const direct = waitsAtConnection(row) ? { deliveredAt: at } : {};
    return outbound.map((reply): Write => ({ op: 'reply', outbound: reply, ...direct }));
  }

  /** Keeps a unit for later: the message's row too, when that was never written. */
  #keep({ message, settlement, unit }: Prepared): void {
    const noted = unit.map((write): Write => (write.op === 'settle' ? { ...write, recorded: false } : write));
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
