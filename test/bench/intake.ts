/**
 * How fast messages are taken in: duplicate look-up, classification, access, chart, commit. What follows the
 * acknowledgement is left out: the place is freed at once.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock as clock } from '../../src/clock.ts';
import { parseConfig } from '../../src/config/load.ts';
import { Access } from '../../src/gateway/access.ts';
import { AgentChoice } from '../../src/gateway/agent-choice.ts';
import { Conversations } from '../../src/gateway/conversations.ts';
import { Delivery } from '../../src/gateway/delivery.ts';
import { Dispatch } from '../../src/gateway/dispatch.ts';
import { Held } from '../../src/gateway/held.ts';
import { Intake } from '../../src/gateway/intake.ts';
import { Judge } from '../../src/gateway/judge.ts';
import { Ledger } from '../../src/gateway/ledger.ts';
import { Lifecycle } from '../../src/gateway/lifecycle.ts';
import { Placing } from '../../src/gateway/placing.ts';
import { QuickCommands } from '../../src/gateway/quick-commands.ts';
import { Refusals } from '../../src/gateway/refusals.ts';
import { Turns } from '../../src/gateway/turns.ts';
import { createProcesses } from '../../src/process/exec.ts';
import { processIdentity } from '../../src/process/identity.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { bareEvents, bareRows } from './floor.ts';
import { type Bench, timed } from './measure.ts';
import { quietLog as log } from './quiet.ts';

const SENDERS = 64;
const MESSAGES = 12_800;
const ALONE = 1500;

let made: string | undefined;

/** A file of this bench; its folder is made with the first, for others take `intakeOn` alone. */
function fileOf(name: string): string {
  made ??= mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  return join(made, name);
}

/** An intake on the store at this path, which is made where it is missing. */
export async function intakeOn(path: string) {
  const store = await openSqliteStore({
    path,
    reservePath: `${path}-reserve`,
    migrate: true,
    clock,
    onProblem: (error) => {
      throw error;
    },
  });
  const life = await store.begin({
    ...processIdentity(),
    kind: 'daemon',
    version: 'bench',
    startedAt: clock.wallMs(),
    epochAbove: 0,
  });
  const { config } = parseConfig('agent: { command: "cat" }', {
    path: `${path}.yaml`,
    origin: 'flag',
    env: {},
    builtinNames: [],
  });
  const lifecycle = new Lifecycle({
    supervisor: 'none',
    clock,
    log,
    journal: (row) => store.journal(row),
    times: () => ({ drainMs: 0, killMs: 0, exitMs: 0 }),
    usual: () => ({ agent: 'default', whenBusy: 'queue' }),
    changed: () => {},
  });
  lifecycle.begin(life.epoch ?? 0, true);
  const nothing = () => {};
  const redact = (text: string) => text;
  lifecycle.start({
    takeUpHeld: nothing,
    holdUnstarted: nothing,
    abortStart: nothing,
    interruptWork: nothing,
    killCommands: nothing,
    flush: nothing,
    stopReceiving: nothing,
    askWhetherClosed: nothing,
  });
  lifecycle.send({ type: 'started' });
  const settled = (id: string) => lifecycle.send({ type: 'work.settled', id });
  const lifeId = () => life.id;
  const delivery = new Delivery({
    store,
    clock,
    log,
    life: lifeId,
    platform: () => undefined,
    isUp: () => false,
    random: () => 0,
  });
  const conversations = new Conversations(store, log);
  const ledger = new Ledger({ store, clock, log, delivery, conversations, life: lifeId, redact });
  const held = new Held(clock, nothing);
  const agent = {
    name: 'default',
    type: 'command',
    killNow: nothing,
    async *runTurn() {},
    probe: async () => 'answers' as const,
  };
  const turns = new Turns({
    clock,
    log,
    life: lifeId,
    agent: () => ({ agent, timeoutMs: 1000, maxTurns: SENDERS, effects: false }),
    maxTurns: () => SENDERS,
    start: nothing,
    holdLate: nothing,
    agentEnded: nothing,
    delta: nothing,
    resumption: () => 'end',
  });
  const environment = () => ({});
  const commands = new QuickCommands({
    clock,
    processes: createProcesses(clock),
    life: lifeId,
    environment,
    redact,
    concurrency: ({ concurrency }) => concurrency,
    start: nothing,
  });
  /** Ends the turn instead of running it, without a commit; told of its outcome, the intake forgets the message. */
  class Acknowledged extends Dispatch {
    override runTurn(turn: Parameters<Dispatch['runTurn']>[0]): void {
      const { message } = turn;
      const settlement = { outcome: 'answered', reason: null, replies: [] } as const;
      ledger.finish({ message, settlement, outbound: [], unit: [], settledAt: 0 }, true);
      turns.ended(turn);
      settled(message.row.id);
    }
  }
  const unused = (): never => {
    throw new Error('not reached');
  };
  const dispatch = new Acknowledged({
    ...{ store, clock, log, ledger, conversations, settled, workEnded: nothing },
    hold: async () => {},
    suspend: async () => {},
    resume: unused,
    showTyping: nothing,
    ...{ turns: () => turns, commands: () => commands, control: unused },
  });
  const access = new Access(() => config, clock);
  const judge = new Judge({
    config: () => config,
    access,
    lifecycle,
    leftMs: () => null,
    outage: () => undefined,
    storeObstacle: () => 'disk',
  });
  const placing = new Placing({
    ...{ ledger, held, refusals: new Refusals(), turns, commands, dispatch, settled },
    agentNames: () => ['default'],
    going: () => null,
    storeObstacle: () => 'disk',
    isQuarantined: () => false,
    heldDecided: nothing,
    refusedByChart: nothing,
  });
  const agentChoice = new AgentChoice({ config: () => config, store, clock, log });
  const intake = new Intake({
    ...{ store, clock, log, config: () => config, access, judge, ledger, held, placing, conversations },
    life: lifeId,
    agentFor: (inbound) => agentChoice.agentFor(inbound),
    epoch: () => life.epoch ?? 0,
    lastExit: () => null,
    saidBy: () => '',
    startedAt: 0,
    say: nothing,
  });
  let number = 0;
  const receive = (conversation: string) => {
    number += 1;
    return intake.receive({
      platform: 'local',
      platformMessageId: `${basename(path)}-${number}`,
      conversation,
      sender: 'local:owner',
      text: 'what changed in the ingest service since monday?',
      receivedAt: clock.wallMs(),
    });
  };
  return { receive, store };
}

