/** What the API answers at its edges: a drain that is too long, and a gateway that has left. */
import { expect, test } from 'vitest';
import { Api } from '../../src/control/api.ts';
import { receive } from '../store/sample-rows.ts';
import { settled } from '../support/fake-clock.ts';
import { type GatewayCore, startCore } from '../support/gateway-core.ts';

const apiOf = ({ gateway, clock }: GatewayCore): Api => {
  const unasked = () => {
    throw new Error('nobody asks for it');
  };
  const others = {
    configuration: unasked,
    variables: unasked,
    reload: unasked,
    quickCommands: unasked,
    redacted: (json: unknown) => json,
  };
  return new Api({ gateway, clock, ...others });
};

test('a drain lasts a week at most, and longer ones are told so', async () => {
  const core = await startCore();
  const api = apiOf(core);
  const weekMs = 7 * 24 * 3_600_000;
  expect(api.lifecycle({ intent: 'drain', forMs: 1e15 }, false)).toMatchObject({
    status: 400,
    json: { error: { code: 'MESSAGE_INVALID', message: expect.stringContaining(`at most ${weekMs}`) } },
  });
  expect(core.gateway.status.state).toBe('running.healthy');
  expect(api.lifecycle({ intent: 'drain', forMs: weekMs }, false)).toMatchObject({ status: 202 });
  await core.clock.advance(weekMs - 1);
  expect(core.gateway.status.state).toBe('draining.drained');
  await core.clock.advance(1);
  expect(core.gateway.status.state).toBe('running.healthy');
});

test('a gateway that has left answers 503 to messages and requests: they are for the next one', async () => {
  const core = await startCore();
  const api = apiOf(core);
  api.lifecycle({ intent: 'stop' }, false);
  await core.gateway.exited;
  const left = { status: 503, json: { error: { code: 'GATEWAY_LEFT' } } };
  expect(api.lifecycle({ intent: 'restart' }, false)).toMatchObject(left);
  const refused = await core.receive('hello').catch((error: unknown) => api.fault(error));
  expect(refused).toMatchObject(left);
  expect(core.lines.map(({ msg }) => msg)).not.toContain('a request failed');
});

test('who waits for an outcome that does not come in this life is answered with the decision', async () => {
  const core = await startCore('quick_commands: { up: { type: exec, command: "up" } }');
  const api = apiOf(core);
  const inbound = (id: string, text: string) => {
    const read = api.inbound({ id, text });
    if ('status' in read) throw new Error('it is a message');
    return read;
  };
  // Another process of this home works on it.
  await core.store.commit([receive('m_other', { platformMessageId: 'other', life: 7, phase: 'started' })]);
  const elsewhere = api.message(inbound('other', 'hello'), true);
  const command = api.message(inbound('up', '/up'), true);
  await settled();
  const ended = api.endWaits();
  await settled();
  core.processes.started[0]?.finish({ stdout: 'up' });
  await ended;
  expect(await command).toMatchObject({ status: 200, json: { outcome: 'ran', replies: ['up'] } });
  expect(await elsewhere).toMatchObject({ status: 202, json: { messageId: 'm_other', duplicate: true } });
  await core.store.commit([receive('m_late', { platformMessageId: 'late', life: 7, phase: 'started' })]);
  expect(await api.message(inbound('late', 'hello'), true)).toMatchObject({ status: 202 });
});

test('who waits for a turn whose start could not be written is answered that it is kept', async () => {
  const core = await startCore();
  const api = apiOf(core);
  await core.receive('one');
  const two = api.inbound({ id: 'two', text: 'two' });
  if ('status' in two) throw new Error('it is a message');
  const waits = api.message(two, true);
  await settled();
  core.store.fail();
  core.gateway.storeIsDown();
  core.agent.say(0, 'answer');
  core.agent.end(0);
  expect(await waits).toMatchObject({ status: 202, json: { admission: 'hold' } });
});

test.each(['stop', 'restart', 'cancel-drain'])(
  'a time is for a drain: with %s it is refused',
  async (intent) => {
    const core = await startCore();
    expect(apiOf(core).lifecycle({ intent, forMs: 5 }, false)).toMatchObject({
      status: 400,
      json: { error: { code: 'MESSAGE_INVALID', message: expect.stringMatching(/^forMs is for a drain/) } },
    });
    expect(core.gateway.status).toMatchObject({ state: 'running.healthy', intent: null });
  },
);
