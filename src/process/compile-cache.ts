/**
 * Where compiled code is kept between starts. Code that is run must come from nobody else: Node's own choice is a
 * folder in the system's temporary one, by a name that another user could have made first.
 */
import { lstatSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

const FOLDER_MODE = 0o700;

/** Of a folder that others may put things in. */
const WRITABLE_BY_OTHERS = 0o022;

/** The folder, made where it is missing; undefined where there is none that is this user's alone: then none is kept. */
export function compileCacheFolder(env: NodeJS.ProcessEnv): string | undefined {
  const base = env.XDG_CACHE_HOME;
  const folder = join(base && isAbsolute(base) ? base : join(env.HOME || homedir(), '.cache'), 'sluice');
  try {
    mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
    const { uid, mode } = lstatSync(folder);
    const isOwn = uid === process.getuid?.() && (mode & WRITABLE_BY_OTHERS) === 0;
    return isOwn ? folder : undefined;
  } catch {
    // No home, or a read-only one: a start takes a little longer.
    return undefined;
  }
}
