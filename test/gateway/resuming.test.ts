/** `/resume`: what waits for a person's word is answered, in order, once; and a conversation that rested goes on. */
import { describe, expect, test } from 'vitest';
import type { MessageRow } from '../../src/store/records.ts';
import { messageRow } from '../store/sample-rows.ts';
import { settled } from '../support/fake-clock.ts';
import { answer, bootCore, type GatewayCore, NOTHING_RECOVERED } from '../support/gateway-core.ts';

const HERE = 'local:default';

/** A gateway that runs, and has found these messages waiting for a word. */
async function found(
  ids: readonly string[],
  more: { quarantined?: readonly string[]; held?: readonly string[]; config?: string } = {},
): Promise<GatewayCore> {
  const core = bootCore(more.config);
  const rowOf = (id: string, phase: MessageRow['phase']): MessageRow => {
    const receivedAt = core.clock.wallMs();
    const row = messageRow(id, { conversation: HERE, text: id, receivedAt, phase });
    core.store.tables.applyUnit([{ op: 'receive', message: row }]);
    return row;
  };
  const awaiting = ids.map((id) => rowOf(id, 'awaiting-resume'));
  const held = (more.held ?? []).map((id) => rowOf(id, 'held'));
  const quarantined = more.quarantined ?? [];
  for (const conversation of quarantined) {
    core.store.tables.applyUnit([{ op: 'session.quarantine', conversation, at: 1 }]);
  }
  core.gateway.resume({ ...NOTHING_RECOVERED, awaiting, held, quarantined, crashed: quarantined }, null);
  core.gateway.lifecycle.send({ type: 'started' });
  await settled();
  return core;
}

const outcomeOf = async ({ store }: GatewayCore, id: string) => (await store.message(id))?.outcome;

