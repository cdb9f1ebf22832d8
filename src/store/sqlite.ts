/**
 * The store in one SQLite file, and the only file that opens it. WAL with `synchronous = FULL`: what was
 * acknowledged survives a kill and a power cut. Locking mode NORMAL, so that a CLI can read and write beside
 * the daemon; a lock held by another process is waited for BUSY_TIMEOUT_MS at most, because SQLite waits on
 * our event loop.
 *
 * An outage (full disk, lock, I/O error) is a state, not an exception: `writable` is false, commits are
 * refused without touching the disk, and `probe` ends it. Reads answer while the file is open.
 */
import { accessSync, chmodSync, constants, existsSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import type { Clock } from '../clock.ts';
import { messageOf, SluiceError } from '../errors.ts';
import { Connection } from './connection.ts';
import { defect, isOutage, keepsConnection, mayBeFullDisk, openFailure, unavailable } from './errors.ts';
import { GroupCommit } from './group-commit.ts';
import { MIGRATIONS, type Migration } from './migrations/migrations.ts';
import { prepareReads, type Reads } from './reads.ts';
import { Reserve } from './reserve.ts';
import { prepareSchema, requireSchema } from './schema.ts';
import type {
  Exchange,
  JournalRow,
  LastExit,
  Life,
  LifeStart,
  OpenWork,
  SettledSince,
  Store,
  StoredMessage,
  StoredOutbound,
  Write,
} from './store.ts';
import type { MessageTrail } from './trail.ts';

/** How long a statement waits for another process's lock, and the event loop with it; a batch does so twice. */
const BUSY_TIMEOUT_MS = 50;

/** What the file system says when no waiting will help. */
const FORBIDDEN: ReadonlySet<unknown> = new Set(['EACCES', 'EPERM', 'EROFS']);

export interface SqliteStoreOptions {
  /** The database file; its folder must exist. Created with mode 0600. */
  readonly path: string;
  /** The file that is given up when the disk is too full to open or to write the store. */
  readonly reservePath: string;
  /** True for the daemon: make the schema and bring it up to date. False: refuse another one. */
  readonly migrate: boolean;
  readonly clock: Clock;
  /** Told of a journal row that the store, though well, did not take; INTERNAL. The next row carries the count. */
  readonly onRowLost?: (error: SluiceError) => void;
  /** Told once for each outage, when it begins; STORE_UNAVAILABLE, or what stands in the way of opening it again. */
  readonly onProblem: (error: SluiceError) => void;
  /** Every schema change there is; another list only in tests. */
  readonly migrations?: readonly Migration[];
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

/**
 * Asks the file of a store that this process has no part in, beside a gateway or without one; nothing in it changes.
 * Throws as `openSqliteStore` rejects, and STORE_UNAVAILABLE.
 */
export function readStore<T>(path: string, read: (reads: Reads) => T): T {
  if (!existsSync(path)) throw new SluiceError('STORE_SCHEMA_OTHER', `${path} does not exist yet`);
  try {
    const db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    try {
      requireSchema(db, path, MIGRATIONS.length);
      return read(prepareReads(db));
    } finally {
      db.close();
    }
  } catch (error) {
    throw openFailure(path, error);
  }
}

export class SqliteStore implements Store {
  readonly #options: SqliteStoreOptions;
  readonly #reserve: Reserve;
  readonly #commits: GroupCommit<Connection>;
  #connection: Connection | undefined;
  /** Why nothing can be written, from the first failure until a probe succeeds. */
  #outage: SluiceError | undefined;
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

  /** What is known of the message of this id, ours or its platform's. */
  trail(id: string): Promise<MessageTrail | undefined> {
    return this.#read((reads) => reads.trail(id));
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
    this.#commits.drain();
    this.#disconnect();
  }
}

/** Opens the file and brings its schema up to date. Throws an error of the catalogue for what the world did. */
async function connect({ path, migrate, migrations = MIGRATIONS }: SqliteStoreOptions): Promise<Connection> {
  if (!isThere(path) && !migrate) throw new SluiceError('STORE_SCHEMA_OTHER', `${path} does not exist yet`);
  try {
    const db = openPrivate(path);
    try {
      await prepareSchema(db, { path, migrate, migrations, copy: (to) => copyPrivate(db, to) });
      return new Connection(db);
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    throw openFailure(path, error);
  }
}

/** Asks without opening: closing any descriptor of the file but SQLite's own would drop SQLite's locks on it. */
function isThere(path: string): boolean {
  try {
    accessSync(dirname(path), constants.R_OK | constants.W_OK | constants.X_OK);
    if (!existsSync(path)) return false;
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch (error) {
    if (!isForbidden(error)) throw unavailable(path, error);
    throw new SluiceError('HOME_NO_PERMISSION', `${path} cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function isForbidden(error: unknown): boolean {
  return error instanceof Error && 'code' in error && FORBIDDEN.has(error.code);
}

/** SQLite makes files that others may read, and gives -wal and -shm the mode of the database. */
function openPrivate(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  const { mode, uid } = statSync(path);
  if ((mode & 0o077) !== 0 && uid === process.getuid?.()) chmodSync(path, 0o600);
  return db;
}

/** A copy of the same name is one of the same version, from a start that did not get further. */
async function copyPrivate(db: DatabaseSync, to: string): Promise<void> {
  rmSync(to, { force: true });
  openPrivate(to).close();
  await backup(db, to);
}
