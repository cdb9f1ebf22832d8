/**
 * The tables behind `MemoryStore`, shared by every store that is opened on them, as processes share a file. A unit
 * is applied whole or not at all: each change remembers how to take it back.
 */
import type {
  CommandEnd,
  CommandRow,
  CrashedSession,
  JournalRow,
  OpenTurn,
  StoredMessage,
  StoredNotice,
  StoredOutbound,
  TurnRow,
} from '../../src/store/records.ts';
import type { Exchange, ListedMessage, ListOptions, OpenWork, SettledSince } from '../../src/store/store.ts';
import type { Write } from '../../src/store/write.ts';
import { MemoryLives } from './memory-lives.ts';
import { MemoryNotices, MemoryOutbox, MemorySessions, type WriteOf } from './memory-outbox.ts';
import { Changes, Table } from './memory-table.ts';

interface TurnRecord {
  readonly row: TurnRow;
  readonly messageIds: readonly string[];
  readonly attempt: number;
  readonly streamed: string;
  readonly isOver: boolean;
}

interface CommandRecord {
  readonly row: CommandRow;
  readonly startedAt: number | null;
  readonly end?: CommandEnd;
}

/** What is promised outwards, and the lives that promise it. */
type PromiseOp =
  | 'reply'
  | 'sending'
  | 'sent'
  | 'unsent'
  | `outbound.${'end' | 'retry'}`
  | 'notice'
  | 'life.safe-mode'
  | 'notice.end'
  | `life.${'ready' | 'end'}`;

/** Journal rows that go with one message of a `prune`. */
const JOURNAL_ROWS_PER_MESSAGE = 4;

