/**
 * The questions of the port, prepared once a connection. Queries for open rows repeat the WHERE clause of
 * their partial index word for word and name it: that is what keeps them as fast beside a million settled
 * rows, and a schema that lost the index fails at the first start instead of getting slow.
 */
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';
import {
  COMMAND_COLUMNS,
  LIFE_COLUMNS,
  MESSAGE_COLUMNS,
  OUTBOUND_COLUMNS,
  TURN_COLUMNS,
  toCommand,
  toLastExit,
  toLife,
  toMessage,
  toOutbound,
  toTurn,
} from './rows.ts';
import type { Exchange, LastExit, Life, OpenWork, StoredMessage, StoredOutbound } from './store.ts';

const UNDELIVERED = "state NOT IN ('delivered', 'dead')";

/** Every query, by name; a test explains each and holds it to its index. */
export const QUERIES = {
  find: `SELECT ${MESSAGE_COLUMNS} FROM inbox WHERE platform = ? AND platform_message_id = ?`,
  message: `SELECT ${MESSAGE_COLUMNS} FROM inbox WHERE id = ?`,
  replies: `SELECT ${OUTBOUND_COLUMNS} FROM outbox WHERE message_id = ? ORDER BY seq`,
  exitCode: 'SELECT exit_code AS code FROM commands WHERE message_id = ? AND exit_code IS NOT NULL',
  openLives: `SELECT ${LIFE_COLUMNS} FROM lives WHERE ended_at IS NULL AND id IS NOT ? ORDER BY id`,
  lastExit: `SELECT exit_code AS code, coalesce(cause, 'unknown') AS cause, ended_at AS at
    FROM lives WHERE epoch < ? ORDER BY epoch DESC LIMIT 1`,
  openMessages: openRows('inbox', MESSAGE_COLUMNS, 'outcome IS NULL', 'life'),
  openTurns: openRows('turns', TURN_COLUMNS, 'ended_at IS NULL', 'life'),
  turnMessages: 'SELECT message_id AS id FROM turn_messages WHERE turn_id = ? ORDER BY position',
  openCommands: openRows('commands', COMMAND_COLUMNS, 'ended_at IS NULL', 'life'),
  saidTurns: `SELECT id, streamed FROM turns INDEXED BY turns_said
    WHERE streamed <> '' AND conversation = ? AND id <> ? ORDER BY seq DESC LIMIT ?`,
  turnTexts: `SELECT coalesce(rewritten_text, text) AS text
    FROM turn_messages CROSS JOIN inbox ON inbox.id = message_id WHERE turn_id = ? ORDER BY position`,
  openOutbound: openRows('outbox', OUTBOUND_COLUMNS, UNDELIVERED, 'coalesce(claim_life, life)'),
} as const;

/** Open rows, in order of arrival, that belong to none of the lives in the JSON list it is given. */
function openRows(table: string, columns: string, open: string, owner: string): string {
  return `SELECT ${columns} FROM ${table} INDEXED BY ${table}_open
    WHERE ${open} AND ${owner} NOT IN (SELECT value FROM json_each(?)) ORDER BY seq`;
}

export interface Reads {
  find(platform: string, platformMessageId: string): StoredMessage | undefined;
  message(id: string): StoredMessage | undefined;
  replies(messageId: string): StoredOutbound[];
  exitCode(messageId: string): number | undefined;
  /** Lives that have not ended, without `self`. */
  openLives(self: number | null): Life[];
  lastExit(epoch: number): LastExit | undefined;
  openWork(living: readonly number[]): OpenWork;
  history(conversation: string, turnId: string, exchangesMax: number): Exchange[];
}

export function prepareReads(db: DatabaseSync): Reads {
  const find = one(db, QUERIES.find, toMessage);
  const message = one(db, QUERIES.message, toMessage);
  const replies = many(db, QUERIES.replies, toOutbound);
  const exitCode = one(db, QUERIES.exitCode, ({ code }) => Number(code));
  const openLives = many(db, QUERIES.openLives, toLife);
  const lastExit = one(db, QUERIES.lastExit, toLastExit);
  const openMessages = many(db, QUERIES.openMessages, toMessage);
  const openTurns = many(db, QUERIES.openTurns, toTurn);
  const turnMessages = many(db, QUERIES.turnMessages, (row) => String(row.id));
  const openCommands = many(db, QUERIES.openCommands, toCommand);
  const saidTurns = many(
    db,
    QUERIES.saidTurns,
    ({ id, streamed }) => [String(id), String(streamed)] as const,
  );
  const turnTexts = many(db, QUERIES.turnTexts, (row) => String(row.text));
  const openOutbound = many(db, QUERIES.openOutbound, toOutbound);

  return {
    find,
    message,
    replies,
    exitCode,
    openLives,
    lastExit,
    openWork(living) {
      const except = JSON.stringify(living);
      return inOneView(db, () => ({
        messages: openMessages(except),
        turns: openTurns(except).map((turn) => ({ ...turn, messageIds: turnMessages(turn.id) })),
        commands: openCommands(except),
        outbound: openOutbound(except),
      }));
    },
    history(conversation, turnId, exchangesMax) {
      return inOneView(db, () =>
        saidTurns(conversation, turnId, exchangesMax)
          .reverse()
          .map(([id, answer]) => ({ texts: turnTexts(id), answer })),
      );
    },
  };
}

type Row = Record<string, SQLOutputValue>;

function one<T>(db: DatabaseSync, sql: string, to: (row: Row) => T) {
  const statement = db.prepare(sql);
  return (...values: SQLInputValue[]): T | undefined => {
    const row = statement.get(...values);
    return row === undefined ? undefined : to(row);
  };
}

function many<T>(db: DatabaseSync, sql: string, to: (row: Row) => T) {
  const statement = db.prepare(sql);
  return (...values: SQLInputValue[]): T[] => statement.all(...values).map(to);
}

/** Several queries about one instant: another process may commit between two of them. */
function inOneView<T>(db: DatabaseSync, read: () => T): T {
  db.exec('BEGIN');
  try {
    return read();
  } finally {
    db.exec('COMMIT');
  }
}