describe('/resume', () => {
  test('has answered what waits, in the order in which it came, and is merged into the first', async () => {
    const core = await found(['m_1', 'm_2']);
    expect(core.agent.asked).toEqual([]);
    const { settled: ends } = await core.receive('/resume');
    expect(await ends).toMatchObject({
      outcome: 'merged',
      replies: ['Being answered now: 2 messages of this conversation that waited for /resume.'],
    });
    await answer(core, 0);
    await answer(core, 1);
    expect(core.agent.asked).toEqual(['m_1', 'm_2']);
    expect(await outcomeOf(core, 'm_1')).toBe('answered');
    expect(await outcomeOf(core, 'm_2')).toBe('answered');
    const merged = core.store.units
      .flat()
      .filter((write) => write.op === 'settle' && write.outcome === 'merged');
    expect(merged).toMatchObject([{ mergedInto: 'm_1' }]);
  });

  test('has answered what a death cut off before what has grown old behind it, as it says', async () => {
    const core = bootCore('turns: { max_age: 1s, on_expired: ask }');
    const [one, second, third] = ['one', 'second', 'third'].map((id): MessageRow => {
      const phase = id === 'one' ? 'awaiting-resume' : 'held';
      const row = messageRow(id, {
        conversation: HERE,
        text: id,
        receivedAt: core.clock.wallMs() - 2000,
        phase,
      });
      core.store.tables.applyUnit([{ op: 'receive', message: row }]);
      return row;
    });
    if (one === undefined || second === undefined || third === undefined) throw new Error('three rows');
    const arrived = ['one', 'second', 'third'];
    core.gateway.resume({ ...NOTHING_RECOVERED, awaiting: [one], held: [second, third], arrived }, null);
    core.gateway.lifecycle.send({ type: 'started' });
    await settled();
    expect(core.gateway.status).toMatchObject({ awaitingResume: 3, held: 0 });
    const { settled: ends } = await core.receive('/resume');
    expect((await ends).replies).toEqual([
      'Being answered now: 3 messages of this conversation that waited for /resume.',
    ]);
    for (const index of [0, 1, 2]) await answer(core, index);
    expect(core.agent.asked).toEqual(['one', 'second', 'third']);
  });

  test('says that it waits where another of its conversation is being answered', async () => {
    const core = await found(['m_1'], { held: ['before'] });
    expect(core.agent.asked).toEqual(['before']);
    const { settled: ends } = await core.receive('/resume');
    expect((await ends).replies).toEqual([
      'Taken up, and answered after what is before it in this conversation: 1 message of this conversation that waited for /resume.',
    ]);
    await answer(core, 0);
    expect(core.agent.asked).toEqual(['before', 'm_1']);
  });

  test('says that it waits where every place is taken', async () => {
    const core = await found(['m_1'], { config: 'agent: { type: command, command: agent, max_turns: 1 }' });
    await core.receive('elsewhere', { conversation: 'local:other' });
    await settled();
    const { settled: ends } = await core.receive('/resume');
    expect((await ends).replies[0]).toMatch(/^Taken up, and answered when a place is free: 1 message/);
    expect(core.agent.asked).toEqual(['elsewhere']);
  });

  test('goes before what is written after it', async () => {
    const core = await found(['m_1']);
    const resumed = core.receive('/resume');
    const later = core.receive('later');
    await Promise.all([resumed, later]);
    await settled();
    await answer(core, 0);
    await answer(core, 1);
    expect(core.agent.asked.toSorted()).toEqual(['later', 'm_1']);
    expect(core.agent.asked).toHaveLength(2);
  });

  test('twice at the same time answers once', async () => {
    const core = await found(['m_1']);
    const [first, second] = await Promise.all([
      core.receive('/resume', { platformMessageId: 'a' }),
      core.receive('/resume', { platformMessageId: 'b' }),
    ]);
    const outcomes = [await first.settled, await second.settled].map(({ outcome }) => outcome);
    expect(outcomes.toSorted()).toEqual(['done', 'merged']);
    await answer(core, 0);
    expect(core.agent.asked).toEqual(['m_1']);
  });

  test('delivered again does nothing', async () => {
    const core = await found(['m_1']);
    await (await core.receive('/resume', { platformMessageId: 'a' })).settled;
    const again = await core.receive('/resume', { platformMessageId: 'a' });
    expect(again.duplicate).toBe(true);
    expect(await again.settled).toMatchObject({ outcome: 'merged' });
    expect(core.agent.asked).toEqual(['m_1']);
  });

  test('where nothing waits says so', async () => {
    const core = await found([]);
    const { settled: ends } = await core.receive('/resume');
    expect(await ends).toMatchObject({
      outcome: 'done',
      reason: 'nothing-to-resume',
      replies: ['Nothing of this conversation waits to be resumed.'],
    });
  });

  test('is for its own conversation', async () => {
    const core = await found(['m_1']);
    const { settled: ends } = await core.receive('/resume', { conversation: 'local:other' });
    expect(await ends).toMatchObject({ reason: 'nothing-to-resume' });
    expect(core.gateway.status.awaitingResume).toBe(1);
  });

  test('with words is wrong usage, and leaves everything as it is', async () => {
    const core = await found(['m_1']);
    expect(await core.receive('/resume all')).toMatchObject({ admission: 'refuse', reason: 'arguments' });
    expect(core.gateway.status.awaitingResume).toBe(1);
    expect(core.gateway.lifecycle.view.turns).toBe(0);
  });

  test('is refused while the gateway leaves, and what waits goes on waiting', async () => {
    const core = await found(['m_1']);
    core.gateway.requests.ask({ intent: 'drain', cause: 'drain', actor: 'local:owner' });
    expect(await core.receive('/resume')).toMatchObject({ admission: 'refuse', reason: 'state' });
    expect(core.gateway.status.awaitingResume).toBe(1);
  });

  test('that was kept counts when turns are taken again', async () => {
    const core = await found(['m_1']);
    core.gateway.requests.ask({ intent: 'drain', cause: 'drain', actor: 'local:owner' });
    expect(await core.receive('/resume', { whenBusy: 'queue' })).toMatchObject({ admission: 'hold' });
    core.gateway.requests.ask({ intent: 'cancel-drain', cause: 'drain', actor: 'local:owner' });
    await settled();
    expect(core.agent.asked).toEqual(['m_1']);
    await answer(core, 0);
    expect(await outcomeOf(core, 'm_1')).toBe('answered');
    expect(core.gateway.lifecycle.view.turns).toBe(0);
  });

  test('that cannot be written changes nothing, and works once the store is back', async () => {
    const core = await found(['m_1'], { quarantined: [HERE] });
    core.store.beforeCommit = (unit) => {
      if (unit.some(({ op }) => op === 'phase')) core.store.fail();
    };
    const failed = await core.receive('/resume', { platformMessageId: 'a' });
    expect(await failed.settled).toMatchObject({ outcome: 'failed', reason: 'store', recorded: false });
    expect(core.agent.asked).toEqual([]);
    core.store.beforeCommit = () => {};
    core.store.writable = true;
    await core.gateway.storeIsBack();
    expect(await core.receive('hello')).toMatchObject({ admission: 'refuse', reason: 'state' });
    const again = await core.receive('/resume', { platformMessageId: 'b' });
    expect(await again.settled).toMatchObject({ outcome: 'merged' });
    expect(core.agent.asked).toEqual(['m_1']);
  });
});

