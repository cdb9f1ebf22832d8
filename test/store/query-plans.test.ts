/** Every question of the store goes by an index, beside ten thousand rows that are settled. */
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LIST_QUERIES } from '../../src/store/listing.ts';
import { LOOKUP_QUERIES } from '../../src/store/lookup.ts';
import { PRUNE_QUERIES } from '../../src/store/prune.ts';
import { QUERIES } from '../../src/store/reads.ts';
import type { Write } from '../../src/store/write.ts';
import { commandRow, outboundRow, receive, settle, turnRow } from './sample-rows.ts';
import { StoreHome } from './store-home.ts';

const SETTLED = 10_000;

const ALL = { ...QUERIES, ...LIST_QUERIES, ...LOOKUP_QUERIES, ...PRUNE_QUERIES };

/** They walk a table in its own order, from the newest or the oldest row, and end at their LIMIT. */
const WALKS: Readonly<Partial<Record<keyof typeof ALL, string>>> = {
  listAll: 'inbox',
  listSettled: 'inbox',
  listAnswered: 'inbox',
  journalBefore: 'journal',
  noticesBefore: 'notices',
};

const PLANS: Readonly<Record<keyof typeof ALL, string>> = {
  find: 'SEARCH inbox USING INDEX inbox_platform_message (platform=? AND platform_message_id=?)',
  message: 'SEARCH inbox USING INDEX inbox_id (id=?)',
  replies: 'SEARCH outbox USING INDEX outbox_message (message_id=?)',
  settledSince: 'SEARCH inbox USING INDEX inbox_conversation (conversation=? AND settled_at>?)',
  exitCode: 'SEARCH commands USING INDEX commands_message (message_id=?)',
  openLives: 'SCAN lives USING INDEX lives_open',
  lastExit: 'SEARCH lives USING INDEX lives_epoch (epoch<?)',
  openMessages: 'SCAN inbox USING INDEX inbox_open',
  openTurns: 'SCAN turns USING INDEX turns_open',
  turnMessages: 'SEARCH turn_messages USING PRIMARY KEY (turn_id=?)',
  saidTurns: 'SEARCH turns USING INDEX turns_said (conversation=?)',
  turnTexts: 'SEARCH turn_messages USING PRIMARY KEY (turn_id=?)',
  chosenAgent: 'SEARCH sessions USING PRIMARY KEY (conversation=?)',
  openCommands: 'SCAN commands USING INDEX commands_open',
  openOutbound: 'SCAN outbox USING INDEX outbox_open',
  deaths: 'SEARCH lives USING INDEX lives_deaths (ended_at>?)',
  safeMode: 'SCAN lives USING INDEX lives_safe_mode',
  crashedSessions: 'SCAN sessions USING INDEX sessions_crashed',
  awaitingResume: 'SEARCH inbox USING INDEX inbox_awaiting (conversation=?)',
  noticesOf: 'SEARCH notices USING INDEX notices_once (incident=?)',
  pendingNotices: 'SCAN notices USING INDEX notices_open',
  outbound: 'SEARCH outbox USING INDEX outbox_id (id=?)',
  listAll: 'SCAN inbox',
  listOpen: 'SCAN inbox USING INDEX inbox_open',
  listSettled: 'SCAN inbox',
  listAnswered: 'SCAN inbox',
  listOutcome: 'SEARCH inbox USING INDEX inbox_outcome (outcome=?)',
  listUndelivered: 'SEARCH outbox USING INDEX outbox_undelivered (message_id>?)',
  messagesFrom: 'SEARCH inbox USING COVERING INDEX inbox_id (id>? AND id<?)',
  platformIdsFrom:
    'SEARCH inbox USING INDEX inbox_platform_message (platform=? AND platform_message_id>? AND platform_message_id<?)',
  outboundFrom: 'SEARCH outbox USING INDEX outbox_id (id>? AND id<?)',
  turnsFrom: 'SEARCH turns USING COVERING INDEX turns_id (id>? AND id<?)',
  commandsFrom: 'SEARCH commands USING INDEX commands_id (id>? AND id<?)',
  platformsFrom: 'SEARCH inbox USING COVERING INDEX inbox_platform_message (platform>?)',
  settledBefore: 'SEARCH inbox USING INDEX inbox_settled (settled_at>? AND settled_at<?)',
  turnsOf: 'SEARCH turn_messages USING COVERING INDEX turn_messages_message (message_id=?)',
  journalBefore: 'SEARCH journal USING PRIMARY KEY (epoch=? AND number=?)',
  announcedBefore: 'SEARCH outbox USING INDEX outbox_message (message_id=?)',
  noticesBefore: 'SEARCH notices USING INTEGER PRIMARY KEY (rowid=?)',
  platformAfter: 'SEARCH inbox USING COVERING INDEX inbox_platform_message (platform>?)',
  messageMore: 'SEARCH inbox USING INDEX inbox_id (id=?)',
  trailLife: 'SEARCH lives USING INTEGER PRIMARY KEY (rowid=?)',
  trailLifeOfEpoch: 'SEARCH lives USING INDEX lives_epoch (epoch=?)',
  trailTurns: 'SEARCH turn_messages USING COVERING INDEX turn_messages_message (message_id=?)',
  trailCommands: 'SEARCH commands USING INDEX commands_message (message_id=?)',
  trailReplies: 'SEARCH outbox USING INDEX outbox_message (message_id=?)',
  epochAt: 'SEARCH lives USING INDEX lives_epoch (epoch>?)',
  journalFrom: 'SEARCH journal USING PRIMARY KEY (epoch=? AND number>?)',
  journalLast: 'SEARCH journal USING PRIMARY KEY (epoch=?)',
  journalNaming: 'SEARCH journal USING PRIMARY KEY (epoch=? AND number>? AND number<?)',
  raisedBefore: 'SEARCH journal USING PRIMARY KEY (epoch=? AND number>? AND number<?)',
  requestBefore: 'SEARCH journal USING PRIMARY KEY (epoch=? AND number>? AND number<?)',
};

