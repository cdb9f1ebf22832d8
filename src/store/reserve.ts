/**
 * A file of real bytes that is given up when the disk is too full to open or to write the store: enough for
 * SQLite to go on, so that outcomes are written and `/cleanup` is recorded and answered. It is made again once
 * there is room to spare.
 */
import { randomFillSync } from 'node:crypto';
import { rmSync } from 'node:fs';
import { open, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../clock.ts';

/** Size of the file. Random bytes: a file system that compresses would make zeros free, and give nothing back. */
export const RESERVE_BYTES = 4 * 1024 * 1024;

/** Free bytes below which it is not made: it must not be what fills the disk. */
export const RESERVE_FREE_BYTES_MIN = 16 * 1024 * 1024;

/** How often a reserve that is missing is tried again. */
export const RESERVE_PERIOD_MS = 60_000;

export class Reserve implements Disposable {
  readonly #path: string;
  readonly #clock: Clock;
  #making: Promise<boolean> | undefined;
  /** Set while the file is missing. */
  #again: Disposable | undefined;
  #disposed = false;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** Removes the file, until there is room for it again; true when that freed something. */
  giveUp(): boolean {
    try {
      rmSync(this.#path);
      this.#tryAgain();
      return true;
    } catch {
      // Not there, or not ours to remove: nothing was freed, which is the answer.
      return false;
    }
  }

  /** Makes the file unless it is there, now or as soon as there is room; true when it is there. */
  async replenish(): Promise<boolean> {
    this.#making ??= this.#make().finally(() => {
      this.#making = undefined;
    });
    const made = await this.#making;
    if (made) this.#stopTrying();
    else this.#tryAgain();
    return made;
  }

  /** Ends trying to make the file. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#stopTrying();
  }

  #tryAgain(): void {
    if (this.#disposed) return;
    this.#again ??= this.#clock.every(RESERVE_PERIOD_MS, () => void this.replenish());
  }

  #stopTrying(): void {
    this.#again?.[Symbol.dispose]();
    this.#again = undefined;
  }

  async #make(): Promise<boolean> {
    try {
      if (await this.#exists()) return true;
      const { bavail, bsize } = await statfs(dirname(this.#path));
      if (bavail * bsize < RESERVE_FREE_BYTES_MIN) return false;
      await this.#write();
      return true;
    } catch {
      // The disk filled meanwhile. The store works without, until the next attempt.
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
