/**
 * The tables behind `MemoryStore`, shared by every store that is opened on them, as processes share a file. A unit
 * is applied whole or not at all: each change remembers how to take it back.
 */
import type {
  CommandEnd,
  CommandRow,
  Exchange,
  LastExit,
  Life,
  LifeStart,
  OpenWork,
  SettledSince,
  StoredMessage,
  StoredOutbound,
  TurnRow,
  Write,
} from '../../src/store/store.ts';

interface LifeRecord extends Life {
  readonly end?: LastExit;
}

interface TurnRecord {
  readonly row: TurnRow;
  readonly messageIds: readonly string[];
  readonly streamed: string;
  readonly isOver: boolean;
}

interface CommandRecord {
  readonly row: CommandRow;
  readonly startedAt: number | null;
  readonly end?: CommandEnd;
}

interface OutboundRecord {
  readonly row: StoredOutbound;
  /** The life that claimed it last. */
  readonly claimedBy: number | null;
}

type WriteOf<Op extends Write['op']> = Extract<Write, { op: Op }>;

const isOpen = ({ row }: OutboundRecord) => row.state !== 'delivered' && row.state !== 'dead';

export class MemoryTables {
  readonly #lives = new Map<number, LifeRecord>();
  readonly #messages = new Map<string, StoredMessage>();
  /** Ids of messages by what their platform calls them. */
  readonly #delivered = new Map<string, string>();
  readonly #turns = new Map<string, TurnRecord>();
  readonly #commands = new Map<string, CommandRecord>();
  readonly #outbound = new Map<string, OutboundRecord>();
  readonly #chosen = new Map<string, string | null>();
  #undo: (() => void)[] = [];

