/** Writes a file that a command makes for a person: whole or not at all, and never over one that is there by mistake. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { messageOf } from '../errors.ts';

/** Writes the whole file or none. A file that is there stays, unless `force` says otherwise. */
export function writeNew(path: string, text: string, force: boolean): { problem?: string } {
  const place = force ? `${path}.${process.pid}.tmp` : path;
  try {
    // Refuses what is there, whoever else writes at the same moment.
    writeFileSync(place, text, { flag: 'wx' });
    if (force) renameSync(place, path);
    return {};
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      return { problem: `${path} exists; name another file, or replace it with --force` };
    }
    rmSync(place, { force: true });
    return { problem: `${path} could not be written: ${messageOf(error)}` };
  }
}