export class MemoryTables {
  readonly #changes = new Changes();
  readonly lives = new MemoryLives(this.#changes);
  readonly #messages = new Table<StoredMessage>(this.#changes);
  /** Ids of messages by what their platform calls them. */
  readonly #delivered = new Table<string>(this.#changes);
  readonly #turns = new Table<TurnRecord>(this.#changes);
  readonly #commands = new Table<CommandRecord>(this.#changes);
  readonly #outbox = new MemoryOutbox(this.#changes);
  readonly #notices = new MemoryNotices(this.#changes);
  readonly #sessions = new MemorySessions(this.#changes);
  /** By epoch and number, in order. */
  journalRows: JournalRow[] = [];

  /** Throws, and has changed nothing, when one of the writes cannot be applied. */
  applyUnit(unit: readonly Write[]): 'committed' | 'duplicate' {
    this.#changes.begin();
    try {
      for (const write of unit) {
        if (this.#apply(write)) continue;
        this.#changes.takeBack();
        return 'duplicate';
      }
      return 'committed';
    } catch (error) {
      this.#changes.takeBack();
      throw error;
    }
  }

  find(platform: string, platformMessageId: string): StoredMessage | undefined {
    return this.message(this.#delivered.get(deliveryKey({ platform, platformMessageId })) ?? '');
  }

  message(id: string): StoredMessage | undefined {
    return this.#messages.get(id);
  }

  replies(messageId: string): StoredOutbound[] {
    return this.#outbox.of(messageId);
  }

  outbound(id: string): StoredOutbound | undefined {
    return this.#outbox.row(id);
  }

  exitCode(messageId: string): number | null {
    const commands = this.#commands.values().filter(({ row }) => row.messageId === messageId);
    return commands.find(({ end }) => end?.exitCode != null)?.end?.exitCode ?? null;
  }

  openWork(living: readonly number[]): OpenWork {
    const isTheirs = (life: number) => living.includes(life);
    return {
      messages: this.#messages.values().filter(({ outcome, life }) => outcome === null && !isTheirs(life)),
      turns: this.#turns
        .values()
        .filter(({ row, isOver }) => !isOver && !isTheirs(row.life))
        .map(
          ({ row, messageIds, attempt, streamed }): OpenTurn => ({ ...row, messageIds, attempt, streamed }),
        ),
      commands: this.#commands
        .values()
        .filter(({ row, end }) => end === undefined && !isTheirs(row.life))
        .map(({ row, startedAt }) => ({ ...row, startedAt })),
      outbound: this.#outbox.open(isTheirs),
    };
  }

  history(conversation: string, turnId: string, exchangesMax: number): Exchange[] {
    return this.#turns
      .values()
      .filter(({ row, streamed, isOver }) => isOver && streamed !== '' && row.conversation === conversation)
      .filter(({ row }) => row.id !== turnId)
      .slice(-exchangesMax)
      .map(({ messageIds, streamed }) => ({
        texts: messageIds.flatMap((id) => this.message(id)?.text ?? []),
        answer: streamed,
      }));
  }

  settledSince(
    conversation: string,
    { settledAt: sinceMs, messageId }: SettledSince,
    messagesMax: number,
  ): StoredMessage[] {
    const rows = this.#messages.values();
    const named = rows.findIndex(({ id }) => id === messageId);
    const isSince = ({ settledAt }: StoredMessage, index: number) =>
      settledAt !== null && (settledAt > sinceMs || (settledAt === sinceMs && index >= named));
    return rows
      .filter((row, index) => row.conversation === conversation && isSince(row, index))
      .sort((a, b) => (a.settledAt ?? 0) - (b.settledAt ?? 0))
      .slice(-messagesMax);
  }

  awaitingResume(conversation: string): StoredMessage[] {
    return this.#messages
      .values()
      .filter((row) => row.phase === 'awaiting-resume' && row.conversation === conversation);
  }

  list({ limit, outcome, state, undelivered = false }: ListOptions): ListedMessage[] {
    const isUndelivered = (row: StoredOutbound) => row.state === 'dead' || row.state === 'unknown';
    return this.#messages
      .values()
      .reverse()
      .filter((row) => outcome === undefined || row.outcome === outcome)
      .filter((row) => state === undefined || (row.outcome === null) === (state === 'open'))
      .map((row) => ({ ...row, replies: this.replies(row.id) }))
      .filter(({ replies }) => !undelivered || replies.some(isUndelivered))
      .slice(0, limit);
  }

  chosenAgent(conversation: string): string | null {
    return this.#sessions.agentOf(conversation);
  }

  crashedSessions(): CrashedSession[] {
    return this.#sessions.crashed();
  }

  noticesOf(incident: string): StoredNotice[] {
    return this.#notices.of(incident);
  }

  pendingNotices(noticesMax: number): StoredNotice[] {
    return this.#notices.pending(noticesMax);
  }

  prune(beforeMs: number, rowsMax: number): number {
    const old = this.#messages
      .values()
      .filter(({ settledAt }) => settledAt !== null && settledAt < beforeMs)
      .filter(({ id }) => !this.#isWorkedOn(id) && !this.#outbox.isOwed(id))
      .sort((a, b) => (a.settledAt ?? 0) - (b.settledAt ?? 0))
      .slice(0, rowsMax);
    for (const message of old) this.#remove(message);
    const journal = this.journalRows.slice(0, JOURNAL_ROWS_PER_MESSAGE * rowsMax);
    const oldRows = new Set(journal.filter(({ at }) => at < beforeMs));
    this.journalRows = this.journalRows.filter((row) => !oldRows.has(row));
    const promised =
      this.#outbox.removeOlder(beforeMs, rowsMax) + this.#notices.removeOlder(beforeMs, rowsMax);
    return old.length + oldRows.size + promised;
  }

  #isWorkedOn(messageId: string): boolean {
    const turns = this.#turns.values().filter(({ messageIds }) => messageIds.includes(messageId));
    const commands = this.#commands.values().filter(({ row }) => row.messageId === messageId);
    return turns.some(({ isOver }) => !isOver) || commands.some(({ end }) => end === undefined);
  }

  #remove(message: StoredMessage): void {
    this.#messages.remove(message.id);
    this.#delivered.remove(deliveryKey(message));
    this.#outbox.removeOf(message.id);
    for (const { row } of this.#commands.values()) {
      if (row.messageId === message.id) this.#commands.remove(row.id);
    }
    for (const { row, messageIds } of this.#turns.values()) {
      if (!messageIds.some((id) => this.#messages.has(id))) this.#turns.remove(row.id);
    }
  }

  /** False for a message that its platform delivered before. */
  #apply(write: Write): boolean {
    switch (write.op) {
      case 'receive':
        return this.#receive(write);
      case 'phase':
      case 'adopt':
      case 'settle':
        this.#changeMessage(write);
        return true;
      case 'turn.start':
      case 'turn.progress':
      case 'turn.end':
        this.#changeTurn(write);
        return true;
      case 'command.receive':
      case 'command.start':
      case 'command.end':
        this.#changeCommand(write);
        return true;
      case 'session.agent':
      case 'session.crashed':
      case 'session.quarantine':
      case 'session.calm':
        this.#sessions.change(write);
        return true;
      default:
        this.#applyPromise(write);
        return true;
    }
  }

  #applyPromise(write: WriteOf<PromiseOp>): void {
    switch (write.op) {
      case 'reply':
        this.#known(write.outbound.messageId);
        this.#outbox.add(write);
        return;
      case 'sending':
      case 'sent':
      case 'unsent':
      case 'outbound.end':
      case 'outbound.retry':
        this.#outbox.change(write);
        return;
      case 'notice':
        this.#notices.promise(write);
        return;
      case 'notice.end':
        this.#notices.end(write);
        return;
      case 'life.end':
        this.lives.end(write);
        return;
      case 'life.safe-mode':
        this.lives.mark(write);
        return;
      case 'life.ready':
        return;
    }
  }

  #receive({ message }: WriteOf<'receive'>): boolean {
    const key = deliveryKey(message);
    if (this.#delivered.has(key)) return false;
    this.#messages.add(message.id, { ...message, outcome: null, settledAt: null, recorded: true });
    this.#delivered.add(key, message.id);
    return true;
  }

  #changeMessage(write: WriteOf<'phase' | 'adopt' | 'settle'>): void {
    const before = this.#messages.get(write.id);
    if (before === undefined || before.outcome !== null) return;
    if (write.op === 'phase') {
      const reason = write.reason ?? before.reason;
      this.#messages.set(write.id, { ...before, phase: write.phase, reason });
    } else if (write.op === 'adopt') {
      this.#messages.set(write.id, { ...before, phase: write.phase, life: write.life });
    } else {
      const { outcome, reason, at, recorded = true } = write;
      const settled = { phase: 'settled', outcome, reason, settledAt: at, recorded } as const;
      this.#messages.set(write.id, { ...before, ...settled });
    }
  }

  #changeTurn(write: WriteOf<'turn.start' | 'turn.progress' | 'turn.end'>): void {
    if (write.op === 'turn.start') {
      for (const id of write.messages) this.#known(id);
      const before = this.#turns
        .values()
        .filter(({ messageIds }) => messageIds.includes(write.messages[0] ?? ''));
      const begun = { row: write.turn, messageIds: write.messages, attempt: before.length + 1 };
      this.#turns.add(write.turn.id, { ...begun, streamed: '', isOver: false });
      return;
    }
    const before = this.#turns.get(write.id);
    if (before === undefined || before.isOver) return;
    const streamed = write.streamed ?? before.streamed;
    this.#turns.set(write.id, { ...before, streamed, isOver: write.op === 'turn.end' });
  }

  #changeCommand(write: WriteOf<'command.receive' | 'command.start' | 'command.end'>): void {
    const id = write.op === 'command.receive' ? write.command.id : 'id' in write ? write.id : write.end.id;
    const before = this.#commands.get(id);
    if (before?.end !== undefined) return;
    if (write.op === 'command.receive') {
      this.#known(write.command.messageId);
      const taken =
        before === undefined
          ? { row: write.command, startedAt: null }
          : { ...before, row: { ...before.row, life: write.command.life } };
      this.#commands.set(id, taken);
    } else if (before !== undefined && write.op === 'command.end') {
      this.#commands.set(id, { ...before, end: write.end });
    } else if (before?.startedAt === null && write.op === 'command.start') {
      this.#commands.set(id, { ...before, startedAt: write.at });
    }
  }

  /** Nothing may belong to a message that is not there. */
  #known(messageId: string | null): void {
    if (messageId !== null && !this.#messages.has(messageId)) throw new Error(`no message ${messageId}`);
  }
}

function deliveryKey({
  platform,
  platformMessageId,
}: {
  platform: string;
  platformMessageId: string;
}): string {
  return `${platform} ${platformMessageId}`;
}
