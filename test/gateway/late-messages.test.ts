/** A message whose sender has given up by the time the gateway comes to it: nothing of it is kept, whatever it is. */
import { describe, expect, test } from 'vitest';
import { settled } from '../support/fake-clock.ts';
import { bootCore, type GatewayCore, startCore } from '../support/gateway-core.ts';

const now = ({ clock }: GatewayCore) => clock.wallMs();

describe('a turn that comes past its deadline is not begun, and leaves no trace', () => {
  test('while it would be taken', async () => {
    const core = await startCore();
    const late = { platformMessageId: 'late', deadlineAt: now(core) };
    await expect(core.receive('hello', late)).rejects.toMatchObject({ code: 'SENDER_GAVE_UP' });
    await settled();
    expect(core.agent.asked).toEqual([]);
    expect(core.gateway.lifecycle.view.turns).toBe(0);
    expect(await core.store.find('local', 'late')).toBeUndefined();
    // The same id is good for another try, and its conversation is free.
    const again = await core.receive('hello', { platformMessageId: 'late', deadlineAt: now(core) + 1 });
    expect(again).toMatchObject({ admission: 'dispatch', duplicate: false });
    await settled();
    expect(core.agent.asked).toEqual(['hello']);
  });

  test('while it would be held', async () => {
    const core = bootCore();
    const late = { platformMessageId: 'late', deadlineAt: now(core) };
    await expect(core.receive('hello', late)).rejects.toMatchObject({ code: 'SENDER_GAVE_UP' });
    expect(core.gateway.status.held).toBe(0);
    expect(await core.store.find('local', 'late')).toBeUndefined();
  });

  test('while it would be refused', async () => {
    const core = await startCore();
    core.gateway.lifecycle.ask({ type: 'drain.requested', requestId: 'r', actor: 'test' });
    const late = { platformMessageId: 'late', deadlineAt: now(core) };
    await expect(core.receive('hello', late)).rejects.toMatchObject({ code: 'SENDER_GAVE_UP' });
    expect(await core.store.find('local', 'late')).toBeUndefined();
  });
});

test('one that was taken in time is known by its id, however late that is asked again', async () => {
  const core = await startCore();
  const deadlineAt = now(core) + 1;
  const first = await core.receive('hello', { platformMessageId: 'one', deadlineAt });
  await core.clock.advance(1000);
  const again = await core.receive('hello', { platformMessageId: 'one', deadlineAt });
  expect(again).toMatchObject({ messageId: first.messageId, duplicate: true });
  await settled();
  expect(core.agent.asked).toEqual(['hello']);
});
