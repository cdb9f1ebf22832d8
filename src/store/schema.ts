/**
 * Is this file ours, and is its schema the one this program speaks? Reads before it writes: a file of
 * another program, or of a newer sluice, is refused without a byte of it changed.
 */
import type { DatabaseSync } from 'node:sqlite';
import { SluiceError } from '../errors.ts';
import type { Migration } from './migrations/migrations.ts';

/** "slui", in the header of every file we made: what tells it from another program's database. */
export const APPLICATION_ID = 0x736c7569;

/** What is kept of the log's file after a reader held it back: it grows beside him, for he reads what was before. */
export const WAL_BYTES_KEPT_MAX = 8 * 1024 * 1024;

export interface SchemaOptions {
  readonly path: string;
  /** Bring an older or empty file up to date; otherwise refuse it. */
  readonly migrate: boolean;
  /** Copies the database, as it is, to a file of this name before it is changed. */
  readonly copy: (path: string) => Promise<unknown>;
  /** Every change there is, in order. */
  readonly migrations: readonly Migration[];
}

/** Resolves when the schema is the one of the last migration. Throws STORE_CORRUPT, STORE_SCHEMA_NEWER or STORE_SCHEMA_OTHER. */
export async function prepareSchema(db: DatabaseSync, options: SchemaOptions): Promise<void> {
  const { migrations, migrate } = options;
  const known = migrations.length;
  const found = migrate ? notNewer(db, options.path, known) : requireSchema(db, options.path, known);
  useWriteAheadLog(db);
  if (found === known) return;
  if (found > 0) await options.copy(copyPath(options.path, found));
  apply(db, options.path, migrations);
  // What a change wrote would otherwise wait in the log for whoever closes the file, and he is in a hurry.
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
}

/** The schema that is there, which must be this one. Throws STORE_CORRUPT, STORE_SCHEMA_NEWER or STORE_SCHEMA_OTHER. */
export function requireSchema(db: DatabaseSync, path: string, known: number): number {
  const found = notNewer(db, path, known);
  if (found === known) return found;
  const has = found === 0 ? 'no schema yet' : `schema ${found}`;
  throw new SluiceError('STORE_SCHEMA_OTHER', `${path} has ${has}; this sluice needs schema ${known}`);
}

/** Where the copy made before a migration from this version lies. */
export function copyPath(path: string, version: number): string {
  return `${path}.schema-${version}`;
}

function notNewer(db: DatabaseSync, path: string, known: number): number {
  const found = schemaVersion(db, path);
  if (found <= known) return found;
  throw new SluiceError(
    'STORE_SCHEMA_NEWER',
    `${path} has schema ${found}; this sluice knows schema ${known}`,
  );
}

function schemaVersion(db: DatabaseSync, path: string): number {
  const version = pragma(db, 'user_version');
  const ours = pragma(db, 'application_id') === APPLICATION_ID;
  const empty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (!ours && !(empty && version === 0)) {
    throw new SluiceError('STORE_CORRUPT', `${path} is a database, but not one of sluice`);
  }
  return version;
}

function useWriteAheadLog(db: DatabaseSync): void {
  db.exec('PRAGMA journal_mode = WAL');
  db.exec('PRAGMA synchronous = FULL');
  db.exec(`PRAGMA journal_size_limit = ${WAL_BYTES_KEPT_MAX}`);
}

/** All pending changes in one transaction. The version is read again inside it: another process may have been first. */
function apply(db: DatabaseSync, path: string, migrations: readonly Migration[]): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    for (const migration of migrations.slice(schemaVersion(db, path))) db.exec(migration.sql);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    db.exec(`PRAGMA user_version = ${migrations.length}`);
    db.exec('COMMIT');
  } finally {
    if (db.isTransaction) db.exec('ROLLBACK');
  }
}

function pragma(db: DatabaseSync, name: 'user_version' | 'application_id'): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
}
