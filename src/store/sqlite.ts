/**
 * The store in one SQLite file, which a CLI can read and write beside the daemon: each question of the port to the reads of
 * its connection, each write through the group commit. How the connection comes through an outage is `kept-connection.ts`.
 */
import { SluiceError } from '../errors.ts';
import type { FoundId } from '../messages/found-id.ts';
import type { Connection } from './connection.ts';
import { backupStore } from './database.ts';
import { defect, isOutage, unavailable } from './errors.ts';
import { GroupCommit } from './group-commit.ts';
import { KeptConnection, type KeptConnectionOptions } from './kept-connection.ts';
import type { LastExit } from './last-exit.ts';
import type { Reads } from './reads.ts';
import type {
  CrashedSession,
  Death,
  JournalRow,
  SafeModeMark,
  StoredMessage,
  StoredNotice,
  StoredOutbound,
} from './records.ts';
import type {
  Exchange,
  Life,
  LifeStart,
  ListedMessage,
  ListOptions,
  OpenWork,
  SettledSince,
  Store,
} from './store.ts';
import type { MessageTrail } from './trail.ts';
import type { Write } from './write.ts';

export interface SqliteStoreOptions extends KeptConnectionOptions {
  /** Told of a journal row that the store, though well, did not take; INTERNAL. The next row carries the count. */
  readonly onRowLost?: (error: SluiceError) => void;
}

