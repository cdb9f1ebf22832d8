/**
 * The log on disk: the last lines of this life and of the one before, each in two files of at most half of
 * LOG_BYTES_MAX. The one that is written becomes the older one when it is full, so that between half and all of
 * LOG_BYTES_MAX of the last lines are there.
 *
 * A start that fails is no life: what it wrote stays where it is and the next start goes on below it, so that the log of
 * the life that crashed is still there after any number of retries.
 *
 * Nothing is touched before `open`: until the home is ours its files are somebody else's. Nothing here ever throws at
 * whoever logs: lines that find no room are left out and counted, and the first that does find some is told how many.
 * Each line is written at once, because the lines before a kill -9 are those that are asked for.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { messageOf, systemCodeOf } from '../errors.ts';
import { openRegularFile, readEndOfRegularFile, readRegularFile } from '../regular-file.ts';

/** What is kept of the log of one life. */
export const LOG_BYTES_MAX = 1024 * 1024;

/** Half of it: when the file that is written becomes the older one of its life. */
export const LOG_FILE_BYTES_MAX = 512 * 1024;

/** Most of a file of a log that is read; none of ours comes near. */
const READ_BYTES_MAX = 4 * LOG_BYTES_MAX;

/** A longer line is left out. */
export const LOG_LINE_BYTES_MAX = 64 * 1024;

/** Lines from before the home is ours, kept until then; past it the oldest are left out. */
export const EARLY_BYTES_MAX = 64 * 1024;

/** How soon a log that could not be written is tried again. */
const RETRY_MS = 1000;

/** Which life's log is meant: of the gateway that runs (or ran last), or of the one before it. */
export type LogLife = 'current' | 'last';

/** The files of a life, older lines first. */
const FILES: Readonly<Record<LogLife, readonly [older: string, newer: string]>> = {
  current: ['current.1.log', 'current.log'],
  last: ['last.1.log', 'last.log'],
};

/** Beside the files of the life in `current`: it has run. Empty. */
const HAS_RUN_FILE = 'current.ran';

const LINE_BREAK = 0x0a;

const OWNER_ONLY = 0o600;

export interface LogFilesOptions {
  readonly clock: Clock;
  /** Told once an outage, with the first line that could not be written. */
  readonly onProblem: (message: string) => void;
}

export class LogFiles implements Disposable {
  readonly #options: LogFilesOptions;
  #early: Buffer[] = [];
  #earlyBytes = 0;
  #folder: string | undefined;
  /** What lay in the folder has its place by now. */
  #begun = false;
  #hasRun = false;
  /** HAS_RUN_FILE stands beside the open file. */
  #marked = false;
  #file: number | undefined;
  #bytes = 0;
  #leftOut = 0;
  #failedAt: number | undefined;
  #closed = false;

  constructor(options: LogFilesOptions) {
    this.#options = options;
  }

