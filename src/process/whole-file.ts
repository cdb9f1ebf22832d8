/**
 * Small files that are read whole or not at all: a JSON document that another process may be reading while it is replaced,
 * and that is replaced on a full disk, too. Nothing is synced to the disk: after a power loss nobody runs, and an empty
 * file is read as none.
 *
 * Every command of the CLI loads this, so it imports next to nothing.
 */
import { closeSync, openSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { messageOf, SluiceError, systemCodeOf } from '../errors.ts';
import { readRegularFile } from '../regular-file.ts';

/** A JSON object, as far as any reader can rely on it. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A larger file is not ours: it is read as none. */
export const DOCUMENT_BYTES_MAX = 4 * 1024 * 1024;

const OWNER_ONLY = 0o600;
/** The disk is full, or what this user may have of it. */
const FULL_DISK_CODES: readonly unknown[] = ['ENOSPC', 'EDQUOT'];
/** The unit of `blocks` in a stat, whatever the file system's own block is. */
const STAT_BLOCK_BYTES = 512;

/** A temporary file of this process in the same folder, then a rename: a reader sees the old or the new one. */
export function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text, { mode: OWNER_ONLY });
    renameSync(temporary, path);
  } catch (thrown) {
    rmSync(temporary, { force: true });
    if (!FULL_DISK_CODES.includes(systemCodeOf(thrown)) || !overwriteInPlace(path, text)) throw thrown;
  }
}

/** A JSON object from a file of a sane size; undefined for anything else, which is never an error to a reader. */
export function readDocument(path: string): JsonObject | undefined {
  try {
    const bytes = readRegularFile(path, DOCUMENT_BYTES_MAX);
    if (bytes.length > DOCUMENT_BYTES_MAX) return undefined;
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Why a file could not be written, as whoever asked for it hears. Code STORE_UNAVAILABLE. */
export function writeError(path: string, cause: unknown): SluiceError {
  return new SluiceError('STORE_UNAVAILABLE', `cannot write ${path}: ${messageOf(cause)}`, { cause });
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

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
