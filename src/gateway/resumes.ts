/**
 * Messages whose turn was cut off, or that grew old, and that wait for a person's word; and conversations that rest
 * because they were in flight in too many deaths running. What waits is on disk as it is; this only knows it by heart.
 */
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { MessageRow } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import type { Write } from '../store/write.ts';
import type { Log } from '../telemetry/log.ts';

/** Messages of one conversation that may wait for a word; one more has its end instead. */
export const AWAITING_PER_CONVERSATION_MAX = 20;

export interface ResumesOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a person's word takes up. */
export interface Taken {
  /** In order of arrival. */
  readonly rows: readonly MessageRow[];
  /** The conversation rested. */
  readonly wasQuarantined: boolean;
}

export class Resumes {
  readonly #options: ResumesOptions;
  /** By conversation, in order of arrival. */
  readonly #awaiting = new Map<string, MessageRow[]>();
  readonly #quarantined = new Set<string>();
  /** Conversations whose crashes are counted; a turn that ends well makes them calm. */
  readonly #crashed = new Set<string>();

  constructor(options: ResumesOptions) {
    this.#options = options;
  }

  /** How many messages wait for a word, all conversations together. */
  get count(): number {
    let count = 0;
    for (const rows of this.#awaiting.values()) count += rows.length;
    return count;
  }

  /** What a start found. */
  recovered(found: {
    readonly awaiting: readonly MessageRow[];
    readonly quarantined: readonly string[];
    readonly crashed: readonly string[];
  }): void {
    for (const row of found.awaiting) this.add(row);
    for (const conversation of found.quarantined) this.#quarantined.add(conversation);
    for (const conversation of found.crashed) this.#crashed.add(conversation);
  }

  isQuarantined(conversation: string): boolean {
    return this.#quarantined.has(conversation);
  }

  /** This message waits for a word from now on. */
  add(row: MessageRow): void {
    const rows = this.#awaiting.get(row.conversation) ?? [];
    this.#awaiting.set(row.conversation, [...rows, row]);
  }

  /** True when one more of this conversation may wait. */
  hasRoom(conversation: string): boolean {
    return (this.#awaiting.get(conversation)?.length ?? 0) < AWAITING_PER_CONVERSATION_MAX;
  }

  /** A person says that this conversation goes on: what waited, and nothing of it rests any more. */
  take(conversation: string): Taken {
    const rows = this.#awaiting.get(conversation) ?? [];
    this.#awaiting.delete(conversation);
    const wasQuarantined = this.#quarantined.delete(conversation);
    if (wasQuarantined) this.#crashed.delete(conversation);
    return { rows, wasQuarantined };
  }

  /** It could not be written that it goes on: all is as before. */
  putBack(conversation: string, { rows, wasQuarantined }: Taken): void {
    const since = this.#awaiting.get(conversation) ?? [];
    if (rows.length + since.length > 0) this.#awaiting.set(conversation, [...rows, ...since]);
    if (!wasQuarantined) return;
    this.#quarantined.add(conversation);
    this.#crashed.add(conversation);
  }

  has({ id, conversation }: Pick<MessageRow, 'id' | 'conversation'>): boolean {
    return this.#awaiting.get(conversation)?.some((row) => row.id === id) === true;
  }

  /** It was given up by other means. */
  remove({ id, conversation }: Pick<MessageRow, 'id' | 'conversation'>): void {
    const rows = (this.#awaiting.get(conversation) ?? []).filter((row) => row.id !== id);
    if (rows.length === 0) this.#awaiting.delete(conversation);
    else this.#awaiting.set(conversation, rows);
  }

  /** A turn of this conversation ended well: its crashes are forgotten. */
  endedWell(conversation: string): void {
    if (this.#crashed.has(conversation)) void this.#calm(conversation);
  }

  async #calm(conversation: string): Promise<void> {
    const { store, clock, log } = this.#options;
    const calm: Write = { op: 'session.calm', conversation, at: clock.wallMs() };
    this.#crashed.delete(conversation);
    try {
      await store.commit([calm]);
    } catch (error) {
      this.#crashed.add(conversation);
      log.debug({ conversation, error: messageOf(error) }, 'crashes are forgotten later');
    }
  }
}
