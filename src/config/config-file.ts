/**
 * The bytes of a configuration file, and whether they are text. Opening never waits, as it would for a named pipe,
 * and reading ends at a limit, so whatever a path names costs little.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { SluiceError } from '../errors.ts';
import type { PlacedProblem } from './problems.ts';

/** Largest configuration file. */
export const CONFIG_BYTES_MAX = 1024 * 1024;

/** The text of a configuration file, at most `CONFIG_BYTES_MAX`. Throws CONFIG_UNREADABLE or CONFIG_INVALID. */
export function readConfigFile(path: string): string {
  const read = readConfigText(path);
  if (typeof read === 'string') return read;
  const { line, column, key, message } = read;
  throw new SluiceError('CONFIG_INVALID', `${path}:${line}:${column} ${key}: ${message}`);
}

/** The text, or why the bytes are none, with the place of the first that is not. Throws CONFIG_UNREADABLE. */
export function readConfigText(path: string): string | PlacedProblem {
  const bytes = readBytes(path);
  if (bytes.length > CONFIG_BYTES_MAX) return fileProblem('is larger than 1 MB; make it smaller');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return fileProblem('is not UTF-8 text; save it as UTF-8', firstBadPlace(bytes));
  }
}

/** The bytes of a regular file, one more than allowed at most. */
function readBytes(path: string): Buffer {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const kind = fstatSync(descriptor);
    if (kind.isDirectory())
      throw new SluiceError('CONFIG_UNREADABLE', `${path} is a folder; name a file in it`);
    if (!kind.isFile()) throw new SluiceError('CONFIG_UNREADABLE', `${path} is not a regular file`);
    const bytes = Buffer.alloc(CONFIG_BYTES_MAX + 1);
    let length = 0;
    while (length < bytes.length) {
      const read = readSync(descriptor, bytes, length, bytes.length - length, null);
      if (read === 0) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } catch (thrown) {
    if (thrown instanceof SluiceError) throw thrown;
    const { code } = thrown as NodeJS.ErrnoException;
    const why = UNREADABLE[code ?? ''] ?? `cannot be read (${code})`;
    throw new SluiceError('CONFIG_UNREADABLE', `${path} ${why}`, { cause: thrown });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** What the usual system errors mean for a person who named a file. */
const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist: a part of its path is no folder',
  EACCES: 'may not be read by this user',
  ELOOP: 'is a link that leads back to itself',
};

function fileProblem(message: string, { line, column } = { line: 1, column: 1 }): PlacedProblem {
  return { line, column, key: '(file)', path: [], message, source: '' };
}

/** The line and column of the first byte that is no UTF-8. A line break is a byte of its own in all of UTF-8. */
function firstBadPlace(bytes: Buffer): { line: number; column: number } {
  let begin = 0;
  for (let line = 1; begin < bytes.length; line += 1) {
    const found = bytes.indexOf(0x0a, begin);
    const end = found === -1 ? bytes.length : found;
    const valid = validPrefix(bytes.subarray(begin, end));
    if (valid !== undefined) return { line, column: valid.length + 1 };
    begin = end + 1;
  }
  return { line: 1, column: 1 };
}

/** What comes before the first bad byte of a line; undefined when all of it is good. */
function validPrefix(line: Buffer): string | undefined {
  const replaced = new TextDecoder('utf-8', { ignoreBOM: true }).decode(line);
  // A replacement character may also be written: what is encoded again differs where one was put in.
  for (let at = replaced.indexOf('\uFFFD'); at !== -1; at = replaced.indexOf('\uFFFD', at + 1)) {
    const before = Buffer.byteLength(replaced.slice(0, at));
    if (line.subarray(before, before + 3).toString('hex') !== 'efbfbd') return replaced.slice(0, at);
  }
  return undefined;
}
