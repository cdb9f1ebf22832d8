/**
 * Keeps what running turns have streamed, so that a person hears it from the next start should this life die. Written
 * at intervals, and the longer an answer the more must have come: all of it is written each time, so the bytes that an
 * answer costs stay a small multiple of its length.
 */
import type { Clock } from '../clock.ts';
import type { Store } from '../store/store.ts';
import type { Write } from '../store/write.ts';
import type { Log } from '../telemetry/log.ts';
import type { Turn } from './turn.ts';
import { logUnlessOutage } from './unexpected.ts';

/** Between something streamed and its being written. */
export const PROGRESS_MS = 1000;

/** An answer is written again once it has grown by this part of what was written. */
const GROWTH = 1 / 8;

export interface TurnProgressOptions {
  readonly store: Pick<Store, 'commit' | 'writable'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly running: () => readonly Turn[];
}

export class TurnProgress implements Disposable {
  readonly #options: TurnProgressOptions;
  /** Characters of the answer that are on disk. */
  readonly #written = new WeakMap<Turn, number>();
  #timer: Disposable | undefined;
  #disposed = false;

  constructor(options: TurnProgressOptions) {
    this.#options = options;
  }

  /** A turn has streamed something: it is written soon. */
  grew(): void {
    this.#timer ??= this.#options.clock.timer(PROGRESS_MS, () => {
      this.#timer = undefined;
      this.#write();
    });
  }

  #write(): void {
    const { store, log, running } = this.#options;
    if (!store.writable) {
      this.#writeLater();
      return;
    }
    const grown = running().filter((turn) => turn.message.recorded && this.#hasGrown(turn));
    if (grown.length === 0) return;
    const unit = grown.map(
      ({ row, answer }): Write => ({ op: 'turn.progress', id: row.id, streamed: answer }),
    );
    for (const turn of grown) this.#written.set(turn, turn.answer.length);
    store.commit(unit).catch((error: unknown) => {
      for (const turn of grown) this.#written.delete(turn);
      this.#writeLater();
      logUnlessOutage(log, error, 'what turns have streamed was not written');
    });
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#timer?.[Symbol.dispose]();
  }

  /** Also of a turn that says nothing more for a while. */
  #writeLater(): void {
    if (!this.#disposed && this.#options.running().length > 0) this.grew();
  }

  #hasGrown(turn: Turn): boolean {
    const written = this.#written.get(turn) ?? 0;
    return turn.answer.length - written > written * GROWTH;
  }
}
