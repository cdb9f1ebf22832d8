/**
 * The last configuration that reached `running`, as it is kept in the home: text with a first line that says whose
 * it is.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { readRegularFile } from '../regular-file.ts';

const OWNER_ONLY = 0o600;

const HEAD = '# the last configuration that reached running, from ';

/** Largest file that is read as one that was kept: a configuration of 1 MB with its head. */
const KEPT_BYTES_MAX = 1040 * 1024;

/** Keeps `text`, which is the file `file`'s. Throws what writing throws, and then what was kept before is still there. */
export function keepLastGood(path: string, file: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, `${HEAD}${file}\n${text}`, { mode: OWNER_ONLY });
    renameSync(temporary, path);
  } catch (error) {
    // Half a file, on a disk that is full: it would only take room.
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** What is kept, without its head, and the file it was; undefined where none can be read. */
export function readLastGood(path: string): { readonly file: string; readonly text: string } | undefined {
  let kept: string;
  try {
    kept = readRegularFile(path, KEPT_BYTES_MAX).toString('utf8');
  } catch {
    return undefined;
  }
  const end = kept.indexOf('\n');
  if (!kept.startsWith(HEAD) || end === -1) return undefined;
  return { file: kept.slice(HEAD.length, end), text: kept.slice(end + 1) };
}
