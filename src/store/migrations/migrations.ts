/**
 * Every schema change, in order. `PRAGMA user_version` says how many of them a file has had, so an entry is
 * never edited, removed or reordered once it was released. A change only adds (tables, columns, indexes):
 * the life before may still be finishing beside the one that migrates.
 */
import { initial } from './0001-initial.ts';
import { whatWasSaid } from './0002-what-was-said.ts';
import { whatWasSettled } from './0003-what-was-settled.ts';
import { promises } from './0004-promises.ts';
import { safeMode } from './0005-safe-mode.ts';

export interface Migration {
  /** Its place in the list, from 1. */
  readonly version: number;
  readonly name: string;
  /** Statements, run in one transaction together with those of the other pending migrations. */
  readonly sql: string;
}

export const MIGRATIONS: readonly Migration[] = [
  { version: 1, name: 'initial', sql: initial },
  { version: 2, name: 'what-was-said', sql: whatWasSaid },
  { version: 3, name: 'what-was-settled', sql: whatWasSettled },
  { version: 4, name: 'promises', sql: promises },
  { version: 5, name: 'safe-mode', sql: safeMode },
];
