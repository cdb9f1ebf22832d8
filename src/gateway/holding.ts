/**
 * What was admitted and could not begin becomes held, whatever kept it: a drain began first, or its start could not be
 * written. It is put back among the held at once; then whoever watches it, whoever asks for it again, its conversation
 * and at last the chart are told.
 */
import { waitsAtConnection } from '../messages/local.ts';
import * as replies from '../messages/replies.ts';
import type { MessageRow, Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { Conversations } from './conversations.ts';
import { goingWhere } from './departure.ts';
import type { Held } from './held.ts';
import type { InHand, Rule } from './in-hand.ts';
import type { Ledger } from './ledger.ts';
import type { Lifecycle } from './lifecycle.ts';
import { logUnlessOutage } from './unexpected.ts';

export interface HoldingOptions {
  readonly store: Store;
  readonly log: Log;
  readonly lifecycle: Lifecycle;
  readonly ledger: Ledger;
  readonly conversations: Conversations;
  readonly held: Held;
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

  #tell(messages: readonly InHand[]): void {
    const { lifecycle, ledger, conversations, held, nowHeld, settled } = this.#options;
    const text = replies.held(goingWhere(lifecycle.view));
    const stillHeld = new Set(held.rows.map((row) => row.id));
    const noticed = new Set<string>();
    for (const { row } of messages) {
      // The drain was cancelled meanwhile: it has been taken up again, and works under the same id.
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
