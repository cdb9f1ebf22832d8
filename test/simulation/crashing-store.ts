/**
 * A store as a crash meets it. What is committed waits in a queue until the world applies it; only then it is on disk,
 * and stays there whatever becomes of the life. Whoever handed it in hears of that later still. A life that dies in
 * between loses what was not applied, and never learns of what was.
 */
import { SluiceError } from '../../src/errors.ts';
import type { JournalRow } from '../../src/store/records.ts';
import type { Life, LifeStart } from '../../src/store/store.ts';
import type { Write } from '../../src/store/write.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { MemoryTables } from '../support/memory-tables.ts';
import type { Mortal } from './mortal.ts';

/** What outlives each life. */
export class Disk {
  readonly tables = new MemoryTables();
  /** Nothing can be written to it at present. */
  isFull = false;
}

interface Queued {
  readonly unit: readonly Write[];
  readonly resolve: (result: 'committed' | 'duplicate') => void;
  readonly reject: (error: unknown) => void;
}

export interface CrashingStoreOptions {
  readonly disk: Disk;
  readonly mortal: Mortal;
  readonly applied: (unit: readonly Write[], result: 'committed' | 'duplicate') => void;
  /** This life has a number from now on. */
  readonly registered: (life: Life) => void;
  /** The store cannot be written from now on. */
  readonly failed: (reason: string) => void;
}

export class CrashingStore extends MemoryStore {
  readonly #options: CrashingStoreOptions;
  readonly #queue: Queued[] = [];
  /** Applied, and not told yet. */
  readonly #answers: (() => void)[] = [];
  #closed: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(options: CrashingStoreOptions) {
    super(options.disk.tables);
    this.#options = options;
    this.writable = !options.disk.isFull;
  }

  /** Units that wait to be applied. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Units that are applied, and whose life has not heard of it. */
  get untold(): number {
    return this.#answers.length;
  }

  override commit(unit: readonly Write[]): Promise<'committed' | 'duplicate'> {
    return this.#options.mortal.port('commit', async () => {
      this.#mustBeWritable();
      const { promise, resolve, reject } = Promise.withResolvers<'committed' | 'duplicate'>();
      this.#queue.push({ unit, resolve, reject });
      return promise;
    });
  }

  /** Applies the first `count` units that wait; on a full disk refuses all of them. */
  apply(count: number): void {
    if (this.#options.disk.isFull) {
      this.#refuseAll();
      return;
    }
    for (const queued of this.#queue.splice(0, count)) this.#applyOne(queued);
    if (this.#queue.length === 0) this.#closed?.resolve();
  }

  /** Tells of the first `count` units that are applied. */
  tell(count: number): void {
    for (const answer of this.#answers.splice(0, count)) answer();
  }

  /** The journal has tests of its own, and is not what anything here is known from. */
  override journal(_row: JournalRow): void {}

  override async probe(): Promise<boolean> {
    if (!this.#options.disk.isFull && this.#closed === undefined) this.writable = true;
    return this.writable;
  }

  override begin(start: LifeStart): Promise<Life> {
    return this.#options.mortal.port('begin', async () => {
      if (this.#options.disk.isFull) this.writable = false;
      const life = await super.begin(start);
      this.#options.registered(life);
      return life;
    });
  }

  override close(): Promise<void> {
    if (this.#closed === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#closed = { promise, resolve };
      if (this.#queue.length === 0) resolve();
    }
    return this.#closed.promise;
  }

  #applyOne({ unit, resolve, reject }: Queued): void {
    try {
      const result = this.tables.applyUnit(unit);
      this.#options.applied(unit, result);
      this.#answers.push(() => resolve(result));
    } catch (cause) {
      this.#answers.push(() => reject(new SluiceError('INTERNAL', 'the store refused a unit', { cause })));
    }
  }

  #refuseAll(): void {
    this.writable = false;
    const refused = this.#queue.splice(0);
    this.#options.failed('the disk is full');
    for (const { reject } of refused) reject(unavailable());
    this.#closed?.resolve();
  }

  #mustBeWritable(): void {
    if (!this.writable || this.#closed !== undefined) throw unavailable();
  }
}

const unavailable = () => new SluiceError('STORE_UNAVAILABLE', 'the disk of this world is full');
