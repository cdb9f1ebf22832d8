/**
 * Deletes what is over and old, so that the file stays bounded: SQLite gives the pages of deleted rows to new ones, so a
 * file grows to what its retention holds and no further, without ever being rewritten.
 *
 * Never deleted: an open message, one that a turn or a command still works on, one with a reply that may still be sent,
 * and lives. A message takes its commands and replies with it, and its turn once that answers nobody else who is left.
 */
import type { DatabaseSync } from 'node:sqlite';

/** Journal rows that one batch looks at for each message of it: a message makes two, and requests are rare. */
const JOURNAL_ROWS_PER_MESSAGE = 4;

const MAY_STILL_BE_SENT = "state NOT IN ('delivered', 'dead')";

/** Every query that looks for what may go, by name; a test explains each and holds it to its index. */
export const PRUNE_QUERIES = {
  settledBefore: `SELECT id FROM inbox INDEXED BY inbox_settled WHERE settled_at IS NOT NULL AND settled_at < ?
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE message_id = inbox.id AND ${MAY_STILL_BE_SENT})
    AND NOT EXISTS (SELECT 1 FROM commands WHERE message_id = inbox.id AND ended_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM turn_messages CROSS JOIN turns ON turns.id = turn_id
      WHERE message_id = inbox.id AND ended_at IS NULL)
    ORDER BY settled_at LIMIT ?`,
  turnsOf: 'SELECT turn_id AS id FROM turn_messages WHERE message_id = ?',
  // What stands at the head is looked at, not the whole table: rows are in the order in which they were written.
  journalBefore: `DELETE FROM journal WHERE (epoch, number) IN (SELECT epoch, number FROM
    (SELECT epoch, number, at FROM journal ORDER BY epoch, number LIMIT ?) WHERE at < ?)`,
  announcedBefore: `DELETE FROM outbox WHERE seq IN (SELECT seq FROM
    (SELECT seq, created_at, state FROM outbox INDEXED BY outbox_message WHERE message_id IS NULL ORDER BY seq LIMIT ?)
    WHERE created_at < ? AND ${MAY_STILL_BE_SENT.replace('NOT ', '')})`,
  noticesBefore: `DELETE FROM notices WHERE id IN (SELECT id FROM
    (SELECT id, created_at, state FROM notices ORDER BY id LIMIT ?) WHERE created_at < ? AND state <> 'pending')`,
} as const;

const FORGET_MESSAGE = 'DELETE FROM inbox WHERE id = ?';

const FORGET_TURN = `
  DELETE FROM turns WHERE id = ? AND NOT EXISTS (SELECT 1 FROM turn_messages WHERE turn_id = turns.id)`;

/**
 * Deletes what ended before `beforeMs` (wall milliseconds), oldest first: `rowsMax` messages at most, and about as much of
 * the journal, of what was sent to nobody's question, and of the notices. Gives how many rows went, those that belong to
 * a message left out. Runs inside a transaction of the caller's.
 */
export type Prune = (beforeMs: number, rowsMax: number) => number;

export function preparePrune(db: DatabaseSync): Prune {
  const settledBefore = db.prepare(PRUNE_QUERIES.settledBefore);
  const turnsOf = db.prepare(PRUNE_QUERIES.turnsOf);
  const forgetMessage = db.prepare(FORGET_MESSAGE);
  const forgetTurn = db.prepare(FORGET_TURN);
  const journal = db.prepare(PRUNE_QUERIES.journalBefore);
  const announced = db.prepare(PRUNE_QUERIES.announcedBefore);
  const notices = db.prepare(PRUNE_QUERIES.noticesBefore);

  const forget = (id: string): void => {
    const turns = turnsOf.all(id);
    forgetMessage.run(id);
    for (const turn of turns) forgetTurn.run(String(turn.id));
  };

  return (beforeMs, rowsMax) => {
    const old = settledBefore.all(beforeMs, rowsMax);
    for (const { id } of old) forget(String(id));
    const rest = [
      journal.run(JOURNAL_ROWS_PER_MESSAGE * rowsMax, beforeMs),
      announced.run(rowsMax, beforeMs),
      notices.run(rowsMax, beforeMs),
    ];
    return rest.reduce((rows, { changes }) => rows + Number(changes), old.length);
  };
}
