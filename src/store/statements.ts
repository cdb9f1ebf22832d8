/** Prepared questions: a statement together with what makes a row of the port of its rows. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';

type Row = Record<string, SQLOutputValue>;

/** The first row; undefined where there is none. */
export function one<T>(db: DatabaseSync, sql: string, to: (row: Row) => T) {
  const statement = db.prepare(sql);
  return (...values: SQLInputValue[]): T | undefined => {
    const row = statement.get(...values);
    return row === undefined ? undefined : to(row);
  };
}

/** Every row. */
export function many<T>(db: DatabaseSync, sql: string, to: (row: Row) => T) {
  const statement = db.prepare(sql);
  return (...values: SQLInputValue[]): T[] => statement.all(...values).map(to);
}

/** Several queries about one instant: another process may commit between two of them. */
export function inOneView<T>(db: DatabaseSync, read: () => T): T {
  db.exec('BEGIN');
  try {
    return read();
  } finally {
    db.exec('COMMIT');
  }
}
