/**
 * What rows cost: those that a dead life left open, and a million that are settled, which should cost nothing. The
 * million is made once by SQL and copied for each round.
 */
import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock as clock } from '../../src/clock.ts';
import { newId } from '../../src/messages/ids.ts';
import { openSqliteStore, type SqliteStore } from '../../src/store/sqlite.ts';
import type { Life } from '../../src/store/store.ts';
import type { Write } from '../../src/store/write.ts';
import { intakeOn } from './intake.ts';
import { type Bench, median, timed } from './measure.ts';

const OPEN_ROWS = 10_000;
const SETTLED_ROWS = 1_000_000;
const STARTS = 15;
const SENDERS = 64;
const MESSAGES = 6_400;
const INTAKES = 3;
const GROWN = 20_000;
const UNITS_AT_ONCE = 200;

const QUESTION = 'what changed in the ingest service since monday?';
const ANSWER =
  'Three things: retries are capped at five, the batch size went from 200 to 500, and errors name their file. The rest of the diff is tests.';

const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
let round = 0;
let settledPath: string | undefined;

function storeAt(path: string): Promise<SqliteStore> {
  const onProblem = (error: Error) => {
    throw error;
  };
  return openSqliteStore({ path, reservePath: `${path}-reserve`, migrate: true, clock, onProblem });
}

function beginning(store: SqliteStore): Promise<Life> {
  const start = { pid: process.pid, startTime: '1', bootId: 'bench', version: 'bench' };
  return store.begin({ ...start, kind: 'daemon', startedAt: clock.wallMs(), epochAbove: 0 });
}

const received = (id: string, life: number, kind: 'turn' | 'exec'): Write => ({
  op: 'receive',
  message: {
    ...{ id, platform: 'local', platformMessageId: `p-${id}`, sender: 'local:owner', text: QUESTION, kind },
    ...{ conversation: `local:${id.length}`, agent: 'default', whenBusy: 'queue', reason: null },
    ...{ receivedAt: clock.wallMs(), life, epoch: 1, admission: 'dispatch', phase: 'started' },
  },
});

const turnOf = (id: string, life: number): Write => ({
  op: 'turn.start',
  turn: {
    ...{ id: `t-${id}`, conversation: `local:${id.length}`, agent: 'default' },
    ...{ life, startedAt: clock.wallMs(), effects: false },
  },
  messages: [id],
});

const replyTo = (id: string, life: number, deliveredAt?: number): Write => ({
  op: 'reply',
  outbound: {
    ...{ id: `o-${id}`, messageId: id, platform: 'local', conversation: `local:${id.length}`, text: ANSWER },
    ...{ kind: 'reply', createdAt: clock.wallMs(), life },
  },
  ...(deliveredAt === undefined ? {} : { deliveredAt }),
});

async function commitAll(store: SqliteStore, units: readonly Write[][]): Promise<void> {
  for (let at = 0; at < units.length; at += UNITS_AT_ONCE) {
    await Promise.all(units.slice(at, at + UNITS_AT_ONCE).map((unit) => store.commit(unit)));
  }
}

/** Open rows, a fifth each: messages that run, their turns, messages of commands, the commands, replies to send. */
function openUnits(life: number): Write[][] {
  return Array.from({ length: OPEN_ROWS / 5 }, (_, n): Write[] => {
    const [runs, commands] = [newId('m', n), newId('m', n)];
    const command = { id: `c-${commands}`, messageId: commands, name: 'gpu', actor: 'local:owner' };
    return [
      received(runs, life, 'turn'),
      turnOf(runs, life),
      { op: 'turn.progress', id: `t-${runs}`, streamed: ANSWER },
      received(commands, life, 'exec'),
      { op: 'command.receive', command: { ...command, argsHash: 'ab', life, receivedAt: clock.wallMs() } },
      replyTo(runs, life),
    ];
  });
}

/** Milliseconds to read the open rows of a dead life, and to take its messages over in one commit. */
async function recovery(): Promise<{ readonly read: number; readonly adopted: number }> {
  const path = join(folder, `open-${round}.db`);
  const before = await storeAt(path);
  await commitAll(before, openUnits((await beginning(before)).id));
  await before.close();
  const store = await storeAt(path);
  const life = await beginning(store);
  let unit: Write[] = [];
  let rows = 0;
  const read = await timed(async () => {
    const { messages, turns, commands, outbound } = await store.openWork([life.id]);
    rows = messages.length + turns.length + commands.length + outbound.length;
    unit = messages.map(({ id }) => ({ op: 'adopt', id, phase: 'held', life: life.id }));
  });
  if (rows !== OPEN_ROWS) throw new Error(`${rows} rows were found open`);
  const adopted = await timed(() => store.commit(unit));
  await store.close();
  return { read, adopted };
}

/** A file with so many settled messages, closed. */
async function settledFile(): Promise<string> {
  const path = join(folder, 'settled.db');
  await (await storeAt(path)).close();
  const db = new DatabaseSync(path);
  db.exec(`WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${SETTLED_ROWS})
    INSERT INTO inbox (id, platform, platform_message_id, conversation, sender, kind, text, agent, when_busy, received_at,
      life, epoch, admission, phase, outcome, settled_at)
    SELECT printf('m_%024d', n), 'local', printf('settled-%d', n), printf('local:%d', n % 500), 'local:owner', 'turn',
      '${QUESTION}', 'default', 'queue', 1700000000000 + n, 1, 1, 'dispatch', 'settled',
      CASE n % 20 WHEN 0 THEN 'failed' ELSE 'answered' END, 1700000000000 + n FROM n`);
  db.close();
  return path;
}

