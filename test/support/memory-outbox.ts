/** The outbox, the notices and the conversations of `MemoryTables`: what a start must still keep of what was promised. */
import type {
  CrashedSession,
  Notice,
  OpenOutbound,
  StoredNotice,
  StoredOutbound,
} from '../../src/store/records.ts';
import type { Write } from '../../src/store/write.ts';
import { type Changes, Table } from './memory-table.ts';

export type WriteOf<Op extends Write['op']> = Extract<Write, { op: Op }>;

interface OutboundRecord {
  readonly row: StoredOutbound;
  /** The life that claimed it last. */
  readonly claimedBy: number | null;
  /** When that claim began or ended. */
  readonly claimedAt: number | null;
}

type SendingOp = 'sending' | 'sent' | 'unsent' | 'outbound.end' | 'outbound.retry';

const isOver = ({ state }: StoredOutbound) => state === 'delivered' || state === 'dead';
const wasCut = ({ state }: StoredOutbound) => state === 'sending' || state === 'unknown';

export class MemoryOutbox {
  readonly #rows: Table<OutboundRecord>;

  constructor(changes: Changes) {
    this.#rows = new Table(changes);
  }

  row(id: string): StoredOutbound | undefined {
    return this.#rows.get(id)?.row;
  }

  of(messageId: string): StoredOutbound[] {
    return this.#rows
      .values()
      .map(({ row }) => row)
      .filter((row) => row.messageId === messageId);
  }

  open(isTheirs: (life: number) => boolean): OpenOutbound[] {
    return this.#rows
      .values()
      .filter(({ row, claimedBy }) => !isOver(row) && !isTheirs(claimedBy ?? row.life))
      .map(({ row, claimedAt }) => ({ ...row, claimedAt }));
  }

  /** Whether something that was said to this message has not come to its end. */
  isOwed(messageId: string): boolean {
    return this.of(messageId).some((row) => !isOver(row));
  }

  removeOf(messageId: string): void {
    for (const { id } of this.of(messageId)) this.#rows.remove(id);
  }

  /** Removes what answers no message, has come to its end and is older; gives how many. */
  removeOlder(beforeMs: number, rowsMax: number): number {
    const old = this.#rows
      .values()
      .filter(({ row }) => row.messageId === null && isOver(row) && row.createdAt < beforeMs)
      .slice(0, rowsMax);
    for (const { row } of old) this.#rows.remove(row.id);
    return old.length;
  }

  add({ outbound, deliveredAt }: WriteOf<'reply'>): void {
    const { part = 0, ...rest } = outbound;
    const row: StoredOutbound = {
      ...rest,
      ...(part === 0 ? {} : { part }),
      state: deliveredAt === undefined ? 'pending' : 'delivered',
      ...{ attempts: 0, nextAt: null, possibleDuplicate: false, error: null },
    };
    this.#rows.add(row.id, { row, claimedBy: null, claimedAt: null });
  }

  change(write: WriteOf<SendingOp>): void {
    const before = this.#rows.get(write.id);
    const row = before && changed(before.row, write);
    if (row === undefined) return;
    const claimedBy = write.op === 'sending' ? write.life : (before?.claimedBy ?? null);
    const isTimed = write.op === 'sending' || write.op === 'unsent' || write.op === 'outbound.retry';
    const claimedAt = isTimed ? write.at : (before?.claimedAt ?? null);
    this.#rows.set(write.id, { row, claimedBy, claimedAt });
  }
}

/** The row after this write; undefined where the write changes nothing of it. */
function changed(row: StoredOutbound, write: WriteOf<SendingOp>): StoredOutbound | undefined {
  switch (write.op) {
    case 'sending':
      if (isOver(row)) return undefined;
      return {
        ...row,
        ...{ state: 'sending', attempts: row.attempts + 1, nextAt: null },
        possibleDuplicate: row.possibleDuplicate || wasCut(row),
      };
    case 'sent':
      return row.state === 'delivered'
        ? undefined
        : { ...row, state: 'delivered', nextAt: null, error: null };
    case 'unsent':
      if (isOver(row)) return undefined;
      return {
        ...row,
        ...{ state: 'pending', error: write.error, nextAt: write.nextAt ?? null },
        attempts: row.attempts - (write.deferred && row.state === 'sending' ? 1 : 0),
      };
    case 'outbound.end':
      return isOver(row) ? undefined : { ...row, state: write.state, error: write.error, nextAt: null };
    case 'outbound.retry':
      if (row.state !== 'dead' && row.state !== 'unknown') return undefined;
      return {
        ...row,
        ...{ state: 'pending', nextAt: write.at, error: null },
        possibleDuplicate: row.possibleDuplicate || row.state === 'unknown',
      };
  }
}

export class MemoryNotices {
  readonly #rows: Table<StoredNotice>;

  constructor(changes: Changes) {
    this.#rows = new Table(changes);
  }

  of(incident: string): StoredNotice[] {
    return this.#rows.values().filter((row) => row.incident === incident);
  }

  pending(noticesMax: number): StoredNotice[] {
    return this.#rows
      .values()
      .filter(({ state }) => state === 'pending')
      .slice(0, noticesMax);
  }

  promise({ notice, at }: WriteOf<'notice'>): void {
    const key = keyOf(notice);
    if (!this.#rows.has(key)) this.#rows.add(key, { ...notice, state: 'pending', createdAt: at });
  }

  end({ notice, state }: WriteOf<'notice.end'>): void {
    const before = this.#rows.get(keyOf(notice));
    if (before?.state === 'pending') this.#rows.set(keyOf(notice), { ...before, state });
  }

  /** Removes what was kept or given up and is older; gives how many. */
  removeOlder(beforeMs: number, rowsMax: number): number {
    const old = this.#rows
      .values()
      .filter(({ state, createdAt }) => state !== 'pending' && createdAt < beforeMs)
      .slice(0, rowsMax);
    for (const row of old) this.#rows.remove(keyOf(row));
    return old.length;
  }
}

const keyOf = ({ incident, platform, conversation, kind }: Notice) =>
  JSON.stringify([incident, platform, conversation, kind]);

interface SessionRecord extends CrashedSession {
  readonly agent: string | null;
}

type SessionOp = 'session.agent' | 'session.crashed' | 'session.quarantine' | 'session.calm';

export class MemorySessions {
  readonly #rows: Table<SessionRecord>;

  constructor(changes: Changes) {
    this.#rows = new Table(changes);
  }

  agentOf(conversation: string): string | null {
    return this.#rows.get(conversation)?.agent ?? null;
  }

  crashed(): CrashedSession[] {
    return this.#rows
      .values()
      .filter(({ crashes, quarantined }) => crashes > 0 || quarantined)
      .map(({ conversation, crashes, quarantined }) => ({ conversation, crashes, quarantined }))
      .sort((a, b) => (a.conversation < b.conversation ? -1 : 1));
  }

  change(write: WriteOf<SessionOp>): void {
    const { conversation } = write;
    const known = this.#rows.get(conversation);
    const before = known ?? { conversation, agent: null, crashes: 0, quarantined: false };
    if (write.op === 'session.calm') {
      if (known !== undefined) this.#rows.set(conversation, { ...known, crashes: 0, quarantined: false });
      return;
    }
    const change =
      write.op === 'session.agent'
        ? { agent: write.agent }
        : write.op === 'session.crashed'
          ? { crashes: before.crashes + 1 }
          : { quarantined: true };
    this.#rows.set(conversation, { ...before, ...change });
  }
}
