/**
 * What is on disk, as the checker knows it: made from the units that were committed, never read back from a store, so that
 * no table can agree with the gateway about something that did not happen.
 */
import type {
  MessageRow,
  OutboundRow,
  OutboundState,
  Outcome,
  Phase,
  TurnRow,
} from '../../src/store/records.ts';
import type { Write } from '../../src/store/write.ts';

export interface MessageRecord {
  readonly row: MessageRow;
  /** In what order messages were accepted. */
  readonly number: number;
  phase: Phase;
  reason: string | null;
  outcome: Outcome | null;
  outcomeReason: string | null;
  /** A person was asked whether it is still to be answered. */
  wasAwaiting: boolean;
}

export interface TurnRecord {
  readonly row: TurnRow;
  /** Whose it is, as the world counts lives. */
  readonly life: number;
  readonly messages: readonly string[];
  outcome: 'answered' | 'failed' | 'interrupted' | null;
}

export interface OutboundRecord {
  readonly row: OutboundRow;
  /**
   * Its place among others is not that of its row: it was written down after the fact, because nothing could be written
   * then, or said by a life that had not been able to look what earlier ones left.
   */
  readonly isNoted: boolean;
  state: OutboundState;
}

export class Records {
  readonly messages = new Map<string, MessageRecord>();
  /** By the platform's id. */
  readonly byKey = new Map<string, MessageRecord>();
  readonly turns = new Map<string, TurnRecord>();
  /** Messages of commands whose start is on disk. */
  readonly startedCommands = new Set<string>();
  readonly outbound = new Map<string, OutboundRecord>();
  /** Of each conversation, in the order in which they were committed. */
  readonly lines = new Map<string, OutboundRecord[]>();
  /** Told of each message that is settled for a second time. */
  readonly settledTwice: string[] = [];
  /** The life that is could not be written to when it was to go on with what dead ones left, and has not done so yet. */
  isLate = false;
  #isNoted = false;

  apply(life: number, unit: readonly Write[]): void {
    this.#isNoted = this.isLate || unit.some((write) => write.op === 'settle' && write.recorded === false);
    for (const write of unit) this.#write(life, write);
  }

  get openMessages(): MessageRecord[] {
    return [...this.messages.values()].filter(({ outcome }) => outcome === null);
  }

  get openTurns(): TurnRecord[] {
    return [...this.turns.values()].filter(({ outcome }) => outcome === null);
  }

  repliesTo(id: string): OutboundRecord[] {
    return [...this.outbound.values()].filter(({ row }) => row.messageId === id);
  }

  #write(life: number, write: Write): void {
    switch (write.op) {
      case 'receive':
        this.#receive(write.message);
        return;
      case 'phase':
      case 'adopt':
        this.#move(write);
        return;
      case 'settle':
        this.#settle(write);
        return;
      case 'turn.start':
        this.turns.set(write.turn.id, { row: write.turn, life, messages: write.messages, outcome: null });
        return;
      case 'turn.end': {
        const turn = this.turns.get(write.id);
        if (turn !== undefined) turn.outcome ??= write.outcome;
        return;
      }
      case 'command.start':
        this.startedCommands.add(write.id.replace(/^c_/, 'm_'));
        return;
      case 'reply':
        this.#reply(write.outbound, write.deliveredAt);
        return;
      case 'sending':
        this.#mark(write.id, 'sending');
        return;
      case 'sent':
        this.#mark(write.id, 'delivered');
        return;
      case 'unsent':
      case 'outbound.retry':
        this.#mark(write.id, 'pending');
        return;
      case 'outbound.end':
        this.#mark(write.id, write.state);
        return;
      default:
        return;
    }
  }

  #receive(row: MessageRow): void {
    const { phase, reason } = row;
    const record: MessageRecord = {
      ...{ row, number: this.messages.size, phase, reason },
      ...{ outcome: null, outcomeReason: null, wasAwaiting: false },
    };
    this.messages.set(row.id, record);
    this.byKey.set(row.platformMessageId, record);
  }

  #move(write: Extract<Write, { op: 'phase' | 'adopt' }>): void {
    const record = this.messages.get(write.id);
    if (record === undefined || record.outcome !== null) return;
    record.phase = write.phase;
    if (write.phase === 'awaiting-resume') record.wasAwaiting = true;
    if (write.op === 'phase') record.reason = write.reason ?? record.reason;
  }

  #settle({ id, outcome, reason }: Extract<Write, { op: 'settle' }>): void {
    const record = this.messages.get(id);
    if (record === undefined) return;
    if (record.outcome !== null) this.settledTwice.push(id);
    else Object.assign(record, { outcome, outcomeReason: reason, phase: 'settled' });
  }

  #reply(row: OutboundRow, deliveredAt: number | undefined): void {
    const state = deliveredAt === undefined ? 'pending' : 'delivered';
    const record: OutboundRecord = { row, isNoted: this.#isNoted, state };
    this.outbound.set(row.id, record);
    const line = this.lines.get(row.conversation);
    if (line === undefined) this.lines.set(row.conversation, [record]);
    else line.push(record);
  }

  #mark(id: string, state: OutboundState): void {
    const record = this.outbound.get(id);
    if (record !== undefined && record.state !== 'delivered') record.state = state;
  }
}