/** Milliseconds until the store of a start is open, has its life and has read what is open. */
async function starting(path: string): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < STARTS; run += 1) {
    let store: SqliteStore | undefined;
    times.push(
      await timed(async () => {
        store = await storeAt(path);
        const { id } = await beginning(store);
        await store.openLives();
        await store.openWork([id]);
      }),
    );
    await store?.close();
  }
  return median(times);
}

/** Milliseconds to take so many messages in, 64 senders at a time. */
async function takingIn(path: string): Promise<number> {
  const { receive, store } = await intakeOn(path);
  const took = await timed(() =>
    Promise.all(
      Array.from({ length: SENDERS }, async (_, sender) => {
        for (let n = 0; n < MESSAGES / SENDERS; n += 1) await receive(`local:${sender}`);
      }),
    ),
  );
  await store.close();
  return took;
}

/** The intake beside a million to the intake beside nothing, each on a file of its own. */
async function intakeRatio(settled: string): Promise<number> {
  const ratios: number[] = [];
  for (let run = 0; run < INTAKES; run += 1) {
    const [full, empty] = [join(folder, `full-${round}-${run}.db`), join(folder, `empty-${round}-${run}.db`)];
    copyFileSync(settled, full);
    ratios.push((await takingIn(full)) / (await takingIn(empty)));
    for (const path of [full, empty]) rmSync(path);
  }
  return median(ratios);
}

/** Kilobytes that the file is larger by for each thousand answered messages, journal included. */
async function growth(): Promise<number> {
  const path = join(folder, `grown-${round}.db`);
  const store = await storeAt(path);
  const { id: life } = await beginning(store);
  const before = statSync(path).size;
  let number = 0;
  const units = Array.from({ length: GROWN }, (_, n): Write[] => {
    const id = newId('m', n);
    const at = clock.wallMs();
    const ended = { at, outcome: 'answered', reason: null } as const;
    return [
      received(id, life, 'turn'),
      turnOf(id, life),
      { op: 'turn.end', id: `t-${id}`, streamed: ANSWER, ...ended },
      replyTo(id, life, at),
      { op: 'settle', id, ...ended },
    ];
  });
  for (let at = 0; at < units.length; at += UNITS_AT_ONCE) {
    const some = units.slice(at, at + UNITS_AT_ONCE);
    for (const [first] of some) {
      const id = first?.op === 'receive' ? first.message.id : '';
      for (const event of [
        { type: 'message.turn', id, agent: 'default', whenBusy: 'queue' },
        { type: 'work.settled', id },
      ]) {
        number += 1;
        const context = '{"request":null,"failure":null,"degraded":[],"turns":1,"commands":0}';
        const row = { epoch: 1, number, at: clock.wallMs(), state: 'running.healthy', context };
        store.journal({ ...row, event: JSON.stringify(event) });
      }
    }
    await commitAll(store, some);
  }
  await store.close();
  const kilobytes = (statSync(path).size - before) / 1024 / (GROWN / 1000);
  rmSync(path);
  return kilobytes;
}

export const rows: Bench = {
  title: 'Rows',
  about: `What 10,000 rows that a dead life left open cost the next start, a fifth each running messages, their turns, messages of commands, the commands, and replies; what 1,000,000 settled messages cost a start (the store opened, its life registered, what is open read) and the intake, beside an empty store in the same round; and what an answered message of ${QUESTION.length} characters with an answer of ${ANSWER.length} leaves in the file, its journal included.`,
  rows: {
    'reading 10,000 open rows': { unit: 'ms', digits: 1, limit: { atMost: 150 } },
    'taking their messages over': { unit: 'ms', digits: 1 },
    'store of a start, empty': { unit: 'ms', digits: 2 },
    'store of a start, 1,000,000 settled': { unit: 'ms', digits: 2 },
    'what the million adds': { unit: 'ms', digits: 2, limit: { atMost: 5 } },
    'intake beside the million to beside none': { unit: '×', digits: 2, limit: { atMost: 1.1 } },
    'growth of the file, 1,000 messages': { unit: 'KB', digits: 0 },
  },
  async round() {
    round += 1;
    settledPath ??= await settledFile();
    const { read, adopted } = await recovery();
    const full = join(folder, `start-${round}.db`);
    copyFileSync(settledPath, full);
    const [empty, million] = [await starting(join(folder, `none-${round}.db`)), await starting(full)];
    rmSync(full);
    return {
      'reading 10,000 open rows': read,
      'taking their messages over': adopted,
      'store of a start, empty': empty,
      'store of a start, 1,000,000 settled': million,
      'what the million adds': million - empty,
      'intake beside the million to beside none': await intakeRatio(settledPath),
      'growth of the file, 1,000 messages': await growth(),
    };
  },
  async dispose() {
    rmSync(folder, { recursive: true, force: true });
  },
};
