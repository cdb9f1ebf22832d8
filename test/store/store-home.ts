/** A fresh folder for a store, and what stands in it; disposing closes every store that was opened there. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '../../src/clock.ts';
import type { SluiceError } from '../../src/errors.ts';
import { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from '../../src/store/sqlite.ts';

export class StoreHome implements AsyncDisposable {
  readonly folder: string;
  readonly path: string;
  readonly reservePath: string;
  /** Everything any store of this home complained of. */
  readonly problems: SluiceError[] = [];
  /** What was said of journal rows that a store did not take. */
  readonly lostRows: SluiceError[] = [];
  readonly #stores: SqliteStore[] = [];
  readonly #ownsFolder: boolean;

  /** In a folder of somebody else's, or in a fresh one that disposing removes. */
  constructor(folder?: string) {
    this.#ownsFolder = folder === undefined;
    this.folder = folder ?? mkdtempSync(join(tmpdir(), 'sluice-store-'));
    this.path = join(this.folder, 'sluice.db');
    this.reservePath = join(this.folder, 'reserve');
  }

  async open(options: Partial<SqliteStoreOptions> = {}): Promise<SqliteStore> {
    const store = await openSqliteStore({
      path: this.path,
      reservePath: this.reservePath,
      migrate: true,
      clock: systemClock,
      onProblem: (error) => this.problems.push(error),
      onRowLost: (error) => this.lostRows.push(error),
      ...options,
    });
    this.#stores.push(store);
    return store;
  }

  /** Rows as another program sees them. */
  query(sql: string): Record<string, unknown>[] {
    const db = new DatabaseSync(this.path);
    try {
      return db
        .prepare(sql)
        .all()
        .map((row) => ({ ...row }));
    } finally {
      db.close();
    }
  }

  /** Statements as another program runs them. */
  change(sql: string): void {
    const db = new DatabaseSync(this.path);
    try {
      db.exec(sql);
    } finally {
      db.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close()));
    if (this.#ownsFolder) rmSync(this.folder, { recursive: true, force: true });
  }
}
