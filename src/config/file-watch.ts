/**
 * Tells when a file has become another one. It looks at the file instead of asking the system to be told: so it sees
 * what an editor puts in the file's place, what a link to a link leads to by now, a file on a network and one that is
 * gone for a moment, and needs none of the system's watches. A file is told of once it is quiet.
 */
import { stat } from 'node:fs/promises';
import type { Clock } from '../clock.ts';

/** How often a watched configuration is looked at; one that is the same at two looks is quiet. */
export const WATCH_MS = 500;

/** How long a file that is never quiet is waited for. */
export const WATCH_UNQUIET_MS_MAX = 5000;

export interface FileWatchOptions {
  readonly clock: Clock;
  /** What tells one state of the file from another: see `fileMark`. It must not reject. */
  readonly look: () => Promise<string>;
  /** The file is another one than when this was called last; called for the file as it is found at first, too. */
  readonly changed: () => void;
}

export class FileWatch implements Disposable {
  readonly #options: FileWatchOptions;
  readonly #timer: Disposable;
  #disposed = false;
  #looking = false;
  #seen: string | undefined;
  #told: string | undefined;
  #unquietSinceMs: number | undefined;

  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#timer = options.clock.every(WATCH_MS, () => {
      // A file system that does not answer is not asked again until it has.
      if (!this.#looking) void this.#look();
    });
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#timer[Symbol.dispose]();
  }

  async #look(): Promise<void> {
    this.#looking = true;
    const mark = await this.#options.look();
    if (this.#disposed) return;
    this.#looking = false;
    this.#judge(mark);
  }

  #judge(mark: string): void {
    const { clock, changed } = this.#options;
    const isQuiet = mark === this.#seen;
    this.#seen = mark;
    if (mark === this.#told) {
      this.#unquietSinceMs = undefined;
      return;
    }
    this.#unquietSinceMs ??= clock.monotonicMs();
    if (!isQuiet && clock.monotonicMs() - this.#unquietSinceMs < WATCH_UNQUIET_MS_MAX) return;
    this.#unquietSinceMs = undefined;
    this.#told = mark;
    changed();
  }
}

/** Which file stands at this path, and when it was last changed; a text of its own where none can be reached. */
export async function fileMark(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
