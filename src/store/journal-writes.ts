/** The journal's rows as statements: one row, or several at once where there are as many. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { JournalRow } from './records.ts';

/** Rows that one statement adds: together they cost less than each by a statement of its own. */
const ROWS_AT_ONCE = 8;

const VALUES = '(?, ?, ?, ?, ?, ?, ?)';

const ONE = `INSERT INTO journal (epoch, number, at, event, state, context, missed) VALUES ${VALUES}`;

const SEVERAL = ONE + `, ${VALUES}`.repeat(ROWS_AT_ONCE - 1);

export interface JournalWrites {
  /** Adds a row that `missed` rows should have stood before. */
  addJournalRow(row: JournalRow, missed: number): void;
  /** Adds rows in their order; `missed` should have stood before the first. What throws may have added some of them. */
  addJournalRows(rows: readonly JournalRow[], missed: number): void;
}

/** Prepares the statements that add to the journal. */
export function prepareJournal(db: DatabaseSync): JournalWrites {
  const one = db.prepare(ONE);
  const several = db.prepare(SEVERAL);
  const addJournalRow = (row: JournalRow, missed: number): void => {
    one.run(row.epoch, row.number, row.at, row.event, row.state, row.context, missed);
  };
  return {
    addJournalRow,
    addJournalRows(rows, missedBefore) {
      let missed = missedBefore;
      let next = 0;
      for (; next + ROWS_AT_ONCE <= rows.length; next += ROWS_AT_ONCE) {
        const values: SQLInputValue[] = [];
        for (const row of rows.slice(next, next + ROWS_AT_ONCE)) {
          values.push(row.epoch, row.number, row.at, row.event, row.state, row.context, missed);
          missed = 0;
        }
        several.run(...values);
      }
      for (const row of rows.slice(next)) {
        addJournalRow(row, missed);
        missed = 0;
      }
    },
  };
}
