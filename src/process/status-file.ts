/**
 * The status file of a daemon that runs: kept true as long as it does, and its mtime the heartbeat. A file whose home is
 * another's by now is left alone. Close it before the lock is released: between looking and renaming there is a moment that
 * only the lock covers. Who reads it does so by `runtime-status.ts`.
 */
import { utimesSync } from 'node:fs';
import type { Clock } from '../clock.ts';
import { type SluiceError, systemCodeOf } from '../errors.ts';
import { replaceFile, writeError } from './whole-file.ts';

export interface StatusFileOptions {
  readonly path: string;
  /** False once the home is no longer this daemon's: then nothing is written. */
  readonly isOurs: () => boolean;
  /** Of this daemon, now: a start without a store may learn a later one. It is written into every document. */
  readonly epoch: () => number;
  readonly clock: Clock;
  /** Told when writing or touching begins to fail, once until it has worked again. Code STORE_UNAVAILABLE. */
  readonly onProblem: (problem: SluiceError) => void;
}

/** How often the heartbeat beats, and so at most how often counters alone are written. */
export const HEARTBEAT_PERIOD_MS = 1_000;

/**
 * Keeps `status.json` true while a daemon runs: at once when its state changes, at most once a second when only
 * counters do. The heartbeat beats from the first update on, also when the disk is full: setting a time needs no
 * room. What could not be written is tried again with each beat. Disposing is closing without a last word.
 */
export class StatusFile implements Disposable {
  readonly #options: StatusFileOptions;
  readonly #heartbeat: Disposable;
  /** The newest document, and what the file is known to hold. */
  #wanted = '';
  #written = '';
  /** True once the file is this daemon's. */
  #ours = false;
  #failing = false;
  #closed = false;

  constructor(options: StatusFileOptions) {
    this.#options = options;
    this.#heartbeat = options.clock.every(HEARTBEAT_PERIOD_MS, () => this.#beat());
  }

  /** Takes the status as it is now; `changed` when more than counters did. Ignored after closing. */
  update(status: object, { changed }: { changed: boolean }): void {
    if (this.#closed) return;
    this.#wanted = this.#serialize(status);
    if (changed) this.#write();
  }

  /**
   * Writes the last status, unless the home is another's by now, and ends. Twice is once. `brief`: what is written where a
   * full disk has no room for all of it; it should be short enough for the room that any status file has.
   */
  close(final: object, brief: object = final): void {
    if (this.#closed) return;
    this[Symbol.dispose]();
    for (const document of [final, brief]) {
      this.#wanted = this.#serialize(document);
      this.#write();
      if (this.#written === this.#wanted) return;
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#heartbeat[Symbol.dispose]();
  }

  #beat(): void {
    this.#write();
    this.#touch();
  }

  /** An unchanged document is not written: its time is the heartbeat's matter. */
  #write(): void {
    if (this.#wanted === this.#written) return;
    // Somebody deleted the lock, or all of it: a later daemon's document may be there, which ours would hide.
    if (!this.#options.isOurs()) return;
    try {
      replaceFile(this.#options.path, this.#wanted);
      this.#written = this.#wanted;
      this.#ours = true;
      this.#failing = false;
    } catch (thrown) {
      this.#report(thrown);
    }
  }

  #touch(): void {
    // Until the first write has worked the file is a dead daemon's, which must not look alive.
    if (!this.#ours || !this.#options.isOurs()) return;
    const { path, clock } = this.#options;
    const nowS = clock.wallMs() / 1_000;
    try {
      utimesSync(path, nowS, nowS);
    } catch (thrown) {
      this.#written = '';
      if (systemCodeOf(thrown) === 'ENOENT') this.#write();
      else this.#report(thrown);
    }
  }

  #report(thrown: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#options.onProblem(writeError(this.#options.path, thrown));
  }

  #serialize(status: object): string {
    return JSON.stringify({ ...status, epoch: this.#options.epoch() });
  }
}
