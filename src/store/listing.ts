/**
 * Lists of messages, newest first, for a person who looks at what came: each kind of list by the index that holds it.
 *
 * Most messages are answered, so those and the list of all are found by walking back from the newest; everything rarer
 * has an index of its own, and no list reads a store of a million rows to find five.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Outcome, StoredMessage, StoredOutbound } from './records.ts';
import { MESSAGE_COLUMNS, toMessage } from './rows.ts';
import { inOneView, many } from './statements.ts';
import type { ListedMessage, ListOptions } from './store.ts';

const FIT = '(?1 IS NULL OR outcome = ?1) AND (?2 IS NULL OR (outcome IS NULL) = ?2)';

/** Every list, by name; a test explains each and holds it to its index. The last value is how many are wanted. */
export const LIST_QUERIES = {
  listAll: `SELECT ${MESSAGE_COLUMNS} FROM inbox ORDER BY seq DESC LIMIT ?`,
  listOpen: `SELECT ${MESSAGE_COLUMNS} FROM inbox INDEXED BY inbox_open
    WHERE outcome IS NULL ORDER BY seq DESC LIMIT ?`,
  listSettled: `SELECT ${MESSAGE_COLUMNS} FROM inbox WHERE outcome IS NOT NULL ORDER BY seq DESC LIMIT ?`,
  listAnswered: `SELECT ${MESSAGE_COLUMNS} FROM inbox WHERE outcome = 'answered' ORDER BY seq DESC LIMIT ?`,
  listOutcome: `SELECT ${MESSAGE_COLUMNS} FROM inbox INDEXED BY inbox_outcome
    WHERE outcome IS NOT NULL AND outcome <> 'answered' AND outcome = ? ORDER BY seq DESC LIMIT ?`,
  listUndelivered: `SELECT ${MESSAGE_COLUMNS} FROM (
      SELECT DISTINCT message_id FROM outbox INDEXED BY outbox_undelivered
      WHERE (state = 'dead' OR state = 'unknown') AND message_id IS NOT NULL
    ) CROSS JOIN inbox ON inbox.id = message_id WHERE ${FIT} ORDER BY seq DESC LIMIT ?3`,
} as const;

export interface Listing {
  list(options: ListOptions): ListedMessage[];
}

/** `replies`: everything that was said to a message, in order. */
export function prepareListing(db: DatabaseSync, replies: (id: string) => StoredOutbound[]): Listing {
  const all = many(db, LIST_QUERIES.listAll, toMessage);
  const open = many(db, LIST_QUERIES.listOpen, toMessage);
  const settled = many(db, LIST_QUERIES.listSettled, toMessage);
  const answered = many(db, LIST_QUERIES.listAnswered, toMessage);
  const ofOutcome = many(db, LIST_QUERIES.listOutcome, toMessage);
  const undelivered = many(db, LIST_QUERIES.listUndelivered, toMessage);

  const byOutcome = (outcome: Outcome, limit: number) =>
    outcome === 'answered' ? answered(limit) : ofOutcome(outcome, limit);

  const rows = (options: ListOptions): StoredMessage[] => {
    const { limit, outcome, state } = options;
    if (options.undelivered) {
      const isOpen = state === undefined ? null : Number(state === 'open');
      return undelivered(outcome ?? null, isOpen, limit);
    }
    if (outcome !== undefined) return state === 'open' ? [] : byOutcome(outcome, limit);
    if (state === undefined) return all(limit);
    return state === 'open' ? open(limit) : settled(limit);
  };

  return {
    list: (options) =>
      inOneView(db, () => rows(options).map((row) => ({ ...row, replies: replies(row.id) }))),
  };
}
