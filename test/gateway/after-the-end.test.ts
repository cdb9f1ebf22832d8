/** Once the chart has ended it decides nothing: what comes then leaves no row, and its sender may send it again. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { messageRow } from '../store/sample-rows.ts';
import { settled } from '../support/fake-clock.ts';
import { bootCore, type GatewayCore, NOTHING_RECOVERED, startCore } from '../support/gateway-core.ts';

const COMMANDS = 'quick_commands: { up: { type: exec, command: "up" } }';

afterEach(() => vi.restoreAllMocks());

/** A gateway whose chart has ended and whose faces still hand something in. */
async function ended(): Promise<GatewayCore> {
  const core = await startCore(COMMANDS);
  core.gateway.requests.ask({ intent: 'restart', cause: 'restart', actor: 'local:owner' });
  await core.gateway.exited;
  return core;
}

const journalled = ({ store }: GatewayCore) => store.journalRows.length;

describe('after the end of the chart', () => {
  test.each([
    ['an exec command', '/up', {}],
    ['a control command', '/status', {}],
    ['a turn', 'hello', {}],
    ['a turn that may wait', 'hello', { whenBusy: 'queue' as const }],
  ])('%s is not taken and leaves no row', async (_, text, more) => {
    const warnings = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const core = await ended();
    const before = journalled(core);
    await expect(core.receive(text, { platformMessageId: 'late', ...more })).rejects.toMatchObject({
      code: 'GATEWAY_LEFT',
      retryable: true,
    });
    expect(await core.store.find('local', 'late')).toBeUndefined();
    expect(core.processes.started).toEqual([]);
    expect(core.gateway.status.held).toBe(0);
    expect(journalled(core)).toBe(before);
    expect(warnings).not.toHaveBeenCalled();
  });

  test('the same id is not remembered as refused: a second try meets the same answer', async () => {
    const core = await ended();
    for (const _ of ['first', 'second']) {
      await expect(core.receive('/up')).rejects.toMatchObject({ code: 'GATEWAY_LEFT' });
    }
  });

  test('what had an outcome before is still answered with it', async () => {
    const core = await startCore(COMMANDS);
    const first = await core.receive('/status', { platformMessageId: 'known' });
    const outcome = await first.settled;
    core.gateway.requests.ask({ intent: 'stop', cause: 'stop', actor: 'local:owner' });
    await core.gateway.exited;
    const again = await core.receive('/status', { platformMessageId: 'known' });
    expect(again).toMatchObject({ duplicate: true, messageId: first.messageId });
    expect(await again.settled).toMatchObject({ outcome: outcome.outcome });
  });

  test('a start that it overtook leaves commands of earlier lives to the next one', async () => {
    const core = bootCore(COMMANDS);
    core.gateway.requests.ask({ intent: 'stop', cause: 'stop', actor: 'local:owner' });
    await core.gateway.exited;
    const units = core.store.units.length;
    const command = messageRow('m_old', {
      kind: 'exec',
      text: '/up',
      receivedAt: core.clock.wallMs(),
      life: 0,
      phase: 'received',
    });
    core.gateway.resume({ ...NOTHING_RECOVERED, commands: [command] }, null);
    await settled();
    expect(core.store.units).toHaveLength(units);
    expect(core.processes.started).toEqual([]);
  });
});
