/**
 * The file of the store: opened, made and copied, and the only part that knows node:sqlite. WAL with
 * `synchronous = FULL`: what was acknowledged survives a kill and a power cut. A lock that another process holds is waited
 * for BUSY_TIMEOUT_MS at most, because SQLite waits on our event loop.
 *
 * NOTHING ELSE MAY OPEN THE FILE: closing any descriptor of it but SQLite's own would drop SQLite's locks on it.
 */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { homeDenial } from '../config/paths.ts';
import { ERRORS, messageOf, SluiceError, systemCodeOf } from '../errors.ts';
import { Connection } from './connection.ts';
import { cannotOpen, isBusy, isDamage, LOCKED_HINT, openFailure, unavailable } from './errors.ts';
import { MIGRATIONS, type Migration } from './migrations/migrations.ts';
import { prepareReads, type Reads } from './reads.ts';
import { prepareSchema, requireSchema } from './schema.ts';

/** How long a statement waits for another process's lock, and the event loop with it; a batch does so twice. */
const BUSY_TIMEOUT_MS = 50;

/** Pages that a copy takes at once: 4 MB, on a thread of its own. */
const BACKUP_STEP_PAGES = 1024;

/** What the file system says when no waiting will help. */
const FORBIDDEN: ReadonlySet<unknown> = new Set(['EACCES', 'EPERM', 'EROFS']);

export interface DatabaseOptions {
  /** The database file; its folder must exist. Created with mode 0600. */
  readonly path: string;
  /** True for the daemon: make the schema and bring it up to date. False: refuse another one. */
  readonly migrate: boolean;
  /** Every schema change there is; another list only in tests. */
  readonly migrations?: readonly Migration[];
}

/**
 * Asks the file of a store that this process has no part in, beside a gateway or without one; nothing in it changes.
 * Throws as `openSqliteStore` rejects, and STORE_UNAVAILABLE.
 */
export function readStore<T>(path: string, read: (reads: Reads) => T): T {
  if (!isThereToRead(path)) throw new SluiceError('STORE_SCHEMA_OTHER', `${path} does not exist yet`);
  try {
    const db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    try {
      requireSchema(db, path, MIGRATIONS.length);
      return read(prepareReads(db));
    } finally {
      db.close();
    }
  } catch (error) {
    throw unwritableFolder(path, error) ?? openFailure(path, error);
  }
}

/** Where nobody else has it open SQLite makes files beside it, also to read: in a folder that may not be written it cannot. */
function unwritableFolder(path: string, cause: unknown): SluiceError | undefined {
  if (!cannotOpen(cause)) return undefined;
  try {
    accessSync(dirname(path), constants.W_OK);
    return undefined;
  } catch {
    const text = `${path} cannot be read while its folder may not be written: SQLite makes files beside it`;
    return new SluiceError('HOME_NO_PERMISSION', text, {
      cause,
      hint: 'Ask as the user of that gateway, or look at a copy in a folder that may be written.',
    });
  }
}

/** Opens the file and brings its schema up to date. Throws an error of the catalogue for what the world did. */
export async function connect({
  path,
  migrate,
  migrations = MIGRATIONS,
}: DatabaseOptions): Promise<Connection> {
  if (!isThereToWrite(path) && !migrate)
    throw new SluiceError('STORE_SCHEMA_OTHER', `${path} does not exist yet`);
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

/** A folder that is not there holds no store either. */
function isThereToRead(path: string): boolean {
  const denied = homeDenial(dirname(path));
  if (denied !== undefined) throw denied;
  return isThere(path, 'read', constants.R_OK);
}

function isThereToWrite(path: string): boolean {
  try {
    accessSync(dirname(path), constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw notPermitted(path, 'written', error);
  }
  return isThere(path, 'written', constants.R_OK | constants.W_OK);
}

/** Asks without opening: closing any descriptor of the file but SQLite's own would drop SQLite's locks on it. */
function isThere(path: string, done: string, mode: number): boolean {
  let found: Stats | undefined;
  try {
    found = statSync(path, { throwIfNoEntry: false });
    if (found?.isFile() === true) accessSync(path, mode);
  } catch (error) {
    throw notPermitted(path, done, error);
  }
  if (found !== undefined && !found.isFile()) throw somethingElse(path, found.isDirectory());
  return found !== undefined;
}

function notPermitted(path: string, done: string, cause: unknown): SluiceError {
  if (!isForbidden(cause)) return unavailable(path, cause);
  return new SluiceError('HOME_NO_PERMISSION', `${path} cannot be ${done}: ${messageOf(cause)}`, { cause });
}

/** SQLite would say that it cannot be opened, and not why; a pipe it would wait for. */
function somethingElse(path: string, isFolder: boolean): SluiceError {
  const what = isFolder ? 'a folder' : 'not a regular file';
  return new SluiceError('STORE_CORRUPT', `${path} is ${what}, and not the store that belongs there`, {
    hint: 'Move it away, and restore a backup in its place, or start with an empty store.',
  });
}

const isForbidden = (error: unknown): boolean => FORBIDDEN.has(systemCodeOf(error));

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

/**
 * Copies the store as it is now to a new file that only its owner may read, beside whoever writes it; gives the size in
 * bytes. Rejects with BACKUP_FAILED, and leaves no file then: also once `signal` is aborted. A file of that name is whole:
 * what a kill cut off is called `.partial`, and the next copy of the name begins anew.
 *
 * It reads through a connection of its own, which holds on to one moment of the store: a writer does not make it start
 * again, and what the copy waits for the disk does not hold up the event loop, as it would on the writer's connection.
 */
export async function backupStore(path: string, to: string, signal?: AbortSignal): Promise<number> {
  const partial = `${to}.partial`;
  try {
    if (existsSync(to)) throw new Error('it exists already');
    rmSync(partial, { force: true });
    closeSync(openSync(partial, 'wx', 0o600));
    await copyMoment(path, partial, signal);
    renameSync(partial, to);
    return statSync(to).size;
  } catch (cause) {
    for (const leftover of [partial, `${partial}-journal`]) rmSync(leftover, { force: true });
    const text = `no backup was made at ${to}: ${messageOf(cause)}`;
    throw new SluiceError('BACKUP_FAILED', text, { cause, ...hintFor(cause) });
  }
}

/** A store that cannot be read, or is locked, is cured by no other name for its copy. */
function hintFor(cause: unknown): { hint?: string } {
  if (isBusy(cause)) return { hint: LOCKED_HINT };
  return isDamage(cause) ? { hint: ERRORS.STORE_CORRUPT.hint } : {};
}

async function copyMoment(path: string, to: string, signal: AbortSignal | undefined): Promise<void> {
  const db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    db.exec('BEGIN');
    // A transaction has its moment from the first thing that it reads.
    db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get();
    await backup(db, to, { rate: BACKUP_STEP_PAGES, progress: () => signal?.throwIfAborted() });
  } finally {
    db.close();
  }
}
