/**
 * Group commit: what is handed in during one turn of the event loop shares one transaction and one wait for
 * the disk. The transaction begins and ends inside one synchronous function, so it is never open across a
 * tick, and promises are settled only after it.
 *
 * Nobody waits for a journal row, so a row alone begins no batch: it goes with the next unit, or after
 * JOURNAL_DELAY_MS. A command costs two waits for the disk that way, not three.
 *
 * A unit that throws is a defect of its author: the batch is rolled back and applied again with a savepoint
 * around each unit, so that only the culprit is refused. Anything else that goes wrong is an outage: nothing
 * of the batch was applied, and unless room can be made for it, everything that waits is refused at once. Only a lock
 * that another process holds gets a second batch first: one slow write of that process is no outage of ours.
 */
import type { Clock } from '../clock.ts';
import { isBusy, isOutage } from './errors.ts';
import { JournalBuffer, type JournalRun } from './journal-buffer.ts';
import type { JournalRow } from './records.ts';

/** Units that share a commit at most: bounds how long one batch holds the event loop (some milliseconds). */
export const UNITS_PER_BATCH_MAX = 256;

/** Journal rows that go with one batch at most, for the same reason. */
export const JOURNAL_ROWS_PER_BATCH_MAX = 1_024;

/** How long a journal row waits for a unit to go with; what a kill may cost of the journal's end. */
export const JOURNAL_DELAY_MS = 25;

/** What a batch needs of the database. Savepoints nest inside a transaction. */
export interface Transactions {
  begin(): void;
  commit(): void;
  /** Ends a transaction that failed, if it is still open. */
  rollback(): void;
  savepoint(): void;
  release(): void;
  /** Back to the savepoint, which is gone then. */
  undo(): void;
  addJournalRow(row: JournalRow, missed: number): void;
  /** Several, with few statements; `missed` belongs to the first. What throws may have written some of them. */
  addJournalRows(rows: readonly JournalRow[], missed: number): void;
}

export interface GroupCommitHost<Connection> {
  readonly clock: Clock;
  /** What to write to; undefined while the store is not writable. */
  connection(): Connection | undefined;
  /** Asked once when a batch met an outage: true when room was made for a second attempt. */
  madeRoom(error: unknown): boolean;
  /** Told of an outage, before anything is refused; gives what to refuse with. */
  outage(error: unknown): Error;
  /** Gives what to refuse a defective unit with. */
  defect(error: unknown): Error;
  /** Told of a journal row that the store did not take. */
  journalRowLost(error: unknown): void;
}

interface Unit<Connection> {
  readonly apply: (connection: Connection) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** What came of applying something inside a batch that was committed. */
type Result = { readonly value: unknown } | { readonly defect: unknown };

export class GroupCommit<Connection extends Transactions> {
  readonly #host: GroupCommitHost<Connection>;
  readonly #journal = new JournalBuffer();
  #units: Unit<Connection>[] = [];
  #scheduled = false;
  /** The last batch met another process's lock. */
  #metLock = false;
  /** Set while journal rows wait for company. */
  #journalDue: Disposable | undefined;

  constructor(host: GroupCommitHost<Connection>) {
    this.#host = host;
  }

