/**
 * What a gateway tells about itself in its home: `sluice.pid` (who it is) and `status.json` (what it does; its
 * mtime is the heartbeat, which `status-file.ts` keeps). Both are information only: the lock decides who runs.
 *
 * Invariants: a reader deletes nothing. A file carries the epoch and the identity of the daemon that wrote it. Remove
 * before the lock is released: between looking and removing there is a moment that only the lock covers.
 *
 * Every command of the CLI loads this, so it imports next to nothing.
 */
import { rmSync, statSync } from 'node:fs';
import type { Clock } from '../clock.ts';
import { isAlive, type ProcessIdentity } from './identity.ts';
import { type JsonObject, readDocument, replaceFile, writeError } from './whole-file.ts';

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
export type StatusDocument = JsonObject;

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

function isNatural(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
