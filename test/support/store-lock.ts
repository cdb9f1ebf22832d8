/**
 * Takes the store of a home away from its gateway, as a full disk or a backup tool would: a write lock on the
 * database, held by this process until it is given back.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** A commit that is under way when the lock is asked for is waited for this long. */
const WAIT_MS = 5000;

export class StoreLock implements Disposable {
  readonly #db: DatabaseSync;

  constructor(home: string) {
    this.#db = new DatabaseSync(join(home, 'sluice.db'), { timeout: WAIT_MS });
    this.#db.exec('BEGIN IMMEDIATE');
  }

  [Symbol.dispose](): void {
    if (this.#db.isOpen) this.#db.close();
  }
}
