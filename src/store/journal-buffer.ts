/**
 * Journal rows on their way to the next commit. While the store cannot be written they wait here, the newest
 * JOURNAL_ROWS_MAX of them; older ones are given up and counted, and the count goes with the next row that
 * is written. Invariant: what is counted in `missed` was lost before the first row that is kept.
 */
import type { JournalRow } from './records.ts';

/** Rows kept while nothing can be written: some megabytes of JSON at most. */
export const JOURNAL_ROWS_MAX = 2_000;

/** Consecutive rows, and how many were lost before the first of them. */
export interface JournalRun {
  readonly rows: readonly JournalRow[];
  readonly missed: number;
}

export class JournalBuffer {
  #rows: JournalRow[] = [];
  #missed = 0;

  get empty(): boolean {
    return this.#rows.length === 0;
  }

  add(row: JournalRow): void {
    this.#rows.push(row);
    this.#bound();
  }

  /** Hands over the oldest rows, at most `rowsMax`; without any the count stays here, for the first that comes. */
  take(rowsMax: number): JournalRun {
    const run = { rows: this.#rows.splice(0, rowsMax), missed: this.#missed };
    if (run.rows.length > 0) this.#missed = 0;
    return run;
  }

  /** Takes a run back that could not be written. */
  putBack(run: JournalRun): void {
    if (run.rows.length === 0) return;
    this.#missed = run.missed;
    this.#rows = [...run.rows, ...this.#rows];
    this.#bound();
  }

  /** Counts rows that were taken and are lost. */
  lost(rows: number): void {
    this.#missed += rows;
  }

  #bound(): void {
    const over = this.#rows.length - JOURNAL_ROWS_MAX;
    if (over <= 0) return;
    this.#rows.splice(0, over);
    this.#missed += over;
  }
}
