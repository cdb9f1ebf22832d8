/**
 * The questions of the port, prepared once a connection. Queries for open rows repeat the WHERE clause of
 * their partial index word for word and name it: that is what keeps them as fast beside a million settled
 * rows, and a schema that lost the index fails at the first start instead of getting slow.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { LastExit } from './last-exit.ts';
import { type Listing, prepareListing } from './listing.ts';
import { type Lookup, prepareLookup } from './lookup.ts';
import type {
  CrashedSession,
  Death,
  SafeModeMark,
  StoredMessage,
  StoredNotice,
  StoredOutbound,
} from './records.ts';
import {
  COMMAND_COLUMNS,
  CRASHED_COLUMNS,
  JOURNAL_COLUMNS,
  LIFE_COLUMNS,
  MESSAGE_COLUMNS,
  NOTICE_COLUMNS,
  OUTBOUND_COLUMNS,
  TRAIL_LIFE_COLUMNS,
  TURN_COLUMNS,
  toCommand,
  toCrashedSession,
  toDeath,
  toJournalRow,
  toLastExit,
  toLife,
  toMessage,
  toMessageMore,
  toNotice,
  toOpenOutbound,
  toOutbound,
  toSafeModeMark,
  toTrailCommand,
  toTrailLife,
  toTrailReply,
  toTrailTurn,
  toTurn,
} from './rows.ts';
import { inOneView, many, one } from './statements.ts';
import type { Exchange, Life, OpenWork, SettledSince } from './store.ts';
import { type MessageTrail, readTrail, type TrailQueries } from './trail.ts';

const UNDELIVERED = "state NOT IN ('delivered', 'dead')";

/** Every query, by name; a test explains each and holds it to its index. */
export const QUERIES = {
  find: `SELECT ${MESSAGE_COLUMNS} FROM inbox WHERE platform = ? AND platform_message_id = ?`,
  message: `SELECT ${MESSAGE_COLUMNS} FROM inbox WHERE id = ?`,
  replies: `SELECT ${OUTBOUND_COLUMNS} FROM outbox WHERE message_id = ? ORDER BY seq`,
  settledSince: `SELECT ${MESSAGE_COLUMNS} FROM inbox INDEXED BY inbox_conversation
    WHERE settled_at IS NOT NULL AND conversation = ?
      AND (settled_at, seq) >= (?, coalesce((SELECT seq FROM inbox AS named WHERE named.id = ?), 0))
    ORDER BY settled_at DESC, seq DESC LIMIT ?`,
  exitCode: 'SELECT exit_code AS code FROM commands WHERE message_id = ? AND exit_code IS NOT NULL',
  openLives: `SELECT ${LIFE_COLUMNS} FROM lives WHERE ended_at IS NULL AND id IS NOT ? ORDER BY id`,
  lastExit: `SELECT exit_code AS code, coalesce(cause, 'unknown') AS cause, ended_at AS at
    FROM lives WHERE epoch < ? ORDER BY epoch DESC LIMIT 1`,
  openMessages: openRows('inbox', MESSAGE_COLUMNS, 'outcome IS NULL', 'life'),
  openTurns: openRows('turns', TURN_COLUMNS, 'ended_at IS NULL', 'life'),
  turnMessages: 'SELECT message_id AS id FROM turn_messages WHERE turn_id = ? ORDER BY position',
  chosenAgent: 'SELECT agent FROM sessions WHERE conversation = ? AND agent IS NOT NULL',
  openCommands: openRows('commands', COMMAND_COLUMNS, 'ended_at IS NULL', 'life'),
  saidTurns: `SELECT id, streamed FROM turns INDEXED BY turns_said
    WHERE streamed <> '' AND conversation = ? AND ended_at IS NOT NULL AND id <> ? ORDER BY seq DESC LIMIT ?`,
  turnTexts: `SELECT coalesce(rewritten_text, text) AS text
    FROM turn_messages CROSS JOIN inbox ON inbox.id = message_id WHERE turn_id = ? ORDER BY position`,
  platformAfter: 'SELECT min(platform) AS platform FROM inbox WHERE platform > ?',
  messageMore: 'SELECT rewritten_text AS rewrittenText, merged_into AS mergedInto FROM inbox WHERE id = ?',
  trailLife: `SELECT ${TRAIL_LIFE_COLUMNS} FROM lives WHERE id = ?`,
  trailLifeOfEpoch: `SELECT ${TRAIL_LIFE_COLUMNS} FROM lives INDEXED BY lives_epoch
    WHERE epoch IS NOT NULL AND epoch = ?`,
  trailTurns: `SELECT turns.id, agent, life, attempt, started_at AS startedAt, ended_at AS endedAt, outcome, reason, usage,
    streamed
    FROM turn_messages CROSS JOIN turns ON turns.id = turn_id WHERE message_id = ? ORDER BY seq LIMIT ?`,
  trailCommands: `SELECT id, name, actor, args_hash AS argsHash, life, received_at AS receivedAt, started_at AS startedAt,
    ended_at AS endedAt, outcome, exit_code AS exitCode, signal, duration_ms AS durationMs, output
    FROM commands WHERE message_id = ? ORDER BY seq LIMIT ?`,
  trailReplies: `SELECT ${OUTBOUND_COLUMNS}, delivered_at AS deliveredAt
    FROM outbox WHERE message_id = ? ORDER BY seq LIMIT ?`,
  epochAt: `SELECT epoch FROM lives INDEXED BY lives_epoch
    WHERE epoch IS NOT NULL AND started_at <= ? ORDER BY epoch DESC LIMIT 1`,
  journalFrom: `SELECT ${JOURNAL_COLUMNS} FROM journal WHERE epoch = ? AND number >= ? ORDER BY number LIMIT 1`,
  journalLast: `SELECT ${JOURNAL_COLUMNS} FROM journal WHERE epoch = ? ORDER BY number DESC LIMIT 1`,
  journalNaming: `SELECT ${JOURNAL_COLUMNS} FROM journal
    WHERE epoch = ? AND number BETWEEN ? AND ? AND instr(event, ?) > 0 ORDER BY number`,
  requestBefore: `SELECT ${JOURNAL_COLUMNS} FROM journal WHERE epoch = ? AND number BETWEEN ? AND ?
    AND json_extract(event, '$.type') IN ('stop.requested', 'drain.requested') ORDER BY number DESC LIMIT 1`,
  deaths: `SELECT id AS life, ended_at AS at FROM lives INDEXED BY lives_deaths
    WHERE (cause = 'died' OR cause = 'fault') AND kind = 'daemon' AND ended_at >= ? ORDER BY ended_at DESC`,
  safeMode: `SELECT id AS life, safe_mode AS mode FROM lives INDEXED BY lives_safe_mode
    WHERE safe_mode IS NOT NULL ORDER BY id DESC LIMIT 1`,
  crashedSessions: `SELECT ${CRASHED_COLUMNS} FROM sessions INDEXED BY sessions_crashed
    WHERE crashes > 0 OR quarantined = 1 ORDER BY conversation`,
  awaitingResume: `SELECT ${MESSAGE_COLUMNS} FROM inbox INDEXED BY inbox_awaiting
    WHERE phase = 'awaiting-resume' AND conversation = ? ORDER BY seq`,
  noticesOf: `SELECT ${NOTICE_COLUMNS} FROM notices WHERE incident = ? ORDER BY id`,
  pendingNotices: `SELECT ${NOTICE_COLUMNS} FROM notices INDEXED BY notices_open
    WHERE state = 'pending' ORDER BY id LIMIT ?`,
  outbound: `SELECT ${OUTBOUND_COLUMNS} FROM outbox WHERE id = ?`,
  raisedBefore: `SELECT ${JOURNAL_COLUMNS} FROM journal WHERE epoch = ? AND number BETWEEN ? AND ?
    AND json_extract(event, '$.type') = 'degraded.raised' AND json_extract(event, '$.reason') = ?
    ORDER BY number DESC LIMIT 1`,
  openOutbound: openRows(
    'outbox',
    `${OUTBOUND_COLUMNS}, claimed_at AS claimedAt`,
    UNDELIVERED,
    'coalesce(claim_life, life)',
  ),
} as const;

