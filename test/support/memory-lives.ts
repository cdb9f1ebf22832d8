/** The lives of `MemoryTables`. */

import type { LastExit } from '../../src/store/last-exit.ts';
import type { Death, SafeModeMark } from '../../src/store/records.ts';
import type { Life, LifeStart } from '../../src/store/store.ts';
import type { Write } from '../../src/store/write.ts';
import { type Changes, Table } from './memory-table.ts';

interface LifeRecord extends Life {
  readonly end?: LastExit;
  readonly safeMode?: SafeModeMark['mode'];
}

export class MemoryLives {
  readonly #rows: Table<LifeRecord>;

  constructor(changes: Changes) {
    this.#rows = new Table(changes);
  }

  begin({ kind, pid, startTime, bootId, epochAbove }: LifeStart): Life {
    const lives = this.#rows.values();
    const epochs = lives.map(({ epoch }) => epoch ?? 0);
    const epoch = kind === 'cli' ? null : Math.max(epochAbove, ...epochs) + 1;
    const life = { id: lives.length + 1, kind, epoch, pid, startTime, bootId };
    this.#rows.set(`${life.id}`, life);
    return life;
  }

  /** Those that have not ended, without `self`. */
  open(self: number | null): Life[] {
    return this.#rows.values().filter(({ id, end }) => end === undefined && id !== self);
  }

  lastExit(epoch: number): LastExit | undefined {
    const before = this.#rows.values().filter((life) => life.epoch !== null && life.epoch < epoch);
    const last = before.sort((a, b) => (b.epoch ?? 0) - (a.epoch ?? 0))[0];
    return last && (last.end ?? { code: null, cause: 'unknown', at: null });
  }

  deaths(sinceMs: number): Death[] {
    return this.#rows
      .values()
      .filter(({ kind, end }) => kind === 'daemon' && (end?.cause === 'died' || end?.cause === 'fault'))
      .map(({ id, end }) => ({ life: id, at: end?.at ?? 0 }))
      .filter(({ at }) => at >= sinceMs)
      .sort((a, b) => b.at - a.at);
  }

  safeMode(): SafeModeMark | undefined {
    const marks = this.#rows.values().flatMap(({ id, safeMode: mode }) => (mode ? [{ life: id, mode }] : []));
    return marks.sort((a, b) => b.life - a.life)[0];
  }

  mark({ id, mode }: Extract<Write, { op: 'life.safe-mode' }>): void {
    const life = this.#rows.get(`${id}`);
    if (life !== undefined) this.#rows.set(`${id}`, { ...life, safeMode: mode });
  }

  end({ id, code, cause, at }: Extract<Write, { op: 'life.end' }>): void {
    const life = this.#rows.get(`${id}`);
    if (life !== undefined && life.end === undefined) {
      this.#rows.set(`${id}`, { ...life, end: { code, cause, at } });
    }
  }
}
