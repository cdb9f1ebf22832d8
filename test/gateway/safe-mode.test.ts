/** A gateway that keeps dying starts without turns: commands work, nothing is begun, until it is over. */
import { describe, expect, test } from 'vitest';
import { messageRow } from '../store/sample-rows.ts';
import { settled } from '../support/fake-clock.ts';
import { bootCore, type GatewayCore, NOTHING_RECOVERED } from '../support/gateway-core.ts';

const CONFIG = `access: { owners: ["chat:1"], users: ["chat:2"] }
safe_mode: { quiet: 2m }
quick_commands: { up: { type: exec, command: "up" } }`;

const person = (n: number) => ({ platform: 'chat', conversation: `chat:${n}`, sender: `chat:${n}` });

/** A gateway in safe mode, with a held message and a promise that nobody has heard of yet. */
async function inSafeMode(config = CONFIG): Promise<GatewayCore> {
  const core = bootCore(config);
  const row = messageRow('m_1', { ...person(1), receivedAt: core.clock.wallMs(), phase: 'held' });
  const notice = { incident: 'crash:1', platform: 'chat', conversation: 'chat:1', kind: 'down' } as const;
  core.store.tables.applyUnit([{ op: 'receive', message: row }]);
  core.store.tables.applyUnit([{ op: 'notice', notice, at: core.clock.wallMs() }]);
  await core.gateway.connections.start(new AbortController().signal);
  core.gateway.resume({ ...NOTHING_RECOVERED, held: [row], crashLoop: true }, null);
  core.gateway.lifecycle.send({ type: 'started' });
  await settled();
  return core;
}

describe('safe mode', () => {
  test('is there before the gateway runs: no turn begins, nobody is told anything', async () => {
    const core = await inSafeMode();
    expect(core.gateway.status).toMatchObject({
      state: 'running.degraded',
      degraded: ['safe-mode'],
      held: 1,
    });
    expect(core.agent.asked).toEqual([]);
    expect(core.chat.sent).toEqual([]);
  });

  test('refuses turns and /resume, and says how it ends; commands work', async () => {
    const core = await inSafeMode();
    for (const text of ['hello', '/resume']) {
      expect(await core.receive(text)).toMatchObject({
        ...{ admission: 'refuse', reason: 'state' },
        text: expect.stringMatching(/safe mode after several crashes.*\/resume-turns/),
      });
    }
    await core.receive('/up');
    await settled();
    expect(core.processes.started).toHaveLength(1);
    expect(await (await core.receive('/status')).settled).toMatchObject({
      replies: [expect.stringContaining('degraded: safe-mode')],
    });
  });

  test('ends by itself after a quiet while: held messages begin, and what was promised is told', async () => {
    const core = await inSafeMode();
    await core.clock.advance(119_999);
    expect(core.gateway.status.degraded).toEqual(['safe-mode']);
    await core.clock.advance(1);
    expect(core.gateway.status).toMatchObject({ state: 'running.healthy', degraded: [], held: 0 });
    expect(core.agent.asked).toEqual(['hello']);
    expect(core.chat.sent).toEqual([expect.stringMatching(/^The gateway went down several times/)]);
  });

  test('ends when an owner says so, and not when a user does', async () => {
    const core = await inSafeMode();
    const user = await core.receive('/resume-turns', { ...person(2), platformMessageId: 'u' });
    expect(user).toMatchObject({ admission: 'refuse', reason: 'access' });
    expect(core.gateway.status.degraded).toEqual(['safe-mode']);
    const owner = await core.receive('/resume-turns', { ...person(1), platformMessageId: 'o' });
    expect(await owner.settled).toMatchObject({
      outcome: 'done',
      replies: ['Turns are taken again. What was held starts one at a time for the first minute.'],
    });
    await settled();
    expect(core.gateway.status.state).toBe('running.healthy');
    const again = await core.receive('/resume-turns', { platformMessageId: 'again' });
    expect(await again.settled).toMatchObject({ outcome: 'done', reason: 'nothing-to-clear' });
  });

  test('tells whom it refused when it is over, once', async () => {
    const core = await inSafeMode();
    for (const id of ['a', 'b']) {
      const refused = await core.receive('hello', { ...person(2), platformMessageId: id });
      expect(refused).toMatchObject({ admission: 'refuse', text: expect.stringMatching(/safe mode/) });
    }
    await settled();
    // The second settles without a word.
    expect(core.chat.sent).toEqual([expect.stringMatching(/^Not taken: the gateway is in safe mode/)]);
    await core.clock.advance(120_000);
    const back = core.chat.sent.filter((text) => text.startsWith('The gateway goes on'));
    expect(back).toHaveLength(1);
  });

  test.each(['by itself', 'by an owner'])('that has ended %s is known to the store as left', async (how) => {
    const core = await inSafeMode();
    if (how === 'by itself') await core.clock.advance(120_000);
    else await core.receive('/resume-turns');
    await settled();
    expect(core.store.units.flat()).toContainEqual({ op: 'life.safe-mode', id: 1, mode: 'left' });
  });

  test('that has ended in an outage is known to the store as left when it is back', async () => {
    const core = await inSafeMode();
    core.store.fail();
    await core.clock.advance(120_000);
    core.store.writable = true;
    await core.gateway.storeIsBack();
    expect(core.store.units.flat().filter(({ op }) => op === 'life.safe-mode')).toEqual([
      { op: 'life.safe-mode', id: 1, mode: 'left' },
    ]);
  });

  test('that is off begins in no life', async () => {
    const core = await inSafeMode('safe_mode: off\naccess: { owners: ["chat:1"] }');
    expect(core.gateway.status).toMatchObject({ state: 'running.healthy', degraded: [] });
    expect(core.agent.asked).toEqual(['hello']);
  });
});
