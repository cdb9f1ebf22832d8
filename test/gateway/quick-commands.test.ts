/** Quick commands at moments that only a given clock can hold: how long one waits, and when one is too late. */
import { expect, test } from 'vitest';
import { settled } from '../support/fake-clock.ts';
import { startCore } from '../support/gateway-core.ts';

const CONFIG = 'quick_commands: { one: { type: exec, command: "one", timeout: 3600 } }';

test('a command that finds no place for five minutes is not run, and its sender is told', async () => {
  const core = await startCore(CONFIG);
  // The links count as stable by then, and their clocks have stopped.
  await core.clock.advance(60_000);
  const idle = core.clock.pending;
  const first = await core.receive('/one', { platformMessageId: 'first' });
  const second = await core.receive('/one', { platformMessageId: 'second' });
  expect(second).toMatchObject({
    admission: 'dispatch',
    text: '/one waits for a free place, 5 min at most. /ps lists what runs.',
  });
  await core.clock.advance(299_999);
  expect(core.gateway.status.inFlight.commands.map(({ waiting }) => waiting)).toEqual([false, true]);
  await core.clock.advance(1);
  expect(await second.settled).toMatchObject({
    outcome: 'expired',
    reason: 'no-free-place',
    replies: [
      '/one was not run: no place for it came free within 5 min. Send it again; /ps lists what runs.',
    ],
    recorded: true,
  });
  core.processes.started[0]?.finish({ stdout: 'done' });
  expect(await first.settled).toMatchObject({ outcome: 'ran', replies: ['done'] });
  await settled();
  expect(core.processes.started).toHaveLength(1);
  expect(core.gateway.status.inFlight.commands).toEqual([]);
  expect(core.clock.pending).toBe(idle);
  const begun = core.lines.filter(({ msg }) => msg === '/one started').map(({ command }) => command);
  expect(begun).toEqual([first.messageId.replace(/^m_/, 'c_')]);
  const ends = core.store.units.flat().filter(({ op }) => op === 'command.end');
  expect(ends).toMatchObject([{ end: { durationMs: null } }, { end: { durationMs: 5 } }]);
});

test('a program that could not be started took no time that is known', async () => {
  const core = await startCore(CONFIG);
  const { settled: end } = await core.receive('/one');
  core.processes.started[0]?.finish({
    started: false,
    startError: { code: 'ENOENT', message: 'It is gone.' },
  });
  expect(await end).toMatchObject({ outcome: 'failed', reason: 'ENOENT' });
  const ends = core.store.units.flat().filter(({ op }) => op === 'command.end');
  expect(ends).toMatchObject([{ end: { outcome: 'failed', durationMs: null } }]);
});

test('one that a hurry finds waiting is not said to have started', async () => {
  const core = await startCore(CONFIG);
  await core.receive('/one', { platformMessageId: 'first' });
  const second = await core.receive('/one', { platformMessageId: 'second' });
  core.gateway.requests.ask({ intent: 'stop', cause: 'stop', actor: 'local:owner', hurry: true });
  expect(await second.settled).toMatchObject({ outcome: 'interrupted', reason: 'not-run' });
  expect(core.lines.filter(({ msg }) => msg === '/one started')).toHaveLength(1);
});

test('one whose place comes free in time runs, and is not ended for having waited', async () => {
  const core = await startCore(CONFIG);
  await core.receive('/one', { platformMessageId: 'first' });
  const second = await core.receive('/one', { platformMessageId: 'second' });
  await core.clock.advance(299_000);
  core.processes.started[0]?.finish();
  await settled();
  await core.clock.advance(600_000);
  core.processes.started[1]?.finish({ stdout: 'second' });
  expect(await second.settled).toMatchObject({ outcome: 'ran', replies: ['second'] });
});

test('what the store does not take runs only while its sender still waits', async () => {
  const core = await startCore(CONFIG);
  core.store.writable = false;
  const inTime = await core.receive('/one', {
    platformMessageId: 'a',
    deadlineAt: core.clock.wallMs() + 750,
  });
  expect(inTime).toMatchObject({ admission: 'dispatch', recorded: false });
  core.processes.started[0]?.finish();
  await inTime.settled;
  // The store takes its time to say no.
  const { promise, resolve } = Promise.withResolvers<void>();
  const commit = core.store.commit.bind(core.store);
  core.store.commit = async (unit) => {
    await promise;
    return commit(unit);
  };
  const late = expect(
    core.receive('/one', { platformMessageId: 'b', deadlineAt: core.clock.wallMs() + 750 }),
  ).rejects.toMatchObject({ code: 'SENDER_GAVE_UP' });
  await core.clock.advance(750);
  resolve();
  await late;
  expect(core.processes.started).toHaveLength(1);
  expect(core.gateway.status.inFlight.commands).toEqual([]);
});
