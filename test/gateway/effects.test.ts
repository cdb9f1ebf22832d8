/** What the chart asks for, carried out at moments that only a stand-in can hold. */
import { describe, expect, test } from 'vitest';
import type { Progress } from '../../src/gateway/in-hand.ts';
import { settled } from '../support/fake-clock.ts';
import { type GatewayCore, startCore } from '../support/gateway-core.ts';
import { MemoryStore } from '../support/memory-store.ts';

const ask = ({ gateway }: GatewayCore, intent: 'drain' | 'cancel-drain' | 'stop') =>
  gateway.requests.ask({ intent, cause: intent === 'stop' ? 'stop' : 'drain', actor: 'local:owner' });

async function endTurn({ agent }: GatewayCore, index: number): Promise<void> {
  agent.say(index, 'answer');
  agent.end(index);
  await settled();
}

describe('a turn that had not begun when a drain began', () => {
  test('is held, its sender hears of it, and the drain does not wait for it', async () => {
    const core = await startCore();
    await core.receive('one');
    const told: unknown[] = [];
    const second = await core.gateway.receive(
      {
        ...{ platform: 'local', platformMessageId: 'two', conversation: 'local:default' },
        ...{ sender: 'local:owner', text: 'two', receivedAt: core.clock.wallMs() },
      },
      (progress) => told.push(progress),
    );
    ask(core, 'stop');
    await settled();
    expect(told.at(-1)).toMatchObject({
      type: 'admission',
      messageId: second.messageId,
      admission: 'hold',
      text: expect.stringContaining('Kept for the next start'),
    });
    await endTurn(core, 0);
    expect(await core.gateway.exited).toMatchObject({ code: 0 });
    expect(core.agent.asked).toEqual(['one']);
  });

  test.each([
    ['stop', 'Kept for the next start: the gateway is stopping. It is answered when it is back.'],
    ['restart', 'Kept: the gateway is restarting. It is answered as soon as it is back.'],
  ] as const)('hears what the gateway leaves for: %s', async (intent, text) => {
    const core = await startCore('access: { owners: ["chat:1"] }');
    const chat = { platform: 'chat', conversation: 'chat:group', sender: 'chat:1' };
    await core.receive('one', chat);
    await core.receive('two', chat);
    core.gateway.requests.ask({ intent, cause: intent, actor: 'local:owner' });
    await core.clock.advance(2000);
    expect(core.chat.sent).toEqual([text]);
    const late = await core.receive('three', { whenBusy: 'queue' });
    expect(late).toMatchObject({ admission: 'hold', text });
  });

  test('is announced in its chat, once, when the hold lasts', async () => {
    const core = await startCore('access: { owners: ["chat:1"] }');
    const chat = { platform: 'chat', conversation: 'chat:group', sender: 'chat:1' };
    for (const text of ['one', 'two', 'three']) await core.receive(text, chat);
    ask(core, 'drain');
    await core.clock.advance(1999);
    expect(core.chat.sent).toEqual([]);
    await core.clock.advance(60_000);
    expect(core.chat.sent).toEqual(['Kept: it is answered as soon as the gateway takes turns again.']);
  });

  test('works on when the drain is cancelled before its hold is on disk, and the next drain waits for it', async () => {
    const core = await startCore();
    await core.receive('one');
    await core.receive('two');
    ask(core, 'drain');
    ask(core, 'cancel-drain');
    await settled();
    await endTurn(core, 0);
    expect(core.agent.asked).toEqual(['one', 'two']);
    ask(core, 'drain');
    expect(core.gateway.status.state).toBe('draining.waiting');
    await endTurn(core, 1);
    expect(core.gateway.status.state).toBe('draining.drained');
  });
});

