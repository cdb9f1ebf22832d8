/**
 * The one lock of a home: who holds it is the gateway, nothing else decides. It is an SQLite file inside an
 * exclusive transaction that never commits; the kernel drops the lock when the holder dies, by kill -9 too.
 *
 * NOTHING BUT node:sqlite MAY EVER OPEN THE LOCK FILE, in no process of the project, not even to read it or
 * to copy the home: POSIX locks belong to the process, and closing any descriptor of the file drops them.
 * SQLite knows that and postpones its own closes, so two connections in one process are safe.
 *
 * The file stays empty: the journal is in memory and the one change is never written. So the lock needs no
 * room on the disk, leaves no journal behind, and cannot be torn.
 */
import { accessSync, chmodSync, constants, type Stats, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf, SluiceError, systemCodeOf } from '../errors.ts';

/** The lock of a home while we hold it. Disposing releases it; twice is once. */
export interface HomeLock extends Disposable {
  readonly path: string;
  /**
   * True while the file at `path` is the one that we locked. Once somebody has deleted or replaced it, with the whole
   * home perhaps, our lock keeps nobody out any more, and what lies in the home may be another gateway's. By `stat`,
   * which opens nothing. Never throws.
   */
  isOurs(): boolean;
}

/**
 * How long a start tries before it says that the home is owned. After a kill -9 the next owner was measured
 * to come 38–99 ms later, and two starts at once hold each other up for single milliseconds.
 */
export const LOCK_RETRY_MS = 250;

/** The mode of every file of a home. */
const OWNER_ONLY = 0o600;

/** SQLite's primary result codes; extended ones carry them in the low byte. */
const SQLITE_PRIMARY_MASK = 0xff;
const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** File systems (statfs magic numbers of Linux) whose locks are not to be trusted between machines. */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x5346414f, 'AFS'],
  [0x73757245, 'Coda'],
  [0x00c36400, 'Ceph'],
]);

/**
 * An open connection that is collected closes itself and with it the lock, so they are held here until
 * disposed, whatever the caller does with its reference.
 */
const held = new Set<DatabaseSync>();

/**
 * Takes the lock at `path` (its folder must exist) or throws, after at most twice `retryMs` (default
 * LOCK_RETRY_MS), during which the event loop stands still. Errors:
 * HOME_OWNED, another process holds it (who that is stands in the pid file);
 * HOME_NO_PERMISSION, the folder is missing, read-only, not ours, or on a network file system;
 * STORE_CORRUPT, something else lies where the lock belongs, a folder or a pipe too;
 * STORE_UNAVAILABLE, anything else that keeps the file from being locked.
 */
export function acquireLock(path: string, options: { retryMs?: number } = {}): HomeLock {
  refuseNetworkFileSystem(dirname(path));
  refuseOther(path);
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(path, { timeout: options.retryMs ?? LOCK_RETRY_MS });
    // Without it the first BEGIN EXCLUSIVE creates a journal file, which a full disk refuses.
    connection.exec('PRAGMA journal_mode = MEMORY');
    connection.exec('BEGIN EXCLUSIVE');
    // On a file that may not be written BEGIN EXCLUSIVE succeeds and locks nothing; a change tells.
    connection.exec('PRAGMA user_version = 1');
    // SQLite makes it with the mode of the umask. Neither call opens it.
    if (statSync(path).uid === process.getuid?.()) chmodSync(path, OWNER_ONLY);
  } catch (thrown) {
    connection?.close();
    throw lockError(path, thrown);
  }
  return holdOpen(path, connection);
}

/** The name of a network file system by the `type` of `fs.statfs` on Linux, undefined for any other. */
export function networkFileSystem(type: number): string | undefined {
  // The number comes from a signed field on some systems.
  return NETWORK_FILE_SYSTEMS.get(type >>> 0);
}

