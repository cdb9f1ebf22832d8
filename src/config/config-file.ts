/**
 * The bytes of a configuration file, and whether they are text. Opening never waits, as it would for a named pipe,
 * and reading ends at a limit, so whatever a path names costs little.
 */
import { SluiceError } from '../errors.ts';
import { NotRegularFile, readRegularFile } from '../regular-file.ts';
import { ConfigInvalid, type PlacedProblem, shownLine } from './problems.ts';
import { readTree } from './tree.ts';

/** Largest configuration file. */
export const CONFIG_BYTES_MAX = 1024 * 1024;

/** The text of a configuration file, at most `CONFIG_BYTES_MAX`. Throws CONFIG_UNREADABLE or CONFIG_INVALID. */
export function readConfigFile(path: string, shown: { readonly withLines?: boolean } = {}): string {
  const bytes = bytesOf(path, CONFIG_BYTES_MAX);
  if ('wrong' in bytes) {
    const { wrong, right, cause } = bytes;
    const hint = `${right.charAt(0).toUpperCase()}${right.slice(1)}.`;
    throw new SluiceError('CONFIG_UNREADABLE', `${path} ${wrong}`, { hint, cause });
  }
  const read = textOf(bytes);
  if (typeof read === 'string') return read;
  throw new ConfigInvalid([read], path, shown);
}

/** The text; where there is none the problem of the file, with the place of the first byte that is no text. */
export function readConfigText(path: string): string | PlacedProblem {
  const bytes = bytesOf(path, CONFIG_BYTES_MAX);
  return 'wrong' in bytes ? fileProblem(`${bytes.wrong}; ${bytes.right}`) : textOf(bytes);
}

function textOf(bytes: Buffer): string | PlacedProblem {
  if (bytes.length > CONFIG_BYTES_MAX) return fileProblem('is larger than 1 MB; make it smaller');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return fileProblem('is not UTF-8 text; save it as UTF-8', firstBadPlace(bytes));
  }
}

/** Why there are no bytes: what is wrong, and what would be right. */
interface Unreadable {
  readonly wrong: string;
  readonly right: string;
  readonly cause?: unknown;
}

/** The bytes of a regular file, one more than allowed at most. */
export function bytesOf(path: string, bytesMax: number): Buffer | Unreadable {
  try {
    return readRegularFile(path, bytesMax);
  } catch (cause) {
    if (cause instanceof NotRegularFile) {
      return cause.isFolder
        ? { wrong: 'is a folder', right: 'name a file in it', cause }
        : { wrong: 'is not a regular file', right: 'name one that is', cause };
    }
    const { code } = cause as NodeJS.ErrnoException;
    const [wrong, right] = UNREADABLE[code ?? ''] ?? [
      `cannot be read (${code})`,
      'check the path and its permissions',
    ];
    return { wrong, right, cause };
  }
}

/** What the usual system errors mean for a person who named a file, and what they can do. */
const UNREADABLE: Readonly<Record<string, readonly [wrong: string, right: string]>> = {
  ENOENT: ['does not exist', 'check the path'],
  ENOTDIR: ['does not exist: a part of its path is no folder', 'check the path'],
  EACCES: ['may not be read by this user', 'check its permissions'],
  ELOOP: ['is a link that leads back to itself', 'name the file itself'],
};

function fileProblem(message: string, { line, column, source } = NOWHERE): PlacedProblem {
  return { line, column, key: '(file)', path: [], message, source };
}

/** Of what is wrong with a file as a whole. */
const NOWHERE: Pick<PlacedProblem, 'line' | 'column' | 'source'> = { line: 1, column: 1, source: '' };

/** The place of the first byte that is no UTF-8. A line break is a byte of its own in all of UTF-8. */
function firstBadPlace(bytes: Buffer): Pick<PlacedProblem, 'line' | 'column' | 'source'> {
  let begin = 0;
  for (let line = 1; begin < bytes.length; line += 1) {
    const found = bytes.indexOf(0x0a, begin);
    const end = found === -1 ? bytes.length : found;
    const valid = validPrefix(bytes.subarray(begin, end));
    if (valid !== undefined) {
      const source = shownLine(lineOf(new TextDecoder().decode(bytes), line));
      return { line, column: valid.length + 1, source };
    }
    begin = end + 1;
  }
  return NOWHERE;
}

/** A line of the text, from 1, as it may be shown. A line break is a byte of its own here, too. */
function lineOf(text: string, line: number): string {
  let begin = 0;
  for (let number = 1; number < line; number += 1) begin = text.indexOf('\n', begin) + 1;
  const end = text.indexOf('\n', begin);
  return readTree(text)
    .telling()
    .line(begin, end === -1 ? text.length : end);
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