describe('leaving', () => {
  test('writes and sends what an outage kept in memory, where the store can be written by then', async () => {
    const store = new MemoryStore();
    const tryStore = async () => {
      store.writable = true;
      await core.gateway.storeIsBack();
    };
    const core: GatewayCore = await startCore('', { store, tryStore });
    const asked = { platform: 'chat', conversation: 'chat:a', sender: 'local:owner' };
    const { messageId } = await core.receive('one', asked);
    store.fail();
    core.gateway.storeIsDown();
    core.agent.say(0, 'the answer');
    core.agent.end(0);
    await settled();
    expect(core.chat.sent).toEqual([]);
    ask(core, 'stop');
    expect(await core.gateway.exited).toMatchObject({ code: 0 });
    expect(core.chat.sent).toEqual(['the answer']);
    expect(await store.message(messageId)).toMatchObject({ outcome: 'answered' });
  });

  test('waits until a face that takes its time is closed', async () => {
    const closing = Promise.withResolvers<void>();
    const core = await startCore('', { closeFaces: () => closing.promise });
    ask(core, 'stop');
    await settled();
    expect(core.gateway.status.state).toBe('stopped.closing');
    closing.resolve();
    expect(await core.gateway.exited).toMatchObject({ code: 0 });
  });

  test('goes on when a face cannot be closed, and the log has why', async () => {
    const core = await startCore('', { closeFaces: () => Promise.reject(new Error('the socket is stuck')) });
    ask(core, 'stop');
    expect(await core.gateway.exited).toMatchObject({ code: 0 });
    expect(core.lines).toContainEqual(
      expect.objectContaining({ msg: 'closing the faces failed', error: 'the socket is stuck' }),
    );
  });

  /** What a message is told while its turn is cut off. */
  async function cutOff(config: string, leave: (core: GatewayCore) => Promise<void>) {
    const core = await startCore(config);
    const told: Progress[] = [];
    const inbound = {
      platform: 'local',
      platformMessageId: 'one',
      conversation: 'local:default',
      text: 'hello',
    };
    const { messageId } = await core.gateway.receive(
      { ...inbound, sender: 'local:owner', receivedAt: core.clock.wallMs() },
      (progress) => told.push(progress),
    );
    core.agent.say(0, 'so far');
    await leave(core);
    await settled();
    const said = told.flatMap((progress) => (progress.type === 'reply' ? [progress.text] : []));
    return { core, told, said, messageId };
  }

  const stop = async (core: GatewayCore): Promise<void> => {
    ask(core, 'stop');
    await core.clock.advance(30_000);
  };

  const AGENT = 'agent: { type: command, command: agent, restart_drain_timeout: 30';

  test('asks about a turn that it cuts off, and that may have changed something', async () => {
    const { core, told, said, messageId } = await cutOff(`${AGENT} }`, stop);
    expect(said).toEqual([
      'so far',
      'Interrupted: the gateway is stopping and its time to wait is over. Send /resume when it is back to have it answered after all.',
    ]);
    expect(told.at(-1)).toMatchObject({ type: 'awaiting', messageId });
    expect(await core.store.message(messageId)).toMatchObject({ phase: 'awaiting-resume', outcome: null });
    expect(core.store.units.flat()).toContainEqual(
      expect.objectContaining({ op: 'turn.end', outcome: 'interrupted', streamed: 'so far' }),
    );
    expect(await core.gateway.exited).toMatchObject({ code: 0 });
  });

  test('says that it was asked to go at once where a person did not let it wait', async () => {
    const { said } = await cutOff(`${AGENT} }`, async (core) => {
      ask(core, 'stop');
      core.gateway.requests.ask({ intent: 'stop', cause: 'stop', actor: 'local:owner', hurry: true });
      await core.clock.advance(1);
    });
    expect(said.at(-1)).toBe(
      'Interrupted: the gateway is stopping, and was asked to go at once. Send /resume when it is back to have it answered after all.',
    );
  });

  test('keeps one that can have changed nothing for the next start', async () => {
    const { core, told, said, messageId } = await cutOff(`${AGENT}, effects: none }`, stop);
    expect(said.at(-1)).toMatch(/It is answered again, from the beginning, when the gateway is back\.$/);
    expect(told.at(-1)).toMatchObject({ type: 'admission', admission: 'hold' });
    expect(await core.store.message(messageId)).toMatchObject({ phase: 'held', reason: 'resume' });
    expect(core.gateway.status.held).toBe(1);
  });

  test('ends one that nothing shall resume', async () => {
    const { said, told } = await cutOff(`${AGENT} }\nturns: { resume: never }`, stop);
    expect(told.at(-1)).toMatchObject({ type: 'settled', outcome: 'interrupted' });
    expect(said).toEqual([
      'so far',
      'Interrupted: the gateway is stopping and its time to wait is over. Send it again if it is still wanted.',
    ]);
  });

  test('leaves one open whose suspension cannot be written: the next start finds it as it is, and decides alike', async () => {
    const { core, said, told, messageId } = await cutOff(`${AGENT} }`, async (core) => {
      core.store.fail();
      await stop(core);
    });
    expect(said.at(-1)).toMatch(/Send \/resume when it is back/);
    expect(told.at(-1)).toMatchObject({ type: 'awaiting', messageId });
    expect(await core.store.message(messageId)).toMatchObject({ phase: 'started', outcome: null });
    const { turns } = await core.store.openWork([]);
    expect(turns).toMatchObject([{ messageIds: [messageId], effects: true }]);
    expect(await core.gateway.exited).toMatchObject({ code: 0 });
  });

  test.each(['auto', 'never'])(
    'with a fault tells who waits, and leaves the turn to the next start as a kill does: resume %s',
    async (resume) => {
      const fault = { type: 'fatal', failure: { kind: 'fault', message: 'it broke' } } as const;
      const config = `${AGENT} }\nturns: { resume: ${resume} }`;
      const { core, messageId, said, told } = await cutOff(config, async ({ gateway }) =>
        gateway.lifecycle.send(fault),
      );
      expect(said).toEqual([
        'so far',
        expect.stringMatching(/^Interrupted: the gateway itself has failed; its log says why\. Send /),
      ]);
      expect(told.at(-1)).toMatchObject({ type: 'awaiting', messageId });
      expect(await core.gateway.exited).toMatchObject({ code: 70 });
      expect(await core.store.message(messageId)).toMatchObject({ phase: 'started', outcome: null });
      const { turns, outbound } = await core.store.openWork([]);
      expect(turns).toMatchObject([{ messageIds: [messageId], streamed: 'so far' }]);
      expect(outbound).toEqual([]);
    },
  );
});
