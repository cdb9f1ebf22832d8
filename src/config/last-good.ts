/**
 * The last configuration that reached `running`, as it is kept in the home: text with a first line that says whose
 * it is.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

const OWNER_ONLY = 0o600;

const HEAD = '# the last configuration that reached running, from ';

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
    kept = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const end = kept.indexOf('\n');
  if (!kept.startsWith(HEAD) || end === -1) return undefined;
  return { file: kept.slice(HEAD.length, end), text: kept.slice(end + 1) };
}
