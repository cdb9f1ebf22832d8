/**
 * The store in one SQLite file, which a CLI can read and write beside the daemon.
 *
 * An outage (full disk, lock, I/O error) is a state, not an exception: `writable` is false, commits are
 * refused without touching the disk, and `probe` ends it. Reads answer while the file is open.
 */
import type { Clock } from '../clock.ts';
import { SluiceError } from '../errors.ts';
import type { FoundId } from '../messages/found-id.ts';
import type { Connection } from './connection.ts';
import { backupStore, connect, type DatabaseOptions } from './database.ts';
import { defect, isBusy, isOutage, keepsConnection, mayBeFullDisk, unavailable } from './errors.ts';
import { GroupCommit } from './group-commit.ts';
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
import { Reserve } from './reserve.ts';
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

export interface SqliteStoreOptions extends DatabaseOptions {
  /** The file that is given up when the disk is too full to open or to write the store. */
  readonly reservePath: string;
  readonly clock: Clock;
  /** Told of a journal row that the store, though well, did not take; INTERNAL. The next row carries the count. */
  readonly onRowLost?: (error: SluiceError) => void;
  /** Told once for each outage, when it begins; STORE_UNAVAILABLE, or what stands in the way of opening it again. */
  readonly onProblem: (error: SluiceError) => void;
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
  readonly #reserve: Reserve;
  readonly #commits: GroupCommit<Connection>;
  /** Ends the copies that are being made. */
  readonly #backups = new AbortController();
  #connection: Connection | undefined;
  /** Why nothing can be written, from the first failure until a probe succeeds. */
  #outage: SluiceError | undefined;
  #obstacle: Store['obstacle'] = 'disk';
  #life: number | null = null;
  #probing: Promise<boolean> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SqliteStoreOptions) {
    this.#options = options;
    this.#reserve = new Reserve(options.reservePath, options.clock);
    this.#commits = new GroupCommit<Connection>({
      clock: options.clock,
      connection: () => (this.#outage === undefined ? this.#connection : undefined),
      madeRoom: (error) => mayBeFullDisk(error) && this.#reserve.giveUp() && keepsConnection(error),
      outage: (error) => this.#fail(unavailable(options.path, error), keepsConnection(error)),
      defect: (error) => defect('a unit', error),
      journalRowLost: (error) => options.onRowLost?.(defect('a journal row', error)),
    });
  }

  get writable(): boolean {
    return this.#connection !== undefined && this.#outage === undefined && this.#closing === undefined;
  }

  get obstacle(): Store['obstacle'] {
    return this.#obstacle;
  }

  /** Called once, by `openSqliteStore`. */
  async open(): Promise<void> {
    try {
      this.#connection = await this.#connectOrMakeRoom();
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== 'STORE_UNAVAILABLE') throw error;
      this.#fail(error, false);
      return;
    }
    await this.#reserve.replenish();
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
    if (this.#connection === undefined) return Promise.reject(this.#refusal());
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
    if (this.#connection === undefined) throw this.#refusal();
    try {
      return read(this.#connection.reads);
    } catch (error) {
      throw isOutage(error) ? unavailable(this.#options.path, error) : defect('a query', error);
    }
  }

  async #tryToWrite(): Promise<boolean> {
    if (this.#closing !== undefined) return false;
    try {
      this.#connection ??= await this.#connectOrMakeRoom();
      this.#connection.touch();
    } catch (error) {
      const failure = error instanceof SluiceError ? error : unavailable(this.#options.path, error);
      this.#fail(failure, keepsConnection(error));
      return false;
    }
    this.#outage = undefined;
    this.#commits.soon();
    await this.#reserve.replenish();
    return true;
  }

  async #connectOrMakeRoom(): Promise<Connection> {
    try {
      return await connect(this.#options);
    } catch (error) {
      const full = error instanceof SluiceError && mayBeFullDisk(error.cause);
      if (!full || !this.#reserve.giveUp()) throw error;
      return await connect(this.#options);
    }
  }

  /** Enters the outage, or stays in it; told outside once for each kind of failure. */
  #fail(error: SluiceError, keepConnection: boolean): SluiceError {
    const before = this.#outage?.code;
    this.#outage = error;
    this.#obstacle = isBusy(error.cause) ? 'lock' : 'disk';
    if (!keepConnection) this.#disconnect();
    if (before !== error.code) this.#options.onProblem(error);
    return error;
  }

  #disconnect(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.close();
  }

  #refusal(): SluiceError {
    if (this.#closing !== undefined)
      return new SluiceError('STORE_UNAVAILABLE', `${this.#options.path} is closed`);
    return unavailable(this.#options.path, this.#outage?.cause ?? this.#outage);
  }

  async #finish(): Promise<void> {
    await this.#probing;
    this.#reserve[Symbol.dispose]();
    this.#backups.abort(new Error('the store is closing'));
    this.#commits.drain();
    this.#disconnect();
  }
}
