/**
 * The file of the control socket: made ready under another name and then put in its place, so that nobody meets one
 * whose mode is not set yet, and taken away again only while it is ours. Closing a server on a socket unlinks the
 * path it was bound to, whoever has bound that since: the other name is where that goes.
 */
import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { SluiceError } from '../errors.ts';

/** Its name in the home, whose owner was looked at before; elsewhere it has another (see `config/paths.ts`). */
const SOCKET_IN_HOME = 'control.sock';

const FOLDER_MODE = 0o700;
const SOCKET_MODE = 0o600;

/** Of a path that this process may use alone. */
const OTHERS = 0o077;

export class SocketFile {
  readonly #path: string;
  #ours: string | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Where a server is to listen before `place`: in the same folder, no longer than the path itself. */
  get workPath(): string {
    return this.#path.replace(/\.sock$/, '.tmp');
  }

  /** Makes the folder and clears what a dead gateway left in it. Throws HOME_NO_PERMISSION for a foreign folder. */
  prepare(): void {
    const folder = dirname(this.#path);
    mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
    if (basename(this.#path) !== SOCKET_IN_HOME) requireOwn(folder);
    rmSync(this.workPath, { recursive: true, force: true });
  }

  /** Puts the socket that listens at `workPath` in its place, whatever lies there. */
  place(): void {
    chmodSync(this.workPath, SOCKET_MODE);
    const socket = fileAt(this.workPath);
    try {
      renameSync(this.workPath, this.#path);
    } catch {
      // A folder is in the way, which no rename replaces.
      rmSync(this.#path, { recursive: true, force: true });
      renameSync(this.workPath, this.#path);
    }
    this.#ours = socket;
  }

  /** True while the file at the path is the one that was placed last. */
  get isOurs(): boolean {
    return this.#ours !== undefined && fileAt(this.#path) === this.#ours;
  }

  /** Takes the file away, unless it is another's by now. */
  remove(): void {
    if (this.isOurs) rmSync(this.#path, { force: true });
    this.#ours = undefined;
  }
}

/** The short path of a long home lies in a folder that anybody could have made first. */
function requireOwn(folder: string): void {
  const entry = lstatSync(folder);
  const isOwn = entry.isDirectory() && entry.uid === process.getuid?.();
  if (isOwn && (entry.mode & OTHERS) === 0) return;
  const what = isOwn ? 'is open to other users' : 'is not a folder of this user';
  throw new SluiceError('HOME_NO_PERMISSION', `${folder}, for the control socket, ${what}`, {
    hint: 'Move it away: the gateway makes it anew. Or use a home with a shorter path.',
  });
}

function fileAt(path: string): string | undefined {
  const entry = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  return entry && `${entry.dev}:${entry.ino}`;
}
