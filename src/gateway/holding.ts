/**
 * What was admitted and could not begin becomes held, whatever kept it: a drain began first, or its start could not be
 * written. It is put back among the held at once; then whoever watches it, whoever asks for it again, its conversation
 * and at last the chart are told.
 */
import { waitsAtConnection } from '../messages/local.ts';
import * as replies from '../messages/replies.ts';
import type { MessageRow } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { Conversations } from './conversations.ts';
import { goingWhere } from './departure.ts';
import type { Held } from './held.ts';
import type { InHand, Rule, Suspension } from './in-hand.ts';
import type { Ledger } from './ledger.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Resumes } from './resumes.ts';
import { logUnlessOutage } from './unexpected.ts';

export interface HoldingOptions {
  readonly store: Store;
  readonly log: Log;
  readonly lifecycle: Lifecycle;
  readonly ledger: Ledger;
  readonly conversations: Conversations;
  readonly held: Held;
  readonly resumes: Resumes;
  /** The same id again is answered as a held one from now on. */
  readonly nowHeld: (row: MessageRow) => void;
  /** The work of this message has left: tells the chart. */
  readonly settled: (messageId: string) => void;
}

export class Holding {
  readonly #options: HoldingOptions;

  constructor(options: HoldingOptions) {
    this.#options = options;
  }

  /** Holds messages that stand on disk as waiting; `rule`: why. Resolves when everybody has been told. Never rejects. */
  async hold(messages: readonly InHand[], rule: Extract<Rule, 'state' | 'store'>): Promise<void> {
    const { held, store, log } = this.#options;
    if (messages.length === 0) return;
    held.putBack(messages.map(({ row }) => row));
    const unit = messages.map(
      ({ row }) => ({ op: 'phase', id: row.id, phase: 'held', reason: rule }) as const,
    );
    try {
      await store.commit(unit);
    } catch (error) {
      // They stand on disk as waiting, which comes to the same at the next start.
      logUnlessOutage(log, error, 'messages are held and could not be written as held');
    }
    this.#tell(messages);
  }

  /**
   * Leaves a message open whose turn the gateway's end cut off. Where that cannot be written it is said all the same: the
   * next start finds the turn as one that was cut off, and decides alike. Never rejects.
   */
  async suspend(message: InHand, suspension: Suspension): Promise<void> {
    if (suspension.leftToNextStart) await this.#leave(message, suspension);
    else await this.#options.ledger.keepOpen(message, suspension, true);
    this.#suspended(message, suspension);
  }

  /** Only whoever waits for it here is told: its conversation hears of a death from the next start, once an incident. */
  async #leave({ row }: InHand, { replies: texts, writes = [] }: Suspension): Promise<void> {
    const { store, ledger, log } = this.#options;
    try {
      if (writes.length > 0) await store.commit(writes);
    } catch (error) {
      logUnlessOutage(log, error, 'what a turn had streamed was not written', { message: row.id });
    }
    for (const text of texts) ledger.tell(row.id, { type: 'reply', text });
  }

  /** Has a message wait for a person's word that nobody works on; false when it cannot be written. Never rejects. */
  async putAside(message: InHand, suspension: Suspension): Promise<boolean> {
    const isWritten = await this.#options.ledger.keepOpen(message, suspension, false);
    if (isWritten) this.#suspended(message, suspension);
    return isWritten;
  }

  #suspended(message: InHand, { phase, reason, replies: texts }: Suspension): void {
    const { ledger, held, resumes, conversations, nowHeld } = this.#options;
    const row = { ...message.row, phase, reason: 'resume' } as const;
    const { id: messageId, kind, conversation } = row;
    const text = texts.at(-1) ?? null;
    if (phase === 'held') {
      held.putBack([row]);
      const decided = { messageId, kind, admission: 'hold', reason: null, text } as const;
      ledger.tell(messageId, { type: 'admission', ...decided, duplicate: false, recorded: true });
    } else {
      resumes.add(row);
      ledger.tell(messageId, { type: 'awaiting', messageId, text: text ?? reason });
    }
    conversations.tell(conversation, { type: 'message', message: row, admission: 'hold' });
    if (waitsAtConnection(row) && text !== null) conversations.tell(conversation, { type: 'notice', text });
    nowHeld(row);
  }

  #tell(messages: readonly InHand[]): void {
    const { lifecycle, ledger, conversations, held, nowHeld, settled } = this.#options;
    const text = replies.held(goingWhere(lifecycle.view));
    const stillHeld = new Set(held.rows.map((row) => row.id));
    const noticed = new Set<string>();
    for (const { row } of messages) {
      // Taken up again, because the drain was cancelled meanwhile, it works under the same id. Whoever took it out for
      // another reason has told the chart.
      if (!stillHeld.has(row.id)) continue;
      const { id: messageId, kind, conversation } = row;
      const decided = { messageId, kind, admission: 'hold', reason: null, text } as const;
      ledger.tell(messageId, { type: 'admission', ...decided, duplicate: false, recorded: true });
      conversations.tell(conversation, { type: 'message', message: row, admission: 'hold' });
      if (!waitsAtConnection(row)) held.announceLater(row);
      else if (!noticed.has(conversation)) conversations.tell(conversation, { type: 'notice', text });
      noticed.add(conversation);
      nowHeld(row);
      settled(messageId);
    }
  }
}
