/**
 * The log on disk: the last lines of this life and of the one before, each in two files of at most half of
 * LOG_BYTES_MAX. The one that is written becomes the older one when it is full, so that between half and all of
 * LOG_BYTES_MAX of the last lines are there.
 *
 * Nothing is touched before `open`: until the home is ours its files are somebody else's. Nothing here ever throws at
 * whoever logs: lines that find no room are left out and counted, and the first that does find some is told how many.
 * Each line is written at once, because the lines before a kill -9 are those that are asked for.
 */
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';

/** What is kept of the log of one life. */
export const LOG_BYTES_MAX = 1024 * 1024;

/** Half of it: when the file that is written becomes the older one of its life. */
export const LOG_FILE_BYTES_MAX = 512 * 1024;

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

const LINE_BREAK = 0x0a;

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
  /** What the life before wrote is its own by now. */
  #turnedOver = false;
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

  /** The home is ours: the log that lies in `folder` becomes the last life's, and this life's begins. */
  open(folder: string): void {
    this.#folder = folder;
    for (const line of this.#early.splice(0)) this.#put(line);
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
    if (!this.#turnedOver) turnOver(folder);
    this.#turnedOver = true;
    this.#file = openSync(join(folder, FILES.current[1]), 'a', 0o600);
    this.#bytes = fstatSync(this.#file).size;
    return this.#file;
  }

  #rotate(): number {
    const [older, newer] = FILES.current.map((name) => join(this.#folder ?? '', name));
    this.#close();
    renameSync(newer ?? '', older ?? '');
    return this.#openFile();
  }

  #close(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) closeSync(file);
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

/** What the log of the life before is called belongs to the one before that, which is forgotten. */
function turnOver(folder: string): void {
  for (const name of FILES.last) rmSync(join(folder, name), { force: true });
  for (const [at, name] of FILES.current.entries()) {
    try {
      renameSync(join(folder, name), join(folder, FILES.last[at] ?? ''));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
}

function bytesOf(folder: string, name: string): Buffer {
  try {
    return readFileSync(join(folder, name));
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

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';
