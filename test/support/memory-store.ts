/**
 * A store that keeps everything in memory and fails when it is told to: for parts of the gateway that must be
 * brought into an outage at an exact moment. It keeps the contract of every store (`test/contract`); what it takes
 * stands in `units`, in order.
 */
import { writeFile } from 'node:fs/promises';
import { messageOf, SluiceError } from '../../src/errors.ts';
import type { LastExit } from '../../src/store/last-exit.ts';
import type {
  CrashedSession,
  Death,
  JournalRow,
  SafeModeMark,
  StoredMessage,
  StoredNotice,
  StoredOutbound,
} from '../../src/store/records.ts';
import type {
  Exchange,
  Life,
  LifeStart,
  ListedMessage,
  ListOptions,
  OpenWork,
  SettledSince,
  Store,
} from '../../src/store/store.ts';
import type { Write } from '../../src/store/write.ts';
import { MemoryTables } from './memory-tables.ts';

export class MemoryStore implements Store {
  readonly units: (readonly Write[])[] = [];
  readonly journalRows: JournalRow[] = [];
  /** What it stands on; another store on the same tables is another process at the same file. */
  readonly tables: MemoryTables;
  writable = true;
  obstacle: Store['obstacle'] = 'disk';
  /** Called before each commit: it may fail the store, and what it throws is the commit's failure. */
  beforeCommit: (unit: readonly Write[]) => void = () => {};
  #life: number | null = null;
  #closed: Promise<void> | undefined;

  constructor(tables = new MemoryTables()) {
    this.tables = tables;
  }

  /** From now on nothing can be written. */
  fail(obstacle: Store['obstacle'] = 'disk'): void {
    this.writable = false;
    this.obstacle = obstacle;
  }

  async commit(unit: readonly Write[]): Promise<'committed' | 'duplicate'> {
    this.beforeCommit(unit);
    this.#mustBeWritable();
    try {
      const result = this.tables.applyUnit(unit);
      if (result === 'committed') this.units.push(unit);
      return result;
    } catch (cause) {
      throw new SluiceError('INTERNAL', 'the store refused a unit', { cause });
    }
  }

  journal(row: JournalRow): void {
    this.journalRows.push(row);
    this.tables.journalRows.push(row);
  }

  async probe(): Promise<boolean> {
    return this.writable;
  }

  async begin(start: LifeStart): Promise<Life> {
    this.#mustBeWritable();
    const life = this.tables.lives.begin(start);
    this.#life = life.id;
    return life;
  }

  async openLives(): Promise<readonly Life[]> {
    return this.#open().lives.open(this.#life);
  }

  async lastExit(epoch: number): Promise<LastExit | undefined> {
    return this.#open().lives.lastExit(epoch);
  }

  async find(platform: string, platformMessageId: string): Promise<StoredMessage | undefined> {
    return this.#open().find(platform, platformMessageId);
  }

  async message(id: string): Promise<StoredMessage | undefined> {
    return this.#open().message(id);
  }

  async settledSince(
    ...asked: [conversation: string, since: SettledSince, max: number]
  ): Promise<readonly StoredMessage[]> {
    return this.#open().settledSince(...asked);
  }

  async chosenAgent(conversation: string): Promise<string | null> {
    return this.#open().chosenAgent(conversation);
  }

  async replies(messageId: string): Promise<readonly StoredOutbound[]> {
    return this.#open().replies(messageId);
  }

  async exitCode(messageId: string): Promise<number | null> {
    return this.#open().exitCode(messageId);
  }

  async openWork(living: readonly number[]): Promise<OpenWork> {
    return this.#open().openWork(living);
  }

  async history(conversation: string, turnId: string, exchangesMax: number): Promise<readonly Exchange[]> {
    return this.#open().history(conversation, turnId, exchangesMax);
  }

  async deaths(sinceMs: number): Promise<readonly Death[]> {
    return this.#open().lives.deaths(sinceMs);
  }

  async safeMode(): Promise<SafeModeMark | undefined> {
    return this.#open().lives.safeMode();
  }

  async crashedSessions(): Promise<readonly CrashedSession[]> {
    return this.#open().crashedSessions();
  }

  async awaitingResume(conversation: string): Promise<readonly StoredMessage[]> {
    return this.#open().awaitingResume(conversation);
  }

  async noticesOf(incident: string): Promise<readonly StoredNotice[]> {
    return this.#open().noticesOf(incident);
  }

  async pendingNotices(noticesMax: number): Promise<readonly StoredNotice[]> {
    return this.#open().pendingNotices(noticesMax);
  }

  async list(options: ListOptions): Promise<readonly ListedMessage[]> {
    return this.#open().list(options);
  }

  async outbound(id: string): Promise<StoredOutbound | undefined> {
    return this.#open().outbound(id);
  }

  async prune(beforeMs: number, rowsMax: number): Promise<number> {
    this.#mustBeWritable();
    return this.tables.prune(beforeMs, rowsMax);
  }

  /** Its units, one a line. */
  async backup(path: string): Promise<number> {
    this.#open();
    const text = this.units.map((unit) => `${JSON.stringify(unit)}\n`).join('');
    try {
      await writeFile(path, text, { flag: 'wx', mode: 0o600 });
    } catch (cause) {
      throw new SluiceError('BACKUP_FAILED', `${path} cannot be made: ${messageOf(cause)}`, { cause });
    }
    return Buffer.byteLength(text);
  }

  close(): Promise<void> {
    this.writable = false;
    this.#closed ??= Promise.resolve();
    return this.#closed;
  }

  /** What was written is read through an outage, not after the close. */
  #open(): MemoryTables {
    if (this.#closed !== undefined) throw new SluiceError('STORE_UNAVAILABLE', 'the store is closed');
    return this.tables;
  }

  #mustBeWritable(): void {
    if (!this.writable) throw new SluiceError('STORE_UNAVAILABLE', 'the disk of the test is full');
  }
}