/**
 * Opens the store. On a full disk, or behind another's lock, it resolves with a store that is not writable
 * and opens itself in `probe`. Rejects with what no waiting cures: HOME_NO_PERMISSION, STORE_SCHEMA_NEWER,
 * STORE_SCHEMA_OTHER, STORE_CORRUPT.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const store = new SqliteStore(options);
  await store.open();
  return store;
}

export class SqliteStore implements Store {
  readonly #options: SqliteStoreOptions;
  readonly #kept: KeptConnection;
  readonly #commits: GroupCommit<Connection>;
  /** Ends the copies that are being made. */
  readonly #backups = new AbortController();
  #life: number | null = null;
  #probing: Promise<boolean> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SqliteStoreOptions) {
    this.#options = options;
    this.#kept = new KeptConnection(options);
    this.#commits = new GroupCommit<Connection>({
      clock: options.clock,
      connection: () => this.#kept.forWrites,
      madeRoom: (error) => this.#kept.madeRoom(error),
      outage: (error) => this.#kept.lost(error),
      defect: (error) => defect('a unit', error),
      journalRowLost: (error) => options.onRowLost?.(defect('a journal row', error)),
    });
  }

  get writable(): boolean {
    return this.#kept.forWrites !== undefined && this.#closing === undefined;
  }

  get obstacle(): Store['obstacle'] {
    return this.#kept.obstacle;
  }

  /** Called once, by `openSqliteStore`. */
  async open(): Promise<void> {
    await this.#kept.open();
  }

  commit(unit: readonly Write[]): Promise<'committed' | 'duplicate'> {
    return this.#write((connection) => connection.applyUnit(unit));
  }

  journal(row: JournalRow): void {
    this.#commits.addJournalRow(row);
  }

  async begin(start: LifeStart): Promise<Life> {
    const { id, epoch } = await this.#write((connection) => connection.writes.beginLife(start));
    this.#life = id;
    const { kind, pid, startTime, bootId } = start;
    return { id, kind, epoch, pid, startTime, bootId };
  }

  probe(): Promise<boolean> {
    this.#probing ??= this.#tryToWrite().finally(() => {
      this.#probing = undefined;
    });
    return this.#probing;
  }

  openLives(): Promise<readonly Life[]> {
    return this.#read((reads) => reads.openLives(this.#life));
  }

  lastExit(epoch: number): Promise<LastExit | undefined> {
    return this.#read((reads) => reads.lastExit(epoch));
  }

  find(platform: string, platformMessageId: string): Promise<StoredMessage | undefined> {
    return this.#read((reads) => reads.find(platform, platformMessageId));
  }

  message(id: string): Promise<StoredMessage | undefined> {
    return this.#read((reads) => reads.message(id));
  }

  replies(messageId: string): Promise<readonly StoredOutbound[]> {
    return this.#read((reads) => reads.replies(messageId));
  }

  settledSince(
    conversation: string,
    since: SettledSince,
    messagesMax: number,
  ): Promise<readonly StoredMessage[]> {
    return this.#read((reads) => reads.settledSince(conversation, since, messagesMax));
  }

  exitCode(messageId: string): Promise<number | null> {
    return this.#read((reads) => reads.exitCode(messageId) ?? null);
  }

  openWork(living: readonly number[]): Promise<OpenWork> {
    return this.#read((reads) => reads.openWork(living));
  }

  chosenAgent(conversation: string): Promise<string | null> {
    return this.#read((reads) => reads.chosenAgent(conversation));
  }

  history(conversation: string, turnId: string, exchangesMax: number): Promise<readonly Exchange[]> {
    return this.#read((reads) => reads.history(conversation, turnId, exchangesMax));
  }

  deaths(sinceMs: number): Promise<readonly Death[]> {
    return this.#read((reads) => reads.deaths(sinceMs));
  }

  safeMode(): Promise<SafeModeMark | undefined> {
    return this.#read((reads) => reads.safeMode());
  }

  crashedSessions(): Promise<readonly CrashedSession[]> {
    return this.#read((reads) => reads.crashedSessions());
  }

  awaitingResume(conversation: string): Promise<readonly StoredMessage[]> {
    return this.#read((reads) => reads.awaitingResume(conversation));
  }

  noticesOf(incident: string): Promise<readonly StoredNotice[]> {
    return this.#read((reads) => reads.noticesOf(incident));
  }

  pendingNotices(noticesMax: number): Promise<readonly StoredNotice[]> {
    return this.#read((reads) => reads.pendingNotices(noticesMax));
  }

  list(options: ListOptions): Promise<readonly ListedMessage[]> {
    return this.#read((reads) => reads.list(options));
  }

  outbound(id: string): Promise<StoredOutbound | undefined> {
    return this.#read((reads) => reads.outbound(id));
  }

  prune(beforeMs: number, rowsMax: number): Promise<number> {
    return this.#write((connection) => connection.writes.prune(beforeMs, rowsMax));
  }

  backup(path: string): Promise<number> {
    if (this.#kept.forReads === undefined) return Promise.reject(this.#refusal());
    return backupStore(this.#options.path, path, this.#backups.signal);
  }

  /** What is known of the message of this id, ours or its platform's. */
  trail(id: string): Promise<MessageTrail | undefined> {
    return this.#read((reads) => reads.trail(id));
  }

  /** What this id stands for, or its beginning: one message, one text that went out, several, or none. */
  lookup(id: string): Promise<FoundId> {
    return this.#read((reads) => reads.lookup(id));
  }

  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  #write<T>(apply: (connection: Connection) => T): Promise<T> {
    if (this.writable) return this.#commits.add(apply);
    return Promise.reject(this.#refusal());
  }

  async #read<T>(read: (reads: Reads) => T): Promise<T> {
    const connection = this.#kept.forReads;
    if (connection === undefined) throw this.#refusal();
    try {
      return read(connection.reads);
    } catch (error) {
      throw isOutage(error) ? unavailable(this.#options.path, error) : defect('a query', error);
    }
  }

  async #tryToWrite(): Promise<boolean> {
    if (this.#closing !== undefined) return false;
    if (!(await this.#kept.regain())) return false;
    this.#commits.soon();
    await this.#kept.replenish();
    return true;
  }

  #refusal(): SluiceError {
    if (this.#closing !== undefined)
      return new SluiceError('STORE_UNAVAILABLE', `${this.#options.path} is closed`);
    return this.#kept.refusal();
  }

  async #finish(): Promise<void> {
    await this.#probing;
    this.#backups.abort(new Error('the store is closing'));
    this.#commits.drain();
    this.#kept[Symbol.dispose]();
  }
}
