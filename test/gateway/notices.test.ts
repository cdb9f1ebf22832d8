/** Who hears that the gateway is back, and how often: promises are kept once, over outages and lives. */
import { describe, expect, test } from 'vitest';
import { NOTICES_AT_ONCE_MAX } from '../../src/gateway/notices.ts';
import type { Recovered } from '../../src/gateway/recovery.ts';
import { settled } from '../support/fake-clock.ts';
import { bootCore, type GatewayCore, NOTHING_RECOVERED } from '../support/gateway-core.ts';
import { MemoryStore } from '../support/memory-store.ts';

const CONFIG = 'access: { owners: ["chat:1"], users: ["chat:2", "chat:3"] }';
const BACK = 'The gateway is back. What was not taken meanwhile can be sent again.';
const AGAIN = 'The gateway goes on and takes turns again. What was not taken meanwhile can be sent again.';

const person = (n: number) => ({ platform: 'chat', conversation: `chat:${n}`, sender: `chat:${n}` });

/** A gateway of this epoch, on the store that lives before it left. */
async function life(
  epoch: number,
  store = new MemoryStore(),
  found: Partial<Recovered> = {},
): Promise<GatewayCore> {
  const core = bootCore(CONFIG, { store });
  core.gateway.begin({ id: epoch, kind: 'daemon', epoch, pid: 1, startTime: '', bootId: '' });
  await core.gateway.connections.start(new AbortController().signal);
  core.gateway.resume({ ...NOTHING_RECOVERED, ...found }, null);
  core.gateway.lifecycle.send({ type: 'started' });
  await settled();
  return { ...core, store };
}

let count = 0;
/** Each message has an id of its own. */
const say = (core: GatewayCore, n: number, text: string) => {
  count += 1;
  return core.receive(text, { ...person(n), platformMessageId: `m${count}` });
};

const ask = ({ gateway }: GatewayCore, intent: 'drain' | 'cancel-drain' | 'restart') =>
  gateway.requests.ask({ intent, cause: intent === 'restart' ? 'restart' : 'drain', actor: 'local:owner' });

const told = ({ chat }: GatewayCore, text: string) => chat.sent.filter((sent) => sent === text).length;

describe('after a restart', () => {
  test('whoever asked for it hears that it is back, once, and nobody else does', async () => {
    const first = await life(1);
    await say(first, 2, 'hello');
    first.agent.say(0, 'answer');
    first.agent.end(0);
    await settled();
    await say(first, 1, '/restart');
    await first.gateway.exited;
    expect(first.chat.sent).toEqual(['answer', 'Restarting now.']);
    const second = await life(2, first.store);
    expect(second.chat.sent).toEqual([BACK]);
    expect((await life(3, first.store)).chat.sent).toEqual([]);
  });

  test('those who were refused hear it once each, however often they were and whatever the chart did meanwhile', async () => {
    const first = await life(1);
    await say(first, 3, 'keeps the drain');
    await say(first, 1, '/drain');
    for (const _ of [1, 2]) await say(first, 2, 'hello');
    await say(first, 1, '/restart');
    for (const _ of [1, 2]) await say(first, 2, 'hello');
    await say(first, 1, '/restart now');
    await settled();
    const second = await life(2, first.store);
    expect(second.chat.sent).toEqual([BACK, BACK]);
    const { pendingNotices, noticesOf } = first.store;
    expect(await pendingNotices.call(first.store, 10)).toEqual([]);
    const notices = await noticesOf.call(first.store, 'absence:1:1');
    expect(notices.map(({ conversation }) => conversation).toSorted()).toEqual(['chat:1', 'chat:2']);
  });

  test('that follows lives which died before they could say so says it once for all of them', async () => {
    const store = new MemoryStore();
    const about = { platform: 'chat', conversation: 'chat:1', kind: 'back' } as const;
    for (const incident of ['absence:1:1', 'absence:2:1', 'absence:2:2']) {
      await store.commit([{ op: 'notice', notice: { ...about, incident }, at: 1_700_000_000_000 }]);
    }
    expect((await life(3, store)).chat.sent).toEqual([BACK]);
    expect(await store.pendingNotices(10)).toEqual([]);
  });

  test('a death between promise and text neither loses nor repeats it', async () => {
    const first = await life(1);
    await say(first, 1, '/restart');
    await first.gateway.exited;
    // The second life dies before it can write that it has told.
    const failing = new MemoryStore(first.store.tables);
    failing.beforeCommit = (unit) => {
      if (unit.some(({ op }) => op === 'notice.end')) failing.fail();
    };
    const second = await life(2, failing);
    expect(second.chat.sent).toEqual([]);
    const third = await life(3, new MemoryStore(first.store.tables));
    expect(third.chat.sent).toEqual([BACK]);
    expect((await first.store.noticesOf('absence:1:1')).map(({ state }) => state)).toEqual(['sent']);
  });
});

