/** What the API answers at its edges: a drain that is too long, and a gateway that has left. */
import { expect, test } from 'vitest';
import { Api } from '../../src/control/api.ts';
import { type GatewayCore, startCore } from '../support/gateway-core.ts';

const apiOf = ({ gateway, clock }: GatewayCore): Api => {
  const unasked = () => {
    throw new Error('nobody asks for it');
  };
  const others = { configuration: unasked, messageWay: unasked, reload: unasked, quickCommands: unasked };
  return new Api({ gateway, clock, ...others });
};

test('a drain lasts a week at most, and longer ones are told so', async () => {
  const core = await startCore();
  const api = apiOf(core);
  const weekMs = 7 * 24 * 3_600_000;
  expect(api.lifecycle({ intent: 'drain', forMs: 1e15 })).toMatchObject({
    status: 400,
    json: { error: { code: 'MESSAGE_INVALID', message: expect.stringContaining(`at most ${weekMs}`) } },
  });
  expect(core.gateway.status.state).toBe('running.healthy');
  expect(api.lifecycle({ intent: 'drain', forMs: weekMs })).toMatchObject({ status: 202 });
  await core.clock.advance(weekMs - 1);
  expect(core.gateway.status.state).toBe('draining.drained');
  await core.clock.advance(1);
  expect(core.gateway.status.state).toBe('running.healthy');
});

test('a gateway that has left answers 503 to messages and requests: they are for the next one', async () => {
  const core = await startCore();
  const api = apiOf(core);
  api.lifecycle({ intent: 'stop' });
  await core.gateway.exited;
  const left = { status: 503, json: { error: { code: 'GATEWAY_LEFT' } } };
  expect(api.lifecycle({ intent: 'restart' })).toMatchObject(left);
  const refused = await core.receive('hello').catch((error: unknown) => api.fault(error));
  expect(refused).toMatchObject(left);
  expect(core.lines.map(({ msg }) => msg)).not.toContain('a request failed');
});