function holdOpen(path: string, connection: DatabaseSync): HomeLock {
  held.add(connection);
  const locked = fileAt(path);
  return {
    path,
    isOurs: () => {
      const now = fileAt(path);
      return now !== undefined && (now === locked || now === UNKNOWN || locked === UNKNOWN);
    },
    [Symbol.dispose]() {
      if (held.delete(connection)) connection.close();
    },
  };
}

/** What lies there could not be seen, for a reason that says nothing about the file: an I/O error, a mode. */
const UNKNOWN = 'unknown';

/** Which file lies there now: device and inode; undefined for none. */
function fileAt(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return ['ENOENT', 'ENOTDIR'].includes(code) ? undefined : UNKNOWN;
  }
}

function refuseNetworkFileSystem(folder: string): void {
  // Elsewhere the numbers mean other file systems.
  if (process.platform !== 'linux') return;
  let name: string | undefined;
  try {
    name = networkFileSystem(statfsSync(folder).type);
  } catch {
    // The folder is missing or closed to us: opening the lock says so, better.
    return;
  }
  if (name === undefined) return;
  throw new SluiceError('HOME_NO_PERMISSION', `${folder} is on a network file system (${name})`, {
    hint: 'Use a home on a local disk: locks over a network do not keep two gateways apart.',
  });
}

/** What is no file SQLite would say of that it cannot be opened, and not why. Only looks: see above. */
function refuseOther(path: string): void {
  let found: Stats | undefined;
  try {
    found = statSync(path, { throwIfNoEntry: false });
  } catch {
    // It cannot be looked at: opening it says why.
  }
  if (found === undefined || found.isFile()) return;
  throw somethingElse(path, found.isDirectory() ? 'a folder' : 'not a regular file');
}

const somethingElse = (path: string, what: string, cause?: unknown): SluiceError =>
  new SluiceError('STORE_CORRUPT', `${path} is ${what}, and not the lock that belongs there`, {
    cause,
    hint: 'Something else lies where the lock belongs: with no gateway running, move it away.',
  });

function lockError(path: string, cause: unknown): SluiceError {
  const folder = dirname(path);
  const code = resultCode(cause);
  if (code === SQLITE_BUSY) {
    return new SluiceError('HOME_OWNED', `another gateway owns ${folder}`, { cause });
  }
  if (code === SQLITE_CANTOPEN || code === SQLITE_READONLY) {
    // A lock file that exists must be writable itself; one that does not, its folder.
    const problem =
      accessProblem(folder, constants.W_OK | constants.X_OK) ??
      accessProblem(path, constants.R_OK | constants.W_OK);
    if (code === SQLITE_READONLY || (problem !== undefined && isPermission(folder, problem))) {
      return new SluiceError('HOME_NO_PERMISSION', `cannot write ${path} (${problem ?? 'read-only'})`, {
        cause,
      });
    }
  }
  if (code === SQLITE_NOTADB) return somethingElse(path, 'another file', cause);
  return new SluiceError('STORE_UNAVAILABLE', `cannot lock ${path}: ${messageOf(cause)}`, {
    cause,
    hint: 'Free disk space if there is none left, look at the folder, then start it again: without the lock none runs.',
  });
}

/** A folder that is not there is a wrong home; a lock file that is not there could not be made. */
function isPermission(folder: string, problem: string): boolean {
  return problem !== 'ENOENT' || accessProblem(folder, constants.F_OK) === 'ENOENT';
}

/** The system's word for why `path` may not be used so. `access` opens nothing, so it is safe on the lock. */
function accessProblem(path: string, mode: number): string | undefined {
  try {
    accessSync(path, mode);
    return undefined;
  } catch (thrown) {
    return String(systemCodeOf(thrown) ?? 'unknown');
  }
}

function resultCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error && 'errcode' in thrown)) return undefined;
  return typeof thrown.errcode === 'number' ? thrown.errcode & SQLITE_PRIMARY_MASK : undefined;
}