/** Open rows, in order of arrival, that belong to none of the lives in the JSON list it is given. */
function openRows(table: string, columns: string, open: string, owner: string): string {
  return `SELECT ${columns} FROM ${table} INDEXED BY ${table}_open
    WHERE ${open} AND ${owner} NOT IN (SELECT value FROM json_each(?)) ORDER BY seq`;
}

export interface Reads extends Listing, Lookup {
  find(platform: string, platformMessageId: string): StoredMessage | undefined;
  message(id: string): StoredMessage | undefined;
  replies(messageId: string): StoredOutbound[];
  settledSince(conversation: string, since: SettledSince, messagesMax: number): StoredMessage[];
  exitCode(messageId: string): number | undefined;
  /** Lives that have not ended, without `self`. */
  openLives(self: number | null): Life[];
  lastExit(epoch: number): LastExit | undefined;
  openWork(living: readonly number[]): OpenWork;
  /** Daemons that died or failed, the last first. */
  deaths(sinceMs: number): Death[];
  safeMode(): SafeModeMark | undefined;
  crashedSessions(): CrashedSession[];
  awaitingResume(conversation: string): StoredMessage[];
  noticesOf(incident: string): StoredNotice[];
  pendingNotices(noticesMax: number): StoredNotice[];
  outbound(id: string): StoredOutbound | undefined;
  chosenAgent(conversation: string): string | null;
  history(conversation: string, turnId: string, exchangesMax: number): Exchange[];
  /** What is known of the message of this id, ours or its platform's. */
  trail(id: string): MessageTrail | undefined;
}

