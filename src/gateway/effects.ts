/**
 * Carries out what the chart asks for: takes up and holds messages, ends work whose time is over, and leaves in
 * order: what is in hand settles, replies leave, nothing more is taken in. Each effect is called after the event
 * that asked for it; one that takes time is answered by an event of its own.
 */
import { waitsAtConnection } from '../messages/local.ts';
import * as replies from '../messages/replies.ts';
import type { Parts } from './assembly.ts';
import { endingFor, goingWhere, interruption } from './departure.ts';
import type { InHand } from './in-hand.ts';
import type { Effects } from './lifecycle.ts';
import type { GatewayOptions } from './options.ts';

export interface GatewayEffectsOptions
  extends Pick<GatewayOptions, 'store' | 'abortStart' | 'closeFaces'>,
    Pick<
      Parts,
      | 'lifecycle'
      | 'connections'
      | 'intake'
      | 'dispatch'
      | 'delivery'
      | 'ledger'
      | 'turns'
      | 'commands'
      | 'held'
      | 'refusals'
      | 'takeUp'
    > {
  /** The work of this message has left: tells the chart. */
  readonly settled: (messageId: string) => void;
}

export class GatewayEffects implements Effects {
  readonly #options: GatewayEffectsOptions;
  #flushing = false;
  #receivingStopped = false;

  constructor(options: GatewayEffectsOptions) {
    this.#options = options;
  }

  /** The gateway takes turns again. */
  takeUpHeld(): void {
    const { refusals, held, takeUp } = this.#options;
    refusals.forget();
    held.forgetAnnounced();
    takeUp.all();
  }

  /** What was admitted and not begun is kept for the next start, or for the drain's end. */
  holdUnstarted(): void {
    const { turns, held, store } = this.#options;
    const messages = turns.takeUnstarted();
    if (messages.length === 0) return;
    held.putBack(messages.map((message) => message.row));
    const unit = messages.map(
      ({ row }) => ({ op: 'phase', id: row.id, phase: 'held', reason: 'state' }) as const,
    );
    // They stand on disk as waiting, which comes to the same at the next start: a failed commit loses nothing.
    void store
      .commit(unit)
      .catch(() => {})
      .then(() => this.#nowHeld(messages));
  }

  abortStart(): void {
    this.#options.abortStart();
    this.#options.connections.abandonStart();
  }

  abortTurns(): void {
    this.#options.turns.abortAll(interruption(this.#options.lifecycle.view));
  }

  killCommands(): void {
    const { turns, commands, lifecycle } = this.#options;
    turns.killAll(interruption(lifecycle.view));
    commands.killAll(replies.leavingNow(endingFor(lifecycle.view)));
  }

  /** Says `outbox.flushed` when nothing is in hand and everything has left. One flush at a time. */
  flush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    void this.#nothingInHand().then(() => {
      this.#flushing = false;
      this.#options.lifecycle.send({ type: 'outbox.flushed' });
    });
  }

  /** Says `intake.closed` when no face takes anything in and what came before is answered. */
  stopReceiving(): void {
    const { connections, closeFaces } = this.#options;
    void connections
      .stopReceiving()
      .then(closeFaces)
      .then(() => {
        this.#receivingStopped = true;
        return this.#sayClosed();
      });
  }

  askWhetherClosed(): void {
    if (this.#receivingStopped) void this.#sayClosed();
  }

  /** What came in while the gateway was closing is answered first; platforms go on sending until their end. */
  async #sayClosed(): Promise<void> {
    await this.#nothingInHand();
    this.#options.lifecycle.send({ type: 'intake.closed' });
  }

  async #nothingInHand(): Promise<void> {
    const { intake, dispatch, delivery } = this.#options;
    await intake.idle();
    await dispatch.idle();
    await delivery.idle();
  }

  #nowHeld(messages: readonly InHand[]): void {
    const { lifecycle, ledger, held, intake, settled } = this.#options;
    const text = replies.held(goingWhere(lifecycle.view));
    const stillHeld = new Set(held.rows.map((row) => row.id));
    for (const { row } of messages) {
      // The drain was cancelled meanwhile: it has been taken up again, and works under the same id.
      if (!stillHeld.has(row.id)) continue;
      const { id: messageId, kind } = row;
      const decided = { messageId, kind, admission: 'hold', reason: null, text } as const;
      ledger.tell(messageId, { type: 'admission', ...decided, duplicate: false, recorded: true });
      if (!waitsAtConnection(row)) held.announceLater(row);
      intake.nowHeld(row);
      settled(messageId);
    }
  }
}