describe('a drain that is cancelled', () => {
  test('was no restart: those who were refused hear that it goes on, once each time', async () => {
    const core = await life(1);
    for (const round of [1, 2]) {
      ask(core, 'drain');
      for (const _ of [1, 2]) await say(core, 2, 'hello');
      ask(core, 'cancel-drain');
      await settled();
      expect(told(core, AGAIN)).toBe(round);
    }
    expect(told(core, BACK)).toBe(0);
  });

  test('tells nobody who was not refused', async () => {
    const core = await life(1);
    ask(core, 'drain');
    ask(core, 'cancel-drain');
    await settled();
    expect(core.chat.sent).toEqual([]);
    expect(core.store.units.flat().filter(({ op }) => op === 'notice')).toEqual([]);
  });
});

describe('a promise', () => {
  test('that cannot be written is kept in memory, and told when the store is back', async () => {
    const core = await life(1);
    ask(core, 'drain');
    core.store.beforeCommit = (unit) => {
      if (unit.some(({ op }) => op === 'notice')) core.store.fail();
    };
    await say(core, 2, 'hello');
    core.gateway.storeIsDown();
    ask(core, 'cancel-drain');
    await settled();
    expect(told(core, AGAIN)).toBe(0);
    core.store.beforeCommit = () => {};
    core.store.writable = true;
    await core.gateway.storeIsBack();
    await settled();
    expect(told(core, AGAIN)).toBe(1);
  });

  test('that cannot be written while the gateway leaves is on disk when the store is back, and kept by the next life', async () => {
    const first = await life(1);
    await say(first, 3, 'keeps the drain');
    first.store.fail();
    first.gateway.storeIsDown();
    await say(first, 1, '/restart');
    await settled();
    expect(first.gateway.status.state).toBe('draining.waiting');
    first.store.writable = true;
    await first.gateway.storeIsBack();
    expect(await first.store.pendingNotices(10)).toMatchObject([{ conversation: 'chat:1', kind: 'back' }]);
    await say(first, 1, '/restart now');
    await first.gateway.exited;
    expect(told(await life(2, first.store), BACK)).toBe(1);
  });

  test('that cannot be written is tried once more before the gateway has left', async () => {
    const first = await life(1);
    first.store.fail();
    await say(first, 1, '/restart');
    await first.gateway.exited;
    first.store.probe = async () => (first.store.writable = true);
    await first.gateway.stop();
    expect(told(await life(2, first.store), BACK)).toBe(1);
  });

  test('to a conversation that rests is kept in other words than those that a death has told it by, in each life', async () => {
    const store = new MemoryStore();
    const about = { platform: 'chat', conversation: 'chat:1', kind: 'back' } as const;
    const returns = async (epoch: number, incidents: readonly string[]) => {
      const at = 1_700_000_000_000;
      for (const incident of incidents)
        await store.commit([{ op: 'notice', notice: { ...about, incident }, at }]);
      return await life(epoch, store, { quarantined: ['chat:1'] });
    };
    expect((await returns(2, ['crash:1', 'absence:1:1'])).chat.sent).toEqual([
      expect.stringMatching(
        /^The gateway is back\. It went down three times running .*\/resume tries once more\.$/,
      ),
    ]);
    expect((await returns(3, ['absence:2:1'])).chat.sent).toEqual([
      'The gateway is back. This conversation still rests: /resume lets it go on.',
    ]);
  });

  test('that is a day old is given up, and a younger one is told', async () => {
    const store = new MemoryStore();
    const at = 1_700_000_000_000;
    for (const [n, ageMs] of [
      [2, 24 * 3_600_000 + 1],
      [3, 3_600_000],
    ] as const) {
      const notice = {
        incident: 'absence:1:1',
        platform: 'chat',
        conversation: `chat:${n}`,
        kind: 'back',
      } as const;
      store.tables.applyUnit([{ op: 'notice', notice, at: at - ageMs }]);
    }
    const core = await life(5, store);
    expect(core.chat.sent).toEqual([BACK]);
    expect((await store.noticesOf('absence:1:1')).map(({ state }) => state)).toEqual(['given-up', 'sent']);
  });

  test('is kept also where there are more than are looked at in one go', async () => {
    const store = new MemoryStore();
    for (let n = 0; n <= NOTICES_AT_ONCE_MAX; n += 1) {
      const notice = {
        incident: 'absence:1:1',
        platform: 'chat',
        conversation: `chat:${n}`,
        kind: 'back',
      } as const;
      store.tables.applyUnit([{ op: 'notice', notice, at: 1_700_000_000_000 }]);
    }
    const core = await life(2, store);
    ask(core, 'drain');
    ask(core, 'cancel-drain');
    await settled();
    expect(await store.pendingNotices(10)).toEqual([]);
    expect(told(core, BACK)).toBe(NOTICES_AT_ONCE_MAX + 1);
  });
});
