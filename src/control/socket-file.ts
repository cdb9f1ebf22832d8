/**
 * The file of the control socket: made ready under another name and then put in its place, so that nobody meets one
 * whose mode is not set yet, and taken away again only while it is ours. Closing a server on a socket unlinks the
 * path it was bound to, whoever has bound that since: the other name is where that goes.
 */
import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { isInHome, requireOwnFolder } from '../config/paths.ts';
import { messageOf, SluiceError } from '../errors.ts';

const FOLDER_MODE = 0o700;
const SOCKET_MODE = 0o600;

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

  /**
   * Makes the folder and clears what a dead gateway left in it. Throws HOME_NO_PERMISSION for a foreign folder, and for
   * one that cannot be made. That of a home was looked at before.
   */
  prepare(): void {
    const folder = dirname(this.#path);
    makeFolder(folder);
    if (!isInHome(this.#path)) requireOwnFolder(folder);
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

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
  } catch (cause) {
    const text = `${folder}, for the control socket, cannot be made: ${messageOf(cause)}`;
    throw new SluiceError('HOME_NO_PERMISSION', text, {
      cause,
      hint: 'Use a home with a shorter path, whose socket lies in it.',
    });
  }
}

function fileAt(path: string): string | undefined {
  const entry = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  return entry && `${entry.dev}:${entry.ino}`;
}
