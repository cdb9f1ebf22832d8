/**
 * Brings messages to their one outcome. Outcome and replies are committed together, then told to whoever waits and handed
 * to delivery. When the store cannot be written, whoever waits is told all the same, and the rows are kept until it can
 * (`unrecorded.ts`). The reply of a command leaves at once then, marked "not recorded"; that of a turn leaves with its
 * row, for without it the next life would answer the message once more.
 */
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { newId } from '../messages/ids.ts';
import { waitsAtConnection } from '../messages/local.ts';
import { notRecorded } from '../messages/replies.ts';
import type { OutboundRow } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import type { Write } from '../store/write.ts';
import type { Log } from '../telemetry/log.ts';
import type { Conversations } from './conversations.ts';
import type { Delivery } from './delivery.ts';
import type { InHand, Progress, ProgressListener, Settled, Settlement, Suspension } from './in-hand.ts';
import { outboundRows, withNote } from './outbound-rows.ts';
import { SettleTimes } from './settle-times.ts';
import { type Committed, tryCommit, type Uncommitted } from './unexpected.ts';
import { Unrecorded } from './unrecorded.ts';

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
  readonly #unrecorded: Unrecorded;
  readonly #times: SettleTimes;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#times = new SettleTimes(options.clock);
    this.#unrecorded = new Unrecorded(options);
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
    const written = message.recorded ? await this.#commit(prepared.unit) : 'outage';
    if (written === 'written') return this.finish(prepared, true);
    const repliesWait = written === 'outage' && isTakenUpAgain(message);
    this.#unrecorded.keep(prepared, repliesWait);
    this.#options.log.warn({ message: message.row.id, outcome: settlement.outcome }, 'settled, not recorded');
    const settled = repliesWait ? this.#conclude(prepared, false) : this.finish(prepared, false);
    // What began unrecorded may end when the store is back already.
    await this.catchUp();
    return settled;
  }

  /**
   * Settles a message, or not at all: gives how the commit failed. It is told as many ticks after its commit as by `settle`, so
   * that what two commits of one batch say in a conversation leaves in their order. Never rejects.
   */
  async settleOnDisk(message: InHand, settlement: Settlement): Promise<Settled | Uncommitted> {
    const prepared = this.prepare(message, settlement);
    const written = await this.#commit(prepared.unit);
    return written === 'written' ? this.finish(prepared, true) : written;
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
  finish(prepared: Prepared, recorded: boolean): Settled {
    const { delivery, store } = this.#options;
    const { message, outbound } = prepared;
    const rows = recorded ? outbound : withNote(outbound, notRecorded(store.obstacle));
    if (!waitsAtConnection(message.row)) for (const row of rows) delivery.deliver(row, recorded);
    return this.#conclude(prepared, recorded);
  }

  /** Writes what ran unrecorded, oldest first, as far as the store takes it. */
  catchUp(): Promise<void> {
    return this.#unrecorded.catchUp();
  }

  #commit(unit: readonly Write[]): Promise<Committed> {
    return tryCommit(this.#options, unit, 'the store refused an outcome');
  }

  #conclude({ message, settlement, settledAt }: Prepared, recorded: boolean): Settled {
    const { clock, conversations, log, store } = this.#options;
    const { outcome, reason, exitCode = null } = settlement;
    const note = notRecorded(store.obstacle);
    const replies = recorded ? settlement.replies : settlement.replies.map((t) => `${t}\n${note}`);
    const settled: Settled = { outcome, reason, replies, recorded, exitCode };
    const { id, kind, conversation, receivedAt } = message.row;
    this.#tellSettled(id, settled);
    conversations.tell(conversation, { type: 'settled', message: message.row, settled, settledAt });
    const tookMs = clock.wallMs() - receivedAt;
    log.info({ message: id, kind, conversation, outcome, reason, tookMs }, `${kind} ${outcome}`);
    return settled;
  }

  #tellSettled(messageId: string, settled: Settled): void {
    const open = this.#open.get(messageId);
    this.#open.delete(messageId);
    if (open === undefined) return;
    for (const text of settled.replies) this.#tellAll(messageId, open.listeners, { type: 'reply', text });
    this.#tellAll(messageId, open.listeners, { ...settled, type: 'settled' });
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
}

/**
 * Whether the next life would take this message up again, did it not find its outcome on disk: what was said to it is
 * said once more then, or it waits for a word. A command that began is not run again.
 */
const isTakenUpAgain = ({ row, classified }: InHand): boolean =>
  classified.kind === 'turn' && !waitsAtConnection(row);
