/**
 * One open database of ours: its transactions, and its prepared reads and writes. Made once the schema is
 * the right one; thrown away whole when it must be opened anew.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Transactions } from './group-commit.ts';
import { prepareReads, type Reads } from './reads.ts';
import type { JournalRow } from './records.ts';
import type { Write } from './write.ts';
import { prepareWrites, type Writes } from './writes.ts';

export class Connection implements Transactions {
  readonly #db: DatabaseSync;
  readonly reads: Reads;
  readonly writes: Writes;
  readonly #verbs: Readonly<Record<'begin' | 'commit' | 'savepoint' | 'release' | 'undo', () => void>>;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.reads = prepareReads(db);
    this.writes = prepareWrites(db);
    this.#verbs = {
      begin: verb(db, 'BEGIN IMMEDIATE'),
      commit: verb(db, 'COMMIT'),
      savepoint: verb(db, 'SAVEPOINT unit'),
      release: verb(db, 'RELEASE unit'),
      undo: verb(db, 'ROLLBACK TO unit'),
    };
  }

  /** Applies the writes of one unit. A duplicate leaves nothing of it, wherever in the unit its `receive` stands. */
  applyUnit(unit: readonly Write[]): 'committed' | 'duplicate' {
    const guarded = unit.findLastIndex((write) => write.op === 'receive') > 0;
    if (guarded) this.savepoint();
    let received: string | undefined;
    for (const write of unit) {
      if (!this.writes.apply(write, received)) {
        if (guarded) this.undo();
        return 'duplicate';
      }
      if (write.op === 'receive') received = write.message.id;
      else if (write.op === 'turn.start') received = undefined;
    }
    if (guarded) this.release();
    return 'committed';
  }

  /** Writes something that changes nothing, through to the disk; throws when that cannot be done. */
  touch(): void {
    this.begin();
    try {
      const version = this.#db.prepare('PRAGMA user_version').get()?.user_version;
      this.#db.exec(`PRAGMA user_version = ${version}`);
      this.commit();
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  begin(): void {
    this.#verbs.begin();
  }

  commit(): void {
    this.#verbs.commit();
  }

  /** SQLite ends some failed transactions by itself. */
  rollback(): void {
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
  }

  savepoint(): void {
    this.#verbs.savepoint();
  }

  release(): void {
    this.#verbs.release();
  }

  undo(): void {
    this.#verbs.undo();
    this.#verbs.release();
  }

  addJournalRow(row: JournalRow, missed: number): void {
    this.writes.addJournalRow(row, missed);
  }

  addJournalRows(rows: readonly JournalRow[], missed: number): void {
    this.writes.addJournalRows(rows, missed);
  }

  close(): void {
    this.#db.close();
  }
}

function verb(db: DatabaseSync, sql: string): () => void {
  const statement = db.prepare(sql);
  return () => {
    statement.run();
  };
}
