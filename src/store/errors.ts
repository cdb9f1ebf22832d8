/**
 * What SQLite's failures mean to us. An outage is the world's fault (disk, lock, permissions): it may pass,
 * and everything waits for it. Anything else is a defect of whoever wrote the unit.
 *
 * Result codes: https://sqlite.org/rescode.html. The low byte is the primary code, the rest says more.
 */
import { ERRORS, messageOf, SluiceError } from '../errors.ts';

const BUSY = 5;
const LOCKED = 6;
const OUT_OF_MEMORY = 7;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const PROTOCOL = 15;
const NOT_A_DATABASE = 26;

const OUTAGES: ReadonlySet<number> = new Set([
  BUSY,
  LOCKED,
  OUT_OF_MEMORY,
  READONLY,
  IOERR,
  CORRUPT,
  FULL,
  CANTOPEN,
  PROTOCOL,
  NOT_A_DATABASE,
]);

/** Is the database out of reach for now, whatever was asked of it? */
export function isOutage(error: unknown): boolean {
  return OUTAGES.has(primaryCode(error));
}

/** Does another process hold the lock? It may let go in a moment. */
export const isBusy = (error: unknown): boolean => primaryCode(error) === BUSY;

/** Could the file, or one that SQLite needs beside it, not be opened or made? */
export function cannotOpen(error: unknown): boolean {
  const code = primaryCode(error);
  return code === CANTOPEN || code === READONLY;
}

/** Does the open connection survive this outage? After anything else than a lock or a full disk it is made anew. */
export function keepsConnection(error: unknown): boolean {
  const code = primaryCode(error);
  return code === BUSY || code === FULL;
}

/** May a full disk be behind it? Opening then fails in any of these ways: no file, no -shm, no page. */
export function mayBeFullDisk(error: unknown): boolean {
  const code = primaryCode(error);
  return code === FULL || code === IOERR || code === CANTOPEN;
}

/** What to do about another program's lock, for which no disk space helps. */
export const LOCKED_HINT = 'Close the program that has the store locked, or try again in a moment.';

/** STORE_UNAVAILABLE; for a damaged file and for a lock with the hint that says what cures those. */
export function unavailable(path: string, cause: unknown): SluiceError {
  const hint = isDamage(cause)
    ? { hint: ERRORS.STORE_CORRUPT.hint }
    : isBusy(cause)
      ? { hint: LOCKED_HINT }
      : {};
  return new SluiceError('STORE_UNAVAILABLE', `${path} cannot be used: ${messageOf(cause)}`, {
    cause,
    ...hint,
  });
}

/** What kept the store from opening, as an error of the catalogue; what is none of ours comes back as it was. */
export function openFailure(path: string, cause: unknown): unknown {
  if (isDamage(cause)) {
    return new SluiceError('STORE_CORRUPT', `${path} is damaged or no database: ${messageOf(cause)}`, {
      cause,
    });
  }
  return isOutage(cause) ? unavailable(path, cause) : cause;
}

/** INTERNAL: the store is well and refuses what it was handed. */
export function defect(what: string, cause: unknown): SluiceError {
  return new SluiceError('INTERNAL', `the store refused ${what}: ${messageOf(cause)}`, { cause });
}

/** Is the file no database, or a broken one? */
export function isDamage(error: unknown): boolean {
  const code = primaryCode(error);
  return code === CORRUPT || code === NOT_A_DATABASE;
}

/** 0 for what SQLite did not throw. */
function primaryCode(error: unknown): number {
  if (!(error instanceof Error) || !('errcode' in error)) return 0;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
}
