/** A hold is a promise: what was kept is not refused because every place is taken when it is taken up. */
import { expect, test } from 'vitest';
import { SluiceError } from '../../src/errors.ts';
import { COMMANDS_WAITING_MAX } from '../../src/gateway/quick-commands.ts';
import { TURNS_WAITING_MAX } from '../../src/gateway/turns.ts';
import { messageRow } from '../store/sample-rows.ts';
import { settled } from '../support/fake-clock.ts';
import { bootCore, NOTHING_RECOVERED, startCore } from '../support/gateway-core.ts';

const ONE_TURN = 'agent: { type: command, command: agent, max_turns: 1 }';

test('a held turn stays held while as many turns wait as may, and runs once one of them has its place', async () => {
  const core = await startCore(ONE_TURN);
  for (let count = 0; count <= TURNS_WAITING_MAX; count += 1) {
    await core.receive(`turn ${count}`, { conversation: `local:${count}` });
  }
  const kept = await core.receive('refused', { conversation: 'local:refused' });
  expect(kept).toMatchObject({ admission: 'refuse', reason: 'limit' });

  core.gateway.storeIsDown();
  const held = messageRow('m_held', {
    conversation: 'local:held',
    text: 'held',
    receivedAt: core.clock.wallMs(),
    admission: 'hold',
    phase: 'held',
  });
  core.store.tables.applyUnit([{ op: 'receive', message: held }]);
  core.gateway.resume({ ...NOTHING_RECOVERED, held: [held] }, null);
  await core.gateway.storeIsBack();
  await settled();
  expect(core.gateway.status.held).toBe(1);
  expect(core.store.units.flat()).not.toContainEqual(expect.objectContaining({ op: 'settle', id: 'm_held' }));

  core.agent.say(0, 'answer');
  core.agent.end(0);
  await settled();
  expect(core.gateway.status.held).toBe(0);
  expect(core.gateway.lifecycle.view.turns).toBe(TURNS_WAITING_MAX + 1);
});

test('a command of an earlier life stays, too, until there is room among those that wait', async () => {
  const core = bootCore('quick_commands: { up: { type: exec, command: "up" } }');
  for (let count = 0; count <= COMMANDS_WAITING_MAX; count += 1) {
    await core.receive('/up', { platformMessageId: `up ${count}` });
  }
  const command = messageRow('m_old', {
    kind: 'exec',
    text: '/up',
    receivedAt: core.clock.wallMs(),
    life: 0,
    phase: 'received',
  });
  core.store.tables.applyUnit([{ op: 'receive', message: command }]);
  core.gateway.resume({ ...NOTHING_RECOVERED, commands: [command] }, null);
  await settled();
  expect(core.gateway.status.inFlight.commands).toHaveLength(COMMANDS_WAITING_MAX + 1);
  expect(core.store.units.flat()).not.toContainEqual(expect.objectContaining({ op: 'settle', id: 'm_old' }));
  core.processes.started[0]?.finish();
  await settled();
  expect(core.gateway.status.inFlight.commands.map(({ id }) => id)).toContain('c_old');
});

test('a held message that the store, though well, does not take up stays held, and the log has why', async () => {
  const core = bootCore();
  await core.receive('early');
  const commit = core.store.commit.bind(core.store);
  core.store.commit = async (unit) => {
    if (unit.some(({ op }) => op === 'adopt')) throw new SluiceError('INTERNAL', 'a constraint failed');
    return commit(unit);
  };
  core.gateway.lifecycle.send({ type: 'started' });
  await settled();
  expect(core.gateway.status).toMatchObject({ held: 1, inFlight: { turns: [] } });
  expect(core.lines).toContainEqual(
    expect.objectContaining({ msg: 'a held message was not taken up', error: 'a constraint failed' }),
  );
});
