/**
 * What was written in chats of this home before: one JSON text a line, for the owner alone, the newest last. It is a
 * convenience: what cannot be read or written is left out.
 */
import { chmodSync, closeSync, constants, fstatSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { openRegularFile, readRegularFile } from '../../regular-file.ts';

/** Entries that are kept. */
export const HISTORY_ENTRIES_MAX = 1000;

/** The largest history that is read; past it the file begins anew with what is known. */
export const HISTORY_BYTES_MAX = 1024 * 1024;

/** A longer text is not kept. */
const ENTRY_CHARS_MAX = 16 * 1024;

const OWNER_ONLY = 0o600;

export class History {
  /** Oldest first. */
  readonly entries: string[];
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.entries = readEntries(path);
  }

  /** Keeps a text, unless it is the one before again, or begins with a space. */
  add(text: string): void {
    if (text.startsWith(' ') || text.length > ENTRY_CHARS_MAX || text === this.entries.at(-1)) return;
    this.entries.push(text);
    const overfull = this.entries.length > HISTORY_ENTRIES_MAX;
    if (overfull) this.entries.shift();
    try {
      const bytes = appendTo(this.#path, `${JSON.stringify(text)}\n`);
      if (overfull || bytes > HISTORY_BYTES_MAX) this.#rewrite();
    } catch {
      // A full disk, or no regular file: it stays in this chat's memory.
    }
  }

  /** Half as much as there may be, so that not every text writes the file anew. */
  #rewrite(): void {
    this.entries.splice(0, this.entries.length - HISTORY_ENTRIES_MAX / 2);
    const temporary = `${this.#path}.${process.pid}.tmp`;
    let text = '';
    for (const entry of this.entries.toReversed()) {
      const line = `${JSON.stringify(entry)}\n`;
      if (text.length + line.length > HISTORY_BYTES_MAX / 4) break;
      text = line + text;
    }
    writeFileSync(temporary, text, { mode: OWNER_ONLY });
    renameSync(temporary, this.#path);
  }
}

/** Gives how large the file is then. */
function appendTo(path: string, line: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT } = constants;
  const file = openRegularFile(path, O_WRONLY | O_APPEND | O_CREAT, OWNER_ONLY);
  try {
    writeFileSync(file, line);
    return fstatSync(file).size;
  } finally {
    closeSync(file);
  }
}

function readEntries(path: string): string[] {
  try {
    const { size, mode } = statSync(path);
    if (size > 2 * HISTORY_BYTES_MAX) return [];
    if ((mode & 0o077) !== 0) chmodSync(path, OWNER_ONLY);
    const lines = readRegularFile(path, 2 * HISTORY_BYTES_MAX)
      .toString('utf8')
      .split('\n')
      .slice(-HISTORY_ENTRIES_MAX);
    return lines.flatMap((line) => entryOf(line));
  } catch {
    return [];
  }
}

function entryOf(line: string): string[] {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'string' ? [entry] : [];
  } catch {
    // The end of the file, or half a line of a chat that was killed.
    return [];
  }
}