/** Bare commits as durable as ours: one small row, one FULL commit each. */
function bareCommits(count: number): number {
  const db = new DatabaseSync(fileOf(`bare-${performance.now()}.db`));
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)',
  );
  const insert = db.prepare('INSERT INTO t (text) VALUES (?)');
  const from = performance.now();
  for (let n = 0; n < count; n += 1) {
    db.exec('BEGIN IMMEDIATE');
    insert.run('what changed in the ingest service since monday?');
    db.exec('COMMIT');
  }
  const took = performance.now() - from;
  db.close();
  return took;
}

let round = 0;

export const intake: Bench = {
  title: 'Intake in process',
  about:
    'From `receive` to the committed decision: duplicate look-up, classification, access, chart, one FULL commit. 64 senders share commits; one sender alone is compared with bare commits of one small row each. The floors are a message’s rows in a bare loop of the same statements and commits, and its two events in a bare actor; processor time is that of all threads.',
  rows: {
    'messages, 64 senders': { unit: '/s', limit: { atLeast: 40_000 } },
    'their rows alone, 64 a commit': { unit: '/s' },
    'their events alone': { unit: '/s' },
    'processor time a message': { unit: 'µs', digits: 1 },
    'messages, one sender': { unit: '/s' },
    'its rows alone, one a commit': { unit: '/s' },
    'bare FULL commits': { unit: '/s' },
    'one sender to bare commits': { unit: '×', digits: 2, limit: { atLeast: 0.8 } },
  },
  async round() {
    round += 1;
    const many = await intakeOn(fileOf(`many-${round}.db`));
    const before = process.cpuUsage();
    const together = await timed(() =>
      Promise.all(
        Array.from({ length: SENDERS }, async (_, sender) => {
          for (let n = 0; n < MESSAGES / SENDERS; n += 1) await many.receive(`local:${sender}`);
        }),
      ),
    );
    const { user, system } = process.cpuUsage(before);
    await many.store.close();
    const rows = bareRows(fileOf(`rows-${round}.db`), MESSAGES, SENDERS);
    const events = bareEvents(MESSAGES, SENDERS);
    const one = await intakeOn(fileOf(`one-${round}.db`));
    const alone = await timed(async () => {
      for (let n = 0; n < ALONE; n += 1) await one.receive('local:one');
    });
    await one.store.close();
    const oneRows = bareRows(fileOf(`row-${round}.db`), ALONE, 1);
    const bare = bareCommits(ALONE);
    return {
      'messages, 64 senders': MESSAGES / (together / 1000),
      'their rows alone, 64 a commit': MESSAGES / (rows / 1000),
      'their events alone': MESSAGES / (events / 1000),
      'processor time a message': (user + system) / MESSAGES,
      'messages, one sender': ALONE / (alone / 1000),
      'its rows alone, one a commit': ALONE / (oneRows / 1000),
      'bare FULL commits': ALONE / (bare / 1000),
      'one sender to bare commits': bare / alone,
    };
  },
  async dispose() {
    if (made !== undefined) rmSync(made, { recursive: true, force: true });
  },
};