export function prepareReads(db: DatabaseSync): Reads {
  const find = one(db, QUERIES.find, toMessage);
  const message = one(db, QUERIES.message, toMessage);
  const replies = many(db, QUERIES.replies, toOutbound);
  const settledSince = many(db, QUERIES.settledSince, toMessage);
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
  const chosenAgent = one(db, QUERIES.chosenAgent, ({ agent }) => String(agent));
  const openOutbound = many(db, QUERIES.openOutbound, toOpenOutbound);
  const trail = prepareTrail(db, { find, message });

  return {
    find,
    message,
    replies,
    settledSince: (conversation, { settledAt, messageId }, messagesMax) =>
      settledSince(conversation, settledAt, messageId, messagesMax).reverse(),
    exitCode,
    openLives,
    lastExit,
    ...preparePromised(db),
    ...prepareListing(db, replies),
    ...prepareLookup(db),
    chosenAgent: (conversation) => chosenAgent(conversation) ?? null,
    openWork(living) {
      const except = JSON.stringify(living);
      return inOneView(db, () => ({
        messages: openMessages(except),
        turns: openTurns(except).map((turn) => ({ ...turn, messageIds: turnMessages(turn.id) })),
        commands: openCommands(except),
        outbound: openOutbound(except),
      }));
    },
    trail: (id) => inOneView(db, () => readTrail(trail, id)),
    history(conversation, turnId, exchangesMax) {
      return inOneView(db, () =>
        saidTurns(conversation, turnId, exchangesMax)
          .reverse()
          .map(([id, answer]) => ({ texts: turnTexts(id), answer })),
      );
    },
  };
}

type Promised =
  | 'deaths'
  | 'safeMode'
  | 'crashedSessions'
  | 'awaitingResume'
  | 'noticesOf'
  | 'pendingNotices'
  | 'outbound';

/** What a start asks to keep what was promised before it. */
function preparePromised(db: DatabaseSync): Pick<Reads, Promised> {
  return {
    deaths: many(db, QUERIES.deaths, toDeath),
    safeMode: one(db, QUERIES.safeMode, toSafeModeMark),
    crashedSessions: many(db, QUERIES.crashedSessions, toCrashedSession),
    awaitingResume: many(db, QUERIES.awaitingResume, toMessage),
    noticesOf: many(db, QUERIES.noticesOf, toNotice),
    pendingNotices: many(db, QUERIES.pendingNotices, toNotice),
    outbound: one(db, QUERIES.outbound, toOutbound),
  };
}

function prepareTrail(db: DatabaseSync, known: Pick<Reads, 'find' | 'message'>): TrailQueries {
  const platformAfter = one(db, QUERIES.platformAfter, ({ platform }) => platform);
  const journalNaming = many(db, QUERIES.journalNaming, toJournalRow);
  return {
    ...known,
    platformAfter: (name) => platformAfter(name)?.toString() ?? null,
    more: one(db, QUERIES.messageMore, toMessageMore),
    life: one(db, QUERIES.trailLife, toTrailLife),
    lifeOfEpoch: one(db, QUERIES.trailLifeOfEpoch, toTrailLife),
    turns: many(db, QUERIES.trailTurns, toTrailTurn),
    commands: many(db, QUERIES.trailCommands, toTrailCommand),
    replies: many(db, QUERIES.trailReplies, toTrailReply),
    epochAt: one(db, QUERIES.epochAt, ({ epoch }) => Number(epoch)),
    journalFrom: one(db, QUERIES.journalFrom, toJournalRow),
    journalLast: one(db, QUERIES.journalLast, toJournalRow),
    journalNaming: (epoch, from, to, id) => journalNaming(epoch, from, to, JSON.stringify(id)),
    requestBefore: one(db, QUERIES.requestBefore, toJournalRow),
    raisedBefore: one(db, QUERIES.raisedBefore, toJournalRow),
  };
}