  /** Takes one line of JSON with its line break. */
  write(line: string): void {
    if (this.#closed) return;
    const bytes = Buffer.from(line);
    if (bytes.length > LOG_LINE_BYTES_MAX) this.#leftOut += 1;
    else if (this.#folder === undefined) this.#keepEarly(bytes);
    else this.#put(bytes);
  }

  /** The home is ours: a log of a life that ran becomes the last life's, and this life's begins. */
  open(folder: string): void {
    this.#folder = folder;
    for (const line of this.#early.splice(0)) this.#put(line);
  }

  /** The start has worked: from its next line on this log is one that the next start keeps as the last life's. */
  hasRun(): void {
    this.#hasRun = true;
  }

  /** Nothing is written afterwards: the home may be another's by then. */
  [Symbol.dispose](): void {
    this.#closed = true;
    this.#close();
  }

  #keepEarly(line: Buffer): void {
    this.#early.push(line);
    this.#earlyBytes += line.length;
    while (this.#earlyBytes > EARLY_BYTES_MAX) {
      this.#earlyBytes -= this.#early.shift()?.length ?? 0;
      this.#leftOut += 1;
    }
  }

  #put(line: Buffer): void {
    const { clock, onProblem } = this.#options;
    const now = clock.monotonicMs();
    if (this.#failedAt !== undefined && now - this.#failedAt < RETRY_MS) {
      this.#leftOut += 1;
      return;
    }
    try {
      this.#append(this.#leftOut === 0 ? line : Buffer.concat([leftOutLine(this.#leftOut, clock), line]));
      this.#leftOut = 0;
      this.#failedAt = undefined;
    } catch (error) {
      this.#close();
      this.#leftOut += 1;
      const first = this.#failedAt === undefined;
      // Before it is told: telling is a line of the log itself.
      this.#failedAt = now;
      if (first) onProblem(`the log in ${this.#folder} cannot be written: ${messageOf(error)}`);
    }
  }

  #append(bytes: Buffer): void {
    let file = this.#file ?? this.#openFile();
    if (this.#bytes > 0 && this.#bytes + bytes.length > LOG_FILE_BYTES_MAX) file = this.#rotate();
    if (this.#hasRun && !this.#marked) this.#mark();
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    } catch (error) {
      // Half a line would spoil the next one.
      ftruncateSync(file, this.#bytes);
      throw error;
    }
    this.#bytes += bytes.length;
  }

  #openFile(): number {
    const folder = this.#folder ?? '';
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!this.#begun) begin(folder);
    this.#begun = true;
    const { O_WRONLY, O_APPEND, O_CREAT } = constants;
    this.#file = openRegularFile(join(folder, FILES.current[1]), O_WRONLY | O_APPEND | O_CREAT, OWNER_ONLY);
    this.#bytes = fstatSync(this.#file).size;
    return this.#file;
  }

  #rotate(): number {
    const [older, newer] = FILES.current.map((name) => join(this.#folder ?? '', name));
    this.#close();
    renameSync(newer ?? '', older ?? '');
    return this.#openFile();
  }

  #mark(): void {
    const { O_WRONLY, O_CREAT } = constants;
    closeSync(openRegularFile(join(this.#folder ?? '', HAS_RUN_FILE), O_WRONLY | O_CREAT, OWNER_ONLY));
    this.#marked = true;
  }

  #close(): void {
    const file = this.#file;
    this.#file = undefined;
    // Somebody may have removed the folder: whatever is opened next is marked anew.
    this.#marked = false;
    if (file === undefined) return;
    try {
      closeSync(file);
    } catch {
      // It says that something written before is lost; the descriptor is gone all the same.
    }
  }
}

/** The lines of a life that are whole, oldest first; none where there is no log. */
export function readLogLines(folder: string, life: LogLife): string[] {
  const [olderName, newerName] = FILES[life];
  let newer = bytesOf(folder, newerName);
  const older = bytesOf(folder, olderName);
  // Between the two looks the newer file may have become the older one.
  const rotated = newer.length > 0 && older.subarray(0, newer.length).equals(newer);
  if (rotated) newer = bytesOf(folder, newerName);
  return [older, newer].flatMap(wholeLines);
}

/** Makes way for this life's log where a life that ran has left its own; below a start that failed it goes on. */
function begin(folder: string): void {
  if (existsSync(join(folder, HAS_RUN_FILE))) turnOver(folder);
  else cutToLines(join(folder, FILES.current[1]));
}

/**
 * What the log of the life before is called belongs to the one before that, which is forgotten. The mark goes first:
 * a turnover that is cut off is not begun again, which would forget the life before as well.
 */
function turnOver(folder: string): void {
  rmSync(join(folder, HAS_RUN_FILE), { force: true });
  for (const name of FILES.last) rmSync(join(folder, name), { force: true });
  for (const [at, name] of FILES.current.entries()) {
    try {
      renameSync(join(folder, name), join(folder, FILES.last[at] ?? ''));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
}

/** A line that a kill cut off would spoil the one below it. */
function cutToLines(path: string): void {
  try {
    const bytes = readRegularFile(path, READ_BYTES_MAX);
    if (bytes.length <= READ_BYTES_MAX) truncateSync(path, bytes.lastIndexOf(LINE_BREAK) + 1);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** All of it; of one that something else has made larger than ours are, the last lines. */
function bytesOf(folder: string, name: string): Buffer {
  try {
    const bytes = readEndOfRegularFile(join(folder, name), READ_BYTES_MAX + 1);
    return bytes.length <= READ_BYTES_MAX ? bytes : bytes.subarray(bytes.indexOf(LINE_BREAK) + 1);
  } catch (error) {
    if (isMissing(error)) return Buffer.alloc(0);
    throw error;
  }
}

/** A line that a kill cut off is no line. */
function wholeLines(bytes: Buffer): string[] {
  const end = bytes.lastIndexOf(LINE_BREAK);
  return end < 0 ? [] : bytes.toString('utf8', 0, end).split('\n');
}

function leftOutLine(count: number, clock: Clock): Buffer {
  const time = new Date(clock.wallMs()).toISOString();
  return Buffer.from(`${JSON.stringify({ level: 40, time, leftOut: count, msg: 'log lines left out' })}\n`);
}

const isMissing = (error: unknown): boolean => systemCodeOf(error) === 'ENOENT';