const home = new StoreHome();
let db: DatabaseSync;

beforeAll(async () => {
  const store = await home.open();
  const units = Array.from({ length: SETTLED }, (_, i) => settledUnit(`${i}`));
  await Promise.all(units.map((unit) => store.commit(unit)));
  await store.commit([receive('open')]);
  db = new DatabaseSync(home.path);
  // What SQLite knows of the tables must not tempt it away from the indexes.
  db.exec('ANALYZE');
});

afterAll(async () => {
  db.close();
  await home[Symbol.asyncDispose]();
});

function settledUnit(id: string): Write[] {
  const end = { at: 1_900, outcome: 'ran', exitCode: 0, signal: null, durationMs: 1, output: '' } as const;
  return [
    receive(id),
    { op: 'turn.start', turn: turnRow(id), messages: [id] },
    { op: 'turn.end', id, at: 1_900, outcome: 'answered', reason: null, streamed: '' },
    { op: 'command.receive', command: commandRow(id, id) },
    { op: 'command.end', end: { ...end, id } },
    { op: 'reply', outbound: outboundRow(id, id) },
    { op: 'sent', id, at: 1_950 },
    settle(id),
  ];
}

describe('beside ten thousand settled messages', () => {
  const names = Object.keys(ALL) as (keyof typeof ALL)[];

  test.each(names)('%s goes by its index', (name) => {
    const plan = db.prepare(`EXPLAIN QUERY PLAN ${ALL[name]}`).all();
    const steps = plan.map(({ detail }) => String(detail));
    expect(steps).toContainEqual(expect.stringContaining(PLANS[name]));
    const walked = WALKS[name];
    expect(steps.filter((step) => /^SCAN \w+$/.test(step))).toEqual(walked ? [`SCAN ${walked}`] : []);
    if (walked === undefined) return;
    expect(steps).not.toContain('USE TEMP B-TREE FOR ORDER BY');
    expect(ALL[name]).toContain('LIMIT ?');
  });

  test('the indexes of open rows hold the open ones alone', () => {
    const open = (table: string, where: string) =>
      db.prepare(`SELECT count(*) AS rows FROM ${table} INDEXED BY ${table}_open WHERE ${where}`).get()?.rows;
    expect(open('inbox', 'outcome IS NULL')).toBe(1);
    expect(open('turns', 'ended_at IS NULL')).toBe(0);
    expect(open('commands', 'ended_at IS NULL')).toBe(0);
    expect(open('outbox', "state NOT IN ('delivered', 'dead')")).toBe(0);
    const rows = (table: string, index: string, where: string) =>
      db.prepare(`SELECT count(*) AS rows FROM ${table} INDEXED BY ${index} WHERE ${where}`).get()?.rows;
    expect(rows('inbox', 'inbox_awaiting', "phase = 'awaiting-resume'")).toBe(0);
    expect(rows('inbox', 'inbox_outcome', "outcome IS NOT NULL AND outcome <> 'answered'")).toBe(0);
    expect(rows('outbox', 'outbox_undelivered', "state = 'dead' OR state = 'unknown'")).toBe(0);
  });

  test('a message goes with everything that belongs to it', () => {
    const belonging = (id: string) =>
      ['turn_messages', 'commands', 'outbox'].map(
        (table) => db.prepare(`SELECT count(*) AS rows FROM ${table} WHERE message_id = ?`).get(id)?.rows,
      );
    expect(belonging('7')).toEqual([1, 1, 1]);
    db.prepare('DELETE FROM inbox WHERE id = ?').run('7');
    expect(belonging('7')).toEqual([0, 0, 0]);
    expect(belonging('8')).toEqual([1, 1, 1]);
  });

  test('no row costs a table of its own: every CHECK is told without one', () => {
    const tables = ['inbox', 'turns', 'commands', 'outbox', 'approvals', 'notices'];
    for (const table of tables) {
      const columns = db.prepare('SELECT name FROM pragma_table_info(?)').all(table);
      const names = columns.map(({ name }) => String(name)).filter((name) => name !== 'seq');
      const insert = `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
      const opcodes = db.prepare(`EXPLAIN ${insert}`).all();
      expect(
        opcodes.map(({ opcode }) => opcode),
        table,
      ).not.toContain('OpenEphemeral');
    }
  });
});