describe('a conversation that rests', () => {
  test('takes no turns and says what to do, and leaves others alone; commands still run', async () => {
    const core = await found(['m_1'], { quarantined: [HERE] });
    expect(await core.receive('hello')).toMatchObject({
      admission: 'refuse',
      reason: 'state',
      text: expect.stringMatching(/so it rests\. \/resume lets it go on; commands still run\.$/),
    });
    expect(core.gateway.lifecycle.view.turns).toBe(0);
    await core.receive('elsewhere', { conversation: 'local:other' });
    await settled();
    expect(core.agent.asked).toEqual(['elsewhere']);
    expect(await (await core.receive('/help')).settled).toMatchObject({ outcome: 'done' });
  });

  test('keeps what it holds until /resume, which is written in one go', async () => {
    const core = await found(['m_1'], { quarantined: [HERE], held: ['m_2'] });
    expect(core.agent.asked).toEqual([]);
    expect(core.gateway.status.held).toBe(1);
    await (await core.receive('/resume')).settled;
    expect(core.store.units.find((unit) => unit.some(({ op }) => op === 'session.calm'))).toMatchObject([
      { op: 'session.calm', conversation: HERE },
      { op: 'phase', id: 'm_1', phase: 'held' },
    ]);
    await answer(core, 0);
    await answer(core, 1);
    expect(core.agent.asked).toEqual(['m_1', 'm_2']);
    expect(await core.store.crashedSessions()).toEqual([]);
    await core.receive('hello');
    await settled();
    expect(core.agent.asked).toEqual(['m_1', 'm_2', 'hello']);
  });

  test('with nothing that waits is released all the same', async () => {
    const core = await found([], { quarantined: [HERE] });
    const { settled: ends } = await core.receive('/resume');
    expect(await ends).toMatchObject({
      outcome: 'done',
      reason: null,
      replies: ['This conversation goes on: messages are answered again.'],
    });
    await core.receive('hello');
    await settled();
    expect(core.agent.asked).toEqual(['hello']);
  });

  test('is forgotten to have crashed by a turn that ends well, and not by one that fails', async () => {
    const core = bootCore();
    core.store.tables.applyUnit([{ op: 'session.crashed', conversation: HERE, at: 1 }]);
    core.gateway.resume({ ...NOTHING_RECOVERED, crashed: [HERE] }, null);
    core.gateway.lifecycle.send({ type: 'started' });
    await core.receive('one');
    await settled();
    core.agent.end(0, new Error('it broke'));
    await settled();
    expect(await core.store.crashedSessions()).toMatchObject([{ conversation: HERE, crashes: 1 }]);
    await core.receive('two');
    await settled();
    await answer(core, 1);
    expect(await core.store.crashedSessions()).toEqual([]);
  });
});