  /** Throws, and has changed nothing, when one of the writes cannot be applied. */
  applyUnit(unit: readonly Write[]): 'committed' | 'duplicate' {
    this.#undo = [];
    try {
      for (const write of unit) {
        if (this.#apply(write)) continue;
        this.#takeBack();
        return 'duplicate';
      }
      return 'committed';
    } catch (error) {
      this.#takeBack();
      throw error;
    }
  }

  beginLife({ kind, pid, startTime, bootId, epochAbove }: LifeStart): Life {
    const epochs = Array.from(this.#lives.values(), ({ epoch }) => epoch ?? 0);
    const epoch = kind === 'cli' ? null : Math.max(epochAbove, ...epochs) + 1;
    const life = { id: this.#lives.size + 1, kind, epoch, pid, startTime, bootId };
    this.#lives.set(life.id, life);
    return life;
  }

  openLives(self: number | null): Life[] {
    return [...this.#lives.values()].filter(({ id, end }) => end === undefined && id !== self);
  }

  lastExit(epoch: number): LastExit | undefined {
    const before = [...this.#lives.values()].filter((life) => life.epoch !== null && life.epoch < epoch);
    const last = before.sort((a, b) => (b.epoch ?? 0) - (a.epoch ?? 0))[0];
    return last && (last.end ?? { code: null, cause: 'unknown', at: null });
  }

  find(platform: string, platformMessageId: string): StoredMessage | undefined {
    return this.message(this.#delivered.get(`${platform} ${platformMessageId}`) ?? '');
  }

  message(id: string): StoredMessage | undefined {
    return this.#messages.get(id);
  }

  replies(messageId: string): StoredOutbound[] {
    return Array.from(this.#outbound.values(), ({ row }) => row).filter((row) => row.messageId === messageId);
  }

  exitCode(messageId: string): number | null {
    const commands = [...this.#commands.values()].filter(({ row }) => row.messageId === messageId);
    return commands.find(({ end }) => end?.exitCode != null)?.end?.exitCode ?? null;
  }

  openWork(living: readonly number[]): OpenWork {
    const isTheirs = (life: number) => living.includes(life);
    return {
      messages: [...this.#messages.values()].filter(
        ({ outcome, life }) => outcome === null && !isTheirs(life),
      ),
      turns: [...this.#turns.values()]
        .filter(({ row, isOver }) => !isOver && !isTheirs(row.life))
        .map(({ row, messageIds }) => ({ ...row, messageIds })),
      commands: [...this.#commands.values()]
        .filter(({ row, end }) => end === undefined && !isTheirs(row.life))
        .map(({ row, startedAt }) => ({ ...row, startedAt })),
      outbound: [...this.#outbound.values()]
        .filter((one) => isOpen(one) && !isTheirs(one.claimedBy ?? one.row.life))
        .map(({ row }) => row),
    };
  }

  history(conversation: string, turnId: string, exchangesMax: number): Exchange[] {
    return [...this.#turns.values()]
      .filter(
        ({ row, streamed }) => streamed !== '' && row.conversation === conversation && row.id !== turnId,
      )
      .slice(-exchangesMax)
      .map(({ messageIds, streamed }) => ({
        texts: messageIds.map((id) => this.message(id)?.text ?? ''),
        answer: streamed,
      }));
  }

  settledSince(
    conversation: string,
    { settledAt: sinceMs, messageId }: SettledSince,
    messagesMax: number,
  ): StoredMessage[] {
    const rows = [...this.#messages.values()];
    const named = rows.findIndex(({ id }) => id === messageId);
    const isSince = ({ settledAt }: StoredMessage, index: number) =>
      settledAt !== null && (settledAt > sinceMs || (settledAt === sinceMs && index >= named));
    return rows
      .filter((row, index) => row.conversation === conversation && isSince(row, index))
      .sort((a, b) => (a.settledAt ?? 0) - (b.settledAt ?? 0))
      .slice(-messagesMax);
  }

  chosenAgent(conversation: string): string | null {
    return this.#chosen.get(conversation) ?? null;
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
      case 'turn.end':
        this.#changeTurn(write);
        return true;
      case 'command.receive':
      case 'command.start':
      case 'command.end':
        this.#changeCommand(write);
        return true;
      case 'reply':
        this.#known(write.outbound.messageId);
        this.#add(this.#outbound, write.outbound.id, outboundRecord(write));
        return true;
      case 'sending':
      case 'sent':
      case 'unsent':
        this.#changeOutbound(write);
        return true;
      case 'session.agent':
        this.#set(this.#chosen, write.conversation, write.agent);
        return true;
      case 'life.ready':
        return true;
      case 'life.end':
        this.#endLife(write);
        return true;
    }
  }

  #receive({ message }: WriteOf<'receive'>): boolean {
    const key = `${message.platform} ${message.platformMessageId}`;
    if (this.#delivered.has(key)) return false;
    this.#add(this.#messages, message.id, { ...message, outcome: null, settledAt: null, recorded: true });
    this.#add(this.#delivered, key, message.id);
    return true;
  }

  #changeMessage(write: WriteOf<'phase' | 'adopt' | 'settle'>): void {
    const before = this.#messages.get(write.id);
    if (before === undefined || before.outcome !== null) return;
    if (write.op === 'phase') {
      this.#set(this.#messages, write.id, {
        ...before,
        phase: write.phase,
        reason: write.reason ?? before.reason,
      });
    } else if (write.op === 'adopt') {
      this.#set(this.#messages, write.id, { ...before, phase: write.phase, life: write.life });
    } else {
      const { outcome, reason, at, recorded = true } = write;
      this.#set(this.#messages, write.id, {
        ...before,
        ...{ phase: 'settled', outcome, reason, settledAt: at, recorded },
      });
    }
  }

  #changeTurn(write: WriteOf<'turn.start' | 'turn.end'>): void {
    if (write.op === 'turn.start') {
      for (const id of write.messages) this.#known(id);
      const begun = { row: write.turn, messageIds: write.messages, streamed: '', isOver: false };
      this.#add(this.#turns, write.turn.id, begun);
      return;
    }
    const before = this.#turns.get(write.id);
    if (before === undefined || before.isOver) return;
    this.#set(this.#turns, write.id, { ...before, streamed: write.streamed, isOver: true });
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
      this.#set(this.#commands, id, taken);
    } else if (before !== undefined && write.op === 'command.end') {
      this.#set(this.#commands, id, { ...before, end: write.end });
    } else if (before?.startedAt === null && write.op === 'command.start') {
      this.#set(this.#commands, id, { ...before, startedAt: write.at });
    }
  }

  #changeOutbound(write: WriteOf<'sending' | 'sent' | 'unsent'>): void {
    const before = this.#outbound.get(write.id);
    if (before === undefined || !isOpen(before)) return;
    const { row } = before;
    if (write.op === 'sending') {
      const claimed = { ...row, state: 'sending', attempts: row.attempts + 1 } as const;
      this.#set(this.#outbound, write.id, { row: claimed, claimedBy: write.life });
    } else if (write.op === 'sent') {
      this.#set(this.#outbound, write.id, { ...before, row: { ...row, state: 'delivered' } });
    } else if (row.state === 'sending') {
      this.#set(this.#outbound, write.id, { ...before, row: { ...row, state: 'pending' } });
    }
  }

  #endLife({ id, code, cause, at }: WriteOf<'life.end'>): void {
    const life = this.#lives.get(id);
    if (life !== undefined && life.end === undefined) {
      this.#set(this.#lives, id, { ...life, end: { code, cause, at } });
    }
  }

  /** Nothing may belong to a message that is not there. */
  #known(messageId: string | null): void {
    if (messageId !== null && !this.#messages.has(messageId)) throw new Error(`no message ${messageId}`);
  }

  #add<K, V>(table: Map<K, V>, key: K, value: V): void {
    if (table.has(key)) throw new Error(`${key} is there already`);
    this.#set(table, key, value);
  }

  #set<K, V>(table: Map<K, V>, key: K, value: V): void {
    const before = table.get(key);
    this.#undo.push(() => void (before === undefined ? table.delete(key) : table.set(key, before)));
    table.set(key, value);
  }

  #takeBack(): void {
    for (const undo of this.#undo.reverse()) undo();
  }
}

function outboundRecord({ outbound, deliveredAt }: WriteOf<'reply'>): OutboundRecord {
  const state = deliveredAt === undefined ? 'pending' : 'delivered';
  return { row: { ...outbound, state, attempts: 0 }, claimedBy: null };
}
