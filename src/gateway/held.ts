/**
 * Messages that wait until the gateway takes turns again, in order of arrival. Their rows are on disk as held, or on their
 * way there (`isWritten`), so "kept" stays true after a crash. People on platforms hear of it when it lasts; whoever waits
 * at the socket or over HTTP has been told at once.
 */
import type { Clock } from '../clock.ts';
import type { MessageRow } from '../store/records.ts';

export const HELD_PER_CONVERSATION_MAX = 20;
export const HELD_MAX = 1000;

/** A message that is held shorter than this is not announced. */
const NOTICE_AFTER_MS = 2000;

export class Held {
  readonly #clock: Clock;
  /** Says in a conversation that its messages are kept. */
  readonly #announce: (row: MessageRow) => void;
  readonly #rows = new Map<string, MessageRow>();
  /** Those whose rows are not on disk yet: each may turn out to be a duplicate, or not to be kept. */
  readonly #unwritten = new Set<string>();
  /** Of all that the start found open, also of what waits for a word: their places in the order of arrival. */
  readonly #ranks = new Map<string, number>();
  readonly #announced = new Map<string, Disposable>();

  constructor(clock: Clock, announce: (row: MessageRow) => void) {
    this.#clock = clock;
    this.#announce = announce;
  }

  get count(): number {
    return this.#rows.size;
  }

  get rows(): readonly MessageRow[] {
    return [...this.#rows.values()];
  }

  has(id: string): boolean {
    return this.#rows.has(id);
  }

  /** The limit that leaves no room for one more of this conversation; undefined when there is room. */
  fullFor(conversation: string): { limit: number; what: 'conversation' | 'gateway' } | undefined {
    if (this.#rows.size >= HELD_MAX) return { limit: HELD_MAX, what: 'gateway' };
    let ofConversation = 0;
    for (const row of this.#rows.values()) if (row.conversation === conversation) ofConversation += 1;
    if (ofConversation < HELD_PER_CONVERSATION_MAX) return undefined;
    return { limit: HELD_PER_CONVERSATION_MAX, what: 'conversation' };
  }

  /** It takes its place; `written` follows, or `remove`. */
  add(row: MessageRow): void {
    this.#rows.set(row.id, row);
    this.#unwritten.add(row.id);
  }

  /** Its row is on disk. */
  written(id: string): void {
    this.#unwritten.delete(id);
  }

  isWritten(id: string): boolean {
    return !this.#unwritten.has(id);
  }

  /** True when something of this conversation is held: what comes later waits behind it. */
  hasOf(conversation: string): boolean {
    for (const row of this.#rows.values()) if (row.conversation === conversation) return true;
    return false;
  }

  /**
   * What the start found: it stands before all that comes in this life. `arrived`: the ids of all that was open, in order
   * of arrival, for what waits for a person's word may be put back among the held later.
   */
  recovered(rows: readonly MessageRow[], arrived: readonly string[]): void {
    for (const [place, id] of arrived.entries()) this.#ranks.set(id, place - Number.MAX_SAFE_INTEGER);
    this.putBack(rows);
  }

  /** Puts messages back where they belong among those that are held, by their arrival. */
  putBack(rows: readonly MessageRow[]): void {
    const all = [...rows, ...this.rows].sort((a, b) => this.#inOrder(a, b));
    this.#rows.clear();
    for (const row of all) this.#rows.set(row.id, row);
  }

  remove(id: string): void {
    this.#rows.delete(id);
    this.#unwritten.delete(id);
  }

  /** Announces a hold in its conversation if it is still held in a while; once until `forgetAnnounced`. */
  announceLater(row: MessageRow): void {
    if (this.#announced.has(row.conversation)) return;
    const timer = this.#clock.timer(NOTICE_AFTER_MS, () => {
      const still = this.rows.find((one) => one.conversation === row.conversation);
      if (still === undefined) this.#announced.delete(row.conversation);
      else this.#announce(still);
    });
    this.#announced.set(row.conversation, timer);
  }

  /** The gateway takes turns again: the next hold is a new one, and is announced again. */
  forgetAnnounced(): void {
    for (const timer of this.#announced.values()) timer[Symbol.dispose]();
    this.#announced.clear();
  }

  /**
   * What goes on with a turn that was cut off comes first, then all in order of arrival. Ids of one life are made in that
   * order; times are not asked, for a clock may be set back.
   */
  #inOrder(a: MessageRow, b: MessageRow): number {
    const byResume = Number(b.reason === 'resume') - Number(a.reason === 'resume');
    const byRank = (this.#ranks.get(a.id) ?? 0) - (this.#ranks.get(b.id) ?? 0);
    return byResume || byRank || (a.id < b.id ? -1 : 1);
  }
}
