/** What a gateway leaves in its home, for tests that look at it from outside. The lock is never opened. */
import { readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '../../src/clock.ts';
import { PATIENCE_MS } from './polling.ts';

// biome-ignore lint/suspicious/noExplicitAny: what a test reads of a document is what it asserts on.
type Document = any;

const documentIn = (home: string, name: string): Document =>
  JSON.parse(readFileSync(join(home, name), 'utf8'));

export const statusFile = (home: string): Document => documentIn(home, 'status.json');
export const pidFile = (home: string): Document => documentIn(home, 'sluice.pid');

/** Files that only a running gateway, or one that was cut off in the middle of writing, may have there. */
export const debrisIn = (home: string): string[] =>
  readdirSync(home).filter((name) => /^(sluice\.pid|control\.sock|.*\.tmp|sluice\.db-journal)$/.test(name));

/** A commit that is under way is waited for this long. */
const STORE_WAIT_MS = 15_000;

/** Rows of the store, read beside whoever runs on it; nothing in the home changes. */
export function storeRows(home: string, sql: string): Document[] {
  const db = new DatabaseSync(join(home, 'sluice.db'), { readOnly: true, timeout: STORE_WAIT_MS });
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}

/** True while a process of this pid runs; a zombie does not. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^ [ZX]/.test(stat.slice(stat.lastIndexOf(')') + 1));
  } catch {
    return false;
  }
}

/** The pids whose parent is this process. */
export const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

/**
 * Resolves when `check` holds: looked at whenever something in the folder changes, and where no file tells,
 * every so often. Rejects with what it throws, and when it does not hold for a long time.
 */
export function when(folder: string, check: () => boolean, everyMs?: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  using undo = new DisposableStack();
  const look = () => {
    try {
      if (check()) resolve();
    } catch (error) {
      reject(error);
    }
  };
  const watcher = watch(folder, look);
  undo.defer(() => watcher.close());
  watcher.on('error', reject);
  undo.use(systemClock.timer(PATIENCE_MS, () => reject(new Error(`it never became true: ${check}`))));
  if (everyMs !== undefined) undo.use(systemClock.every(everyMs, look));
  look();
  const ended = undo.move();
  return promise.finally(() => ended.dispose());
}
