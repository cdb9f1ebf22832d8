/**
 * Counts the commits in a write-ahead log, by the format of the file: https://sqlite.org/fileformat2.html#walformat.
 * Reading the log is harmless; it is the database file whose locks are lost when another descriptor of it closes.
 */
import { readFileSync } from 'node:fs';

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const PAGE_BYTES = 4096;

/** Commits since the log was last begun anew. The last frame of each commit names the size of the database. */
export function commitsInLog(databasePath: string): number {
  const log = readFileSync(`${databasePath}-wal`);
  const salt = log.subarray(16, 24);
  let commits = 0;
  for (let at = HEADER_BYTES; at + FRAME_HEADER_BYTES <= log.length; at += FRAME_HEADER_BYTES + PAGE_BYTES) {
    if (!log.subarray(at + 8, at + 16).equals(salt)) break;
    if (log.readUInt32BE(at + 4) !== 0) commits += 1;
  }
  return commits;
}