  /** Runs `apply` in the next batch; resolves with what it gave once that is on disk. */
  add<T>(apply: (connection: Connection) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#units.push({ apply, resolve: resolve as (value: unknown) => void, reject });
      this.soon();
    });
  }

  /** Writes the row with the next unit, JOURNAL_DELAY_MS later at most, or with the first batch after an outage. */
  addJournalRow(row: JournalRow): void {
    this.#journal.add(row);
    if (this.#scheduled || this.#journalDue !== undefined) return;
    this.#journalDue = this.#host.clock.timer(JOURNAL_DELAY_MS, () => {
      this.#journalDue = undefined;
      this.soon();
    });
  }

  /** Plans a batch after the callbacks that are due now, so that their units share it. */
  soon(): void {
    if (this.#scheduled || this.#host.connection() === undefined) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#batch();
      if (this.#waiting()) this.soon();
    });
  }

  /** Writes everything that waits, now; what cannot be written stays. */
  drain(): void {
    while (this.#waiting() && this.#host.connection() !== undefined) this.#batch();
    this.#journalDue?.[Symbol.dispose]();
    this.#journalDue = undefined;
  }

  #waiting(): boolean {
    return this.#units.length > 0 || !this.#journal.empty;
  }

  #batch(): void {
    const connection = this.#host.connection();
    if (connection === undefined || !this.#waiting()) return;
    this.#journalDue?.[Symbol.dispose]();
    this.#journalDue = undefined;
    const units = this.#units.splice(0, UNITS_PER_BATCH_MAX);
    const run = this.#journal.take(JOURNAL_ROWS_PER_BATCH_MAX);
    try {
      const written = this.#commit(connection, units, run);
      this.#metLock = false;
      this.#settle(units, written.results);
      this.#countLost(written.journal);
    } catch (error) {
      this.#journal.putBack(run);
      if (isBusy(error) && !this.#metLock) {
        this.#metLock = true;
        this.#units.unshift(...units);
        return;
      }
      this.#metLock = false;
      this.#refuse([...units, ...this.#units.splice(0)], this.#host.outage(error));
    }
  }

  #commit(connection: Connection, units: readonly Unit<Connection>[], run: JournalRun): BatchWritten {
    try {
      return commitBatch(connection, units, run);
    } catch (error) {
      if (!this.#host.madeRoom(error)) throw error;
      return commitBatch(connection, units, run);
    }
  }

  #settle(units: readonly Unit<Connection>[], results: readonly Result[]): void {
    for (const [index, unit] of units.entries()) {
      const result = results[index];
      if (result === undefined) continue;
      if ('value' in result) unit.resolve(result.value);
      else unit.reject(this.#host.defect(result.defect));
    }
  }

  #countLost(journal: JournalWritten): void {
    this.#journal.lost(journal.missed);
    for (const error of journal.defects) this.#host.journalRowLost(error);
  }

  #refuse(units: readonly Unit<Connection>[], error: Error): void {
    for (const unit of units) unit.reject(error);
  }
}

interface JournalWritten {
  /** Lost rows that no later row of the run could carry the count of. */
  readonly missed: number;
  readonly defects: readonly unknown[];
}

interface BatchWritten {
  readonly results: readonly Result[];
  readonly journal: JournalWritten;
}

/** Writes the batch, or throws and has written nothing. */
function commitBatch<C extends Transactions>(
  db: C,
  units: readonly Unit<C>[],
  run: JournalRun,
): BatchWritten {
  try {
    return inTransaction(db, () => {
      const results = units.map((unit) => ({ value: unit.apply(db) }));
      // The first row carries the count; a run without rows has none to carry, for the buffer keeps it until there is one.
      db.addJournalRows(run.rows, run.missed);
      return { results, journal: { missed: 0, defects: [] } };
    });
  } catch (error) {
    if (isOutage(error)) throw error;
  }
  return inTransaction(db, () => ({
    results: units.map((unit) => inSavepoint(db, () => unit.apply(db))),
    journal: addEach(db, run),
  }));
}

function addEach(db: Transactions, run: JournalRun): JournalWritten {
  const defects: unknown[] = [];
  let missed = run.missed;
  for (const row of run.rows) {
    const result = inSavepoint(db, () => db.addJournalRow(row, missed));
    if ('defect' in result) defects.push(result.defect);
    missed = 'defect' in result ? missed + 1 : 0;
  }
  return { missed: run.rows.length === 0 ? 0 : missed, defects };
}

function inTransaction<T>(db: Transactions, body: () => T): T {
  db.begin();
  try {
    const result = body();
    db.commit();
    return result;
  } catch (error) {
    db.rollback();
    throw error;
  }
}

function inSavepoint(db: Transactions, body: () => unknown): Result {
  db.savepoint();
  try {
    const value = body();
    db.release();
    return { value };
  } catch (error) {
    if (isOutage(error)) throw error;
    db.undo();
    return { defect: error };
  }
}
