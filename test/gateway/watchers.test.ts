/** A watcher that throws is dropped: the message it watched still reaches its outcome, and gives its place back. */
import { expect, test } from 'vitest';
import { settled } from '../support/fake-clock.ts';
import { startCore } from '../support/gateway-core.ts';

const COMMANDS = 'quick_commands: { up: { type: exec, command: "up" } }';

const inbound = { platform: 'local', conversation: 'local:default', sender: 'local:owner', receivedAt: 1 };

test.each(['delta', 'reply', 'settled'] as const)(
  'a turn whose watcher throws at its %s still settles, and the next one runs',
  async (at) => {
    const core = await startCore();
    const receipt = await core.gateway.receive(
      { ...inbound, platformMessageId: 'one', text: 'one' },
      (progress) => {
        if (progress.type === at) throw new Error('the reader is gone');
      },
    );
    await core.receive('two');
    core.agent.say(0, 'answer');
    core.agent.end(0);
    expect(await receipt.settled).toMatchObject({ outcome: 'answered', replies: ['answer'] });
    await settled();
    expect(core.agent.asked).toEqual(['one', 'two']);
    expect(core.gateway.lifecycle.view.turns).toBe(1);
    expect(core.lines.map((line) => line.msg)).toContain('a watcher of a message failed');
  },
);

test('a command whose watcher throws at its decision still runs, and frees its slot', async () => {
  const core = await startCore(COMMANDS);
  const receipt = await core.gateway.receive({ ...inbound, platformMessageId: 'one', text: '/up' }, () => {
    throw new Error('the reader is gone');
  });
  await core.receive('/up', { platformMessageId: 'two' });
  core.processes.started[0]?.finish();
  expect(await receipt.settled).toMatchObject({ outcome: 'ran' });
  await settled();
  expect(core.processes.started).toHaveLength(2);
});

test('a watcher of a conversation that throws is dropped; the next one hears all, and the turn is answered', async () => {
  const core = await startCore();
  const { conversations } = core.gateway;
  let calls = 0;
  conversations.watch('local:default', () => {
    calls += 1;
    throw new Error('the reader is gone');
  });
  const heard: string[] = [];
  conversations.watch('local:default', ({ type }) => heard.push(type));
  const receipt = await core.receive('one');
  core.agent.say(0, 'answer');
  core.agent.end(0);
  expect(await receipt.settled).toMatchObject({ outcome: 'answered' });
  await settled();
  expect(heard).toEqual(['message', 'typing', 'delta', 'typing', 'settled']);
  expect(calls).toBe(1);
  expect(core.lines.filter(({ msg }) => msg === 'a watcher of a conversation failed')).toHaveLength(1);
});

test('who shows the status and throws disturbs neither the next one nor the gateway', async () => {
  const core = await startCore();
  core.gateway.onChange(() => {
    throw new Error('the status file is gone');
  });
  let changes = 0;
  core.gateway.onChange(() => (changes += 1));
  expect(await core.receive('one')).toMatchObject({ admission: 'dispatch' });
  core.gateway.storeIsDown();
  expect(core.gateway.status.state).toBe('running.degraded');
  expect(changes).toBe(2);
  expect(core.lines).toContainEqual(expect.objectContaining({ error: 'the status file is gone' }));
});

test('work whose outcome cannot be settled leaves all the same: slot, chart and what waited for it', async () => {
  const core = await startCore(COMMANDS);
  await core.receive('/up');
  const from = core.processes.started[0]?.spec.workId ?? '';
  core.gateway.requests.ask({ intent: 'stop', cause: 'stop', actor: 'local:owner', from });
  core.gateway.ledger.settle = () => Promise.reject(new Error('a defect'));
  core.processes.started[0]?.finish();
  await settled();
  expect(core.gateway.status.inFlight.commands).toEqual([]);
  expect(await core.gateway.exited).toMatchObject({ code: 0, cause: 'stop' });
});
