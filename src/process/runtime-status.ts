/**
 * What a gateway tells about itself in its home: `sluice.pid` (who it is) and `status.json` (what it does; its
 * mtime is the heartbeat). Both are information only: the lock decides who runs.
 *
 * Invariants: a reader gets a whole document or none, never a part, and deletes nothing. A file carries the epoch
 * and the identity of the daemon that wrote it, and one whose home is another's by now leaves that one's file alone.
 * Close and remove before the lock is released: between looking and renaming there is a moment that only the lock
 * covers. Nothing is
 * synced to the disk: after a power loss nobody runs, and an empty file is read as none.
 *
 * Every command of the CLI loads this, so it imports next to nothing.
 */
import {
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import type { Clock } from '../clock.ts';
import { messageOf, SluiceError } from '../errors.ts';
import { isAlive, type ProcessIdentity } from './identity.ts';

/** The content of `sluice.pid`. */
export interface PidRecord extends ProcessIdentity {
  readonly epoch: number;
  readonly argv: readonly string[];
  /** The configuration file, absolute; null for the built-in one. */
  readonly config: string | null;
  /** The control socket, absolute. */
  readonly socket: string;
}

/** The content of `status.json` as far as any reader can rely on it. */
export type StatusDocument = Readonly<Record<string, unknown>>;

/** What a status file says last, as `exit`: how the life that wrote it ended, or the start after it. */
export interface FinalExit {
  /** Null when the process became its next life. */
  readonly code: number | null;
  readonly cause: string;
  /** Wall milliseconds. */
  readonly at: number;
  /** Of a failure. */
  readonly message?: string;
}

/** The gateway that a home's files tell of, alive or not. */
export type Owner = ProcessIdentity & { readonly epoch: number };

export interface StatusFileOptions {
  readonly path: string;
  /** False once the home is no longer this daemon's: then nothing is written. */
  readonly isOurs: () => boolean;
  /** Of this daemon, now: a start without a store may learn a later one. It is written into every document. */
  readonly epoch: () => number;
  readonly clock: Clock;
  /** Told when writing or touching begins to fail, once until it has worked again. Code STORE_UNAVAILABLE. */
  readonly onProblem: (problem: SluiceError) => void;
}

/** How often the heartbeat beats, and so at most how often counters alone are written. */
export const HEARTBEAT_PERIOD_MS = 1_000;
/** A larger file is not ours: it is read as none. */
export const DOCUMENT_BYTES_MAX = 4 * 1024 * 1024;

const OWNER_ONLY = 0o600;
/** The disk is full, or what this user may have of it. */
const FULL_DISK_CODES: readonly unknown[] = ['ENOSPC', 'EDQUOT'];
/** The unit of `blocks` in a stat, whatever the file system's own block is. */
const STAT_BLOCK_BYTES = 512;

/**
 * Writes the pid file, whole or not at all. Errors: STORE_UNAVAILABLE; on a full disk only where there was no
 * file, or one too small. Try again later.
 */
export function writePidFile(path: string, record: PidRecord): void {
  try {
    replaceFile(path, JSON.stringify(record));
  } catch (cause) {
    throw writeError(path, cause);
  }
}

/** The record in the pid file; undefined when there is none, or none that a gateway wrote whole. */
export function readPidFile(path: string): PidRecord | undefined {
  const record = readDocument(path);
  return record !== undefined && isPidRecord(record) ? record : undefined;
}

/**
 * The record of the gateway that runs here now. One that a gateway left behind which died names a configuration and a
 * socket that are nobody's by now, and its pid may be another process's: it is none.
 */
export function readLivingRecord(path: string): PidRecord | undefined {
  const record = readPidFile(path);
  return record !== undefined && isAlive(record) ? record : undefined;
}

/**
 * Who the files say runs here: the pid file's process; where that is gone or dead, the one that wrote the status file,
 * which a gateway that is stopped or wedged has not put back. Undefined when neither tells of any.
 */
export function readOwner(paths: { pid: string; status: string }): Owner | undefined {
  const record = readPidFile(paths.pid);
  if (record !== undefined && isAlive(record)) return record;
  const status = readDocument(paths.status);
  return status !== undefined && isOwner(status) && isAlive(status) ? status : record;
}

/**
 * Says in the status file why a start failed before it had a status of its own. The rest stays as the life before
 * left it, its epoch above all. Only under the lock. Never throws: it is information only.
 */
export function noteFailedStart(path: string, exit: FinalExit): void {
  try {
    replaceFile(path, JSON.stringify({ ...readDocument(path), state: 'exited', exit }));
  } catch {
    // Whoever started it reads the reason in the log.
  }
}

/** Removes the pid file if this process wrote it in this epoch; another's stays. Errors: STORE_UNAVAILABLE. */
export function removePidFile(path: string, epoch: number): void {
  const record = readPidFile(path);
  if (record === undefined || record.epoch !== epoch || record.pid !== process.pid) return;
  try {
    rmSync(path, { force: true });
  } catch (cause) {
    throw writeError(path, cause);
  }
}

/**
 * The status in the file and how long ago its gateway gave a sign of life; undefined when there is no file, or no
 * whole document in it. The age is never negative: the wall clock may have been set back.
 */
export function readStatusFile(
  path: string,
  clock: Pick<Clock, 'wallMs'>,
): { status: StatusDocument; heartbeatAgeMs: number } | undefined {
  try {
    const { mtimeMs } = statSync(path);
    const status = readDocument(path);
    return status && { status, heartbeatAgeMs: Math.max(0, clock.wallMs() - mtimeMs) };
  } catch {
    return undefined;
  }
}

/**
 * Keeps `status.json` true while a daemon runs: at once when its state changes, at most once a second when only
 * counters do. The heartbeat beats from the first update on, also when the disk is full: setting a time needs no
 * room. What could not be written is tried again with each beat. Disposing is closing without a last word.
 */
export class StatusFile implements Disposable {
  readonly #options: StatusFileOptions;
  readonly #heartbeat: Disposable;
  /** The newest document, and what the file is known to hold. */
  #wanted = '';
  #written = '';
  /** True once the file is this daemon's. */
  #ours = false;
  #failing = false;
  #closed = false;

  constructor(options: StatusFileOptions) {
    this.#options = options;
    this.#heartbeat = options.clock.every(HEARTBEAT_PERIOD_MS, () => this.#beat());
  }

  /** Takes the status as it is now; `changed` when more than counters did. Ignored after closing. */
  update(status: object, { changed }: { changed: boolean }): void {
    if (this.#closed) return;
    this.#wanted = this.#serialize(status);
    if (changed) this.#write();
  }

  /**
   * Writes the last status, unless the home is another's by now, and ends. Twice is once. `brief`: what is written where a
   * full disk has no room for all of it; it should be short enough for the room that any status file has.
   */
  close(final: object, brief: object = final): void {
    if (this.#closed) return;
    this[Symbol.dispose]();
    for (const document of [final, brief]) {
      this.#wanted = this.#serialize(document);
      this.#write();
      if (this.#written === this.#wanted) return;
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#heartbeat[Symbol.dispose]();
  }

  #beat(): void {
    this.#write();
    this.#touch();
  }

  /** An unchanged document is not written: its time is the heartbeat's matter. */
  #write(): void {
    if (this.#wanted === this.#written) return;
    // Somebody deleted the lock, or all of it: a later daemon's document may be there, which ours would hide.
    if (!this.#options.isOurs()) return;
    try {
      replaceFile(this.#options.path, this.#wanted);
      this.#written = this.#wanted;
      this.#ours = true;
      this.#failing = false;
    } catch (thrown) {
      this.#report(thrown);
    }
  }

  #touch(): void {
    // Until the first write has worked the file is a dead daemon's, which must not look alive.
    if (!this.#ours || !this.#options.isOurs()) return;
    const { path, clock } = this.#options;
    const nowS = clock.wallMs() / 1_000;
    try {
      utimesSync(path, nowS, nowS);
    } catch (thrown) {
      this.#written = '';
      if (codeOf(thrown) === 'ENOENT') this.#write();
      else this.#report(thrown);
    }
  }

  #report(thrown: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#options.onProblem(writeError(this.#options.path, thrown));
  }

  #serialize(status: object): string {
    return JSON.stringify({ ...status, epoch: this.#options.epoch() });
  }
}

/** A temporary file of this process in the same folder, then a rename: a reader sees the old or the new one. */
function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text, { mode: OWNER_ONLY });
    renameSync(temporary, path);
  } catch (thrown) {
    rmSync(temporary, { force: true });
    if (!FULL_DISK_CODES.includes(codeOf(thrown)) || !overwriteInPlace(path, text)) throw thrown;
  }
}

/**
 * For a full disk: puts the text into the room that the file has already, in one write, filled up with blanks to
 * the old length. False when there is no file or too little room; then it is unchanged.
 */
function overwriteInPlace(path: string, text: string): boolean {
  const bytes = Buffer.from(text);
  const entry = statSync(path, { throwIfNoEntry: false });
  if (entry === undefined || bytes.length > entry.blocks * STAT_BLOCK_BYTES) return false;
  const padding = Buffer.alloc(Math.max(0, entry.size - bytes.length), ' ');
  const descriptor = openSync(path, 'r+');
  try {
    writeSync(descriptor, Buffer.concat([bytes, padding]), 0, undefined, 0);
    return true;
  } catch {
    return false;
  } finally {
    closeSync(descriptor);
  }
}

/** A JSON object from a file of a sane size; undefined for anything else, which is never an error to a reader. */
function readDocument(path: string): StatusDocument | undefined {
  try {
    const entry = statSync(path);
    if (!entry.isFile() || entry.size > DOCUMENT_BYTES_MAX) return undefined;
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isOwner(value: StatusDocument): value is StatusDocument & Owner {
  const { pid, startTime, bootId, epoch } = value;
  return (
    isNatural(pid) &&
    Number(pid) > 0 &&
    typeof startTime === 'string' &&
    typeof bootId === 'string' &&
    isNatural(epoch)
  );
}

function isPidRecord(value: StatusDocument): value is StatusDocument & PidRecord {
  const record: Partial<Record<keyof PidRecord, unknown>> = value;
  return (
    isOwner(value) &&
    Array.isArray(record.argv) &&
    record.argv.every((word) => typeof word === 'string') &&
    (record.config === null || typeof record.config === 'string') &&
    typeof record.socket === 'string'
  );
}

function isObject(value: unknown): value is StatusDocument {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNatural(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
}

function writeError(path: string, cause: unknown): SluiceError {
  return new SluiceError('STORE_UNAVAILABLE', `cannot write ${path}: ${messageOf(cause)}`, { cause });
}
