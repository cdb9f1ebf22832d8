/**
 * A file of real bytes that is given up when the disk is too full to open the store: enough for SQLite to
 * start, so that `/cleanup` is recorded and answered. It is made again once there is room to spare.
 */
import { randomFillSync } from 'node:crypto';
import { rmSync } from 'node:fs';
import { open, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Size of the file. Random bytes: a file system that compresses would make zeros free, and give nothing back. */
export const RESERVE_BYTES = 4 * 1024 * 1024;

/** Free bytes below which it is not made: it must not be what fills the disk. */
export const RESERVE_FREE_BYTES_MIN = 16 * 1024 * 1024;

export class Reserve {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Removes the file; true when that freed something. */
  giveUp(): boolean {
    try {
      rmSync(this.#path);
      return true;
    } catch {
      // Not there, or not ours to remove: nothing was freed, which is the answer.
      return false;
    }
  }

  /** Makes the file unless it is there; true when it is there afterwards. A failure is tried again at the next call. */
  async replenish(): Promise<boolean> {
    try {
      if (await this.#exists()) return true;
      const { bavail, bsize } = await statfs(dirname(this.#path));
      if (bavail * bsize < RESERVE_FREE_BYTES_MIN) return false;
      await this.#write();
      return true;
    } catch {
      // The disk filled meanwhile. The store works without, and the next probe or start comes here again.
      return false;
    }
  }

  async #exists(): Promise<boolean> {
    const found = await stat(this.#path).catch(() => undefined);
    return found !== undefined && found.size >= RESERVE_BYTES;
  }

  /** Under another name first: a file of the right name is whole. */
  async #write(): Promise<void> {
    const partial = `${this.#path}.partial`;
    try {
      await using file = await open(partial, 'w', 0o600);
      await file.writeFile(randomFillSync(Buffer.allocUnsafe(RESERVE_BYTES)));
      await file.datasync();
      await rename(partial, this.#path);
    } finally {
      await rm(partial, { force: true });
    }
  }
}
