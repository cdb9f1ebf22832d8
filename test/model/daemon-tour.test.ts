/**
 * The tour of every reachable (state, event) pair on gateways that run as processes of their own. The walks
 * come from the chart, what has to happen at each step from the tables written by hand.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LifecycleEvent } from '../../machines/events.ts';
import { storeRows } from '../support/home-files.ts';
import { BundledGateway, startWithStandIn } from '../support/stand-in/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';
import { DaemonDriver } from './daemon-driver.ts';
import { type DaemonStep, daemonTour } from './daemon-walks.ts';

/** Gateways that are driven side by side: the machines this is checked on have two cores. */
const DRIVERS = 2;

/**
 * What has no cause outside the process, each held by the tour of the chart itself: an error inside, a clock
 * that fires after what it bounds has passed, and reasons that nothing raises in this version.
 */
const UNDRIVEN = ['fatal', 'a stale deadline', 'degraded by agent:NAME', 'degraded by safe-mode'];

const EVENT_TYPES = [
  'message.control',
  'message.exec',
  'message.alias',
  'message.turn',
  'stop.requested',
  'drain.requested',
  'drain.cancelled',
  'work.settled',
  'degraded.raised',
  'degraded.cleared',
  'started',
  'start.failed',
  'fatal',
  'drain.deadline',
  'kill.deadline',
  'exit.deadline',
  'outbox.flushed',
  'intake.closed',
] as const satisfies readonly LifecycleEvent['type'][];

let program: BundledGateway;
const journalled = new Set<string>();

beforeAll(async () => {
  program = await BundledGateway.build();
});

afterAll(() => program[Symbol.dispose]());

/** Remembers which events the chart of this home has had. */
function noteEvents(home: string): void {
  for (const { event } of storeRows(home, 'SELECT event FROM journal')) {
    journalled.add(JSON.parse(String(event)).type);
  }
}

/** Takes walks from a common pile until none is left. */
async function driveAll(driver: DaemonDriver, pile: (readonly DaemonStep[])[]): Promise<void> {
  for (let walk = pile.shift(); walk !== undefined; walk = pile.shift()) await driver.walk(walk);
  await driver.answerWhatIsKept();
}

test('a running gateway takes every reachable (state, event) pair as the tables say, and loses nothing', async () => {
  const { walks, states, pairs } = daemonTour();
  const pile = [...walks];
  await using stack = new AsyncDisposableStack();
  const drivers: DaemonDriver[] = [];
  for (let n = 0; n < DRIVERS; n += 1) drivers.push(stack.use(await DaemonDriver.start(program.entry)));
  await Promise.all(drivers.map((driver) => driveAll(driver, pile)));

  const driven = new Set(drivers.flatMap((driver) => [...driver.driven]));
  const boots = drivers.reduce((sum, driver) => sum + driver.boots, 0);
  console.log(
    `daemon tour: ${states} states, ${driven.size}/${pairs} pairs, ${walks.length} walks, ${walks.flat().length} events, ${boots} boots; not driven: ${UNDRIVEN.join(', ')}`,
  );
  expect(drivers.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(driven.size).toBe(pairs);
  for (const { home } of drivers) {
    noteEvents(home);
    expect(storeRows(home, 'SELECT text, admission, phase FROM inbox WHERE outcome IS NULL')).toEqual([]);
    expect(
      storeRows(home, 'SELECT message_id FROM turn_messages GROUP BY message_id HAVING count(*) > 1'),
    ).toEqual([]);
  }
});

test.each(['stop', 'restart'] as const)(
  'a %s whose work and platform do not end is ended by its three deadlines, one after the other',
  async (intent) => {
    await using server = await StandInServer.start();
    await using gateway = await startWithStandIn(server, {
      entry: program.entry,
      config: [
        'quick_commands:',
        `  hold: { type: exec, command: "trap '' TERM; cat command; true", timeout: 1h, grace: 1h }`,
        'access: { owners: ["standin:ann"] }',
        'shutdown: { kill_grace: 200ms, exit_timeout: 1s }',
      ].join('\n'),
      env: { SLUICE_RESTART_DRAIN_TIMEOUT: '0.2' },
    });
    gateway.folder.fifo('command');
    server.hold('send', 'stop-receiving');
    await server.deliver({ id: 'm1', from: 'ann', text: '/hold' });
    // A TERM that came before its trap would end it.
    await gateway.commandsBegun(1);

    await gateway.request('POST', '/v1/lifecycle', { intent });
    await gateway.log((line) => line.to === 'exited', 'the exit');
    const going = intent === 'stop' ? 'stopped' : 'restarting';
    const way = gateway.lines.flatMap(({ event, to }) => (to === undefined ? [] : [`${event} → ${to}`]));
    expect(way.slice(0, 6)).toEqual([
      'started → running.healthy',
      'stop.requested → draining.waiting',
      'drain.deadline → draining.interrupting',
      `kill.deadline → ${going}.flushing`,
      `exit.deadline → ${going}.closing`,
      'exit.deadline → exited',
    ]);

    server.release('send', 'stop-receiving');
    if (intent === 'stop') expect(await gateway.exited).toEqual({ code: 0, signal: null });
    else await gateway.ready(2);
    const [command] = storeRows(gateway.folder.home, 'SELECT outcome FROM commands');
    expect(command).toEqual({ outcome: 'interrupted' });
    noteEvents(gateway.folder.home);
  },
);

test('a start that fails is an event like any other: the gateway flushes, closes and leaves with its code', async () => {
  await using server = await StandInServer.start();
  await using gateway = await startWithStandIn(server, {
    entry: program.entry,
    early: true,
    configText: `listen: { http: 127.0.0.1:${server.port} }\n${server.config}`,
  });
  expect(await gateway.exited).toEqual({ code: 69, signal: null });
  noteEvents(gateway.folder.home);
  expect(gateway.lines.flatMap(({ event, to }) => (to === undefined ? [] : [`${event} → ${to}`]))).toEqual([
    'start.failed → stopped.flushing',
    'outbox.flushed → stopped.closing',
    'intake.closed → exited',
  ]);
});

test('every kind of event has reached a running chart, but for those that nothing outside can cause', () => {
  expect(EVENT_TYPES.filter((type) => !journalled.has(type))).toEqual(['fatal']);
});
