/** What a person changes about a message afterwards: decided from its rows, and carried out by a gateway that runs. */
import { describe, expect, test } from 'vitest';
import { SluiceError } from '../../src/errors.ts';
import {
  discardsOf,
  endingUnit,
  retriesOf,
  type Target,
  waitsOnDisk,
} from '../../src/gateway/intervention-plan.ts';
import type { OutboundState, Phase, StoredMessage, StoredOutbound } from '../../src/store/records.ts';
import { messageRow, outboundRow } from '../store/sample-rows.ts';
import { settled } from '../support/fake-clock.ts';
import { startCore } from '../support/gateway-core.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { Outbox } from '../support/outbox.ts';

const message = (phase: Phase, outcome: StoredMessage['outcome'] = null): StoredMessage => ({
  ...messageRow('m1', { phase }),
  ...{ outcome, settledAt: outcome === null ? null : 2_000, recorded: true },
});

const replyIn = (state: OutboundState, id = 'o1'): StoredOutbound => ({
  ...outboundRow(id, 'm1'),
  ...{ state, attempts: 1, nextAt: null, possibleDuplicate: false, error: null },
});

const target = (of: StoredMessage | null, ...states: readonly OutboundState[]): Target => ({
  message: of,
  outbound: states.map((state, at) => replyIn(state, `o${at}`)),
  ...{ isOneReply: false, worker: null },
});

const answered = message('settled', 'answered');

const idsOf = (plan: ReturnType<typeof retriesOf> | ReturnType<typeof discardsOf>) =>
  'nothing' in plan ? plan.nothing : plan.outbound.map(({ id }) => id);

describe('replies are sent again', () => {
  test.each<[OutboundState[], unknown, unknown]>([
    [
      ['dead', 'delivered', 'unknown'],
      ['o0', 'o2'],
      ['o0', 'o2'],
    ],
    [['pending'], ['o0'], 'what is not delivered waits for the next start already'],
    [['sending'], 'it is just being sent', 'it is just being sent'],
    [
      ['delivered'],
      'it has settled as answered, and what was said to it has been delivered',
      'it has settled as answered, and what was said to it has been delivered',
    ],
    [
      [],
      'it has settled as answered, and it has no reply',
      'it has settled as answered, and it has no reply',
    ],
  ])('of %j by a gateway that runs: %j; without one: %j', (states, running, offline) => {
    expect(idsOf(retriesOf(target(answered, ...states), true))).toEqual(running);
    expect(idsOf(retriesOf(target(answered, ...states), false))).toEqual(offline);
  });

  test('never of a message that has none yet, and it is said why', () => {
    expect(idsOf(retriesOf(target(message('held')), true))).toBe('it is held, and has no reply yet');
    expect(idsOf(retriesOf(target(message('awaiting-resume')), true))).toContain('/resume');
  });
});

describe('what is given up', () => {
  test('is the message while nothing works on it, else what has not arrived of its replies', () => {
    const held = message('held');
    expect(discardsOf(target(held, 'pending'), true)).toEqual({ settles: held, outbound: [] });
    expect(idsOf(discardsOf(target(message('started')), false))).toBe(
      'it is being worked on: `sluice exec --cancel m1` ends what runs',
    );
    expect(
      idsOf(discardsOf(target(answered, 'pending', 'delivered', 'unknown', 'sending', 'dead'), false)),
    ).toEqual([...['o0', 'o2', 'o3']]);
    expect(idsOf(discardsOf(target(answered, 'dead'), false))).toBe(
      'it has settled as answered, and what was said to it is not sent any more already',
    );
  });

  test('is not what a command line works on: its process is named, which alone can end it', () => {
    const worked = { ...target(message('started')), worker: { pid: 4711 } };
    expect(idsOf(discardsOf(worked, false))).toBe(
      'it is being worked on by pid 4711, a `sluice exec`: end it there',
    );
  });

  test('is one reply alone where one is named, also of a message that waits', () => {
    const named = { ...target(message('awaiting-resume'), 'pending'), isOneReply: true };
    expect(discardsOf(named, true)).toMatchObject({ settles: null, outbound: [{ id: 'o0' }] });
    expect(idsOf(discardsOf({ ...target(null, 'delivered'), isOneReply: true }, false))).toBe(
      'it has been delivered',
    );
  });

  test('waits on disk where no gateway has it in hand', () => {
    const phases: Phase[] = ['received', 'held', 'waiting', 'started', 'awaiting-resume', 'settled'];
    expect(phases.filter((phase) => waitsOnDisk(target(message(phase))))).toEqual([
      ...['held', 'waiting', 'awaiting-resume'],
    ]);
  });

  test.each<[OutboundState, boolean]>([
    ['pending', false],
    ['sending', true],
    ['unknown', true],
  ])(
    'a reply that is %s keeps that it may have arrived (%s), should it be sent after all',
    async (state, twice) => {
      const store = new MemoryStore();
      const row = outboundRow('o1', null);
      await store.commit([{ op: 'reply', outbound: row }]);
      if (state !== 'pending') await store.commit([{ op: 'sending', id: 'o1', life: 1, at: 1 }]);
      if (state === 'unknown')
        await store.commit([{ op: 'outbound.end', id: 'o1', at: 2, state: 'unknown', error: 'cut' }]);
      await store.commit(endingUnit({ ...replyIn(state), ...row }, 'unwanted', 3));
      expect(await store.outbound('o1')).toMatchObject({
        state: 'dead',
        error: 'unwanted',
        possibleDuplicate: twice,
      });
    },
  );
});

describe('a gateway that runs', () => {
  const drained = async () => {
    const core = await startCore();
    core.gateway.requests.ask({ intent: 'drain', cause: 'drain', actor: 'local:owner' });
    const receipt = await core.receive('later', { whenBusy: 'queue' });
    return { ...core, receipt, thing: { is: 'message', id: receipt.messageId } as const };
  };

  test('does not take up a held message that was given up in the same moment as its drain ends', async () => {
    const { gateway, receipt, thing, agent } = await drained();
    const discarding = gateway.interventions.discard(thing, 'local:owner', null);
    await Promise.resolve();
    gateway.requests.ask({ intent: 'cancel-drain', cause: 'drain', actor: 'local:owner' });
    const done = await discarding;
    await settled();
    // Whoever came first has it: it is answered or discarded, never both.
    if ('nothing' in done) expect(agent.asked).toEqual(['later']);
    else {
      expect(agent.asked).toEqual([]);
      expect(await receipt.settled).toMatchObject({ outcome: 'discarded', reason: 'by local:owner' });
    }
    expect(gateway.status.held).toBe(0);
  });

  test('gives nothing up while its store cannot be written: it would be answered after the next start', async () => {
    const { gateway, store, thing } = await drained();
    store.fail();
    await expect(gateway.interventions.discard(thing, 'local:owner', null)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    expect(gateway.status.held).toBe(1);
  });

  test('keeps what it could not give up because the write failed, and answers it once its drain ends', async () => {
    const { gateway, store, thing, agent } = await drained();
    store.beforeCommit = () => {
      throw new SluiceError('STORE_UNAVAILABLE', 'database is locked');
    };
    await expect(gateway.interventions.discard(thing, 'local:owner', null)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    expect(gateway.status.held).toBe(1);
    expect(await store.message(thing.id)).toMatchObject({ phase: 'held', outcome: null });
    store.beforeCommit = () => {};
    gateway.requests.ask({ intent: 'cancel-drain', cause: 'drain', actor: 'local:owner' });
    await settled();
    expect(agent.asked).toEqual(['later']);
  });

  test('says that a message is not kept any longer whose rows have gone', async () => {
    const { gateway } = await drained();
    const gone = { is: 'message', id: 'm_gone' } as const;
    const nothing = { nothing: 'it is not kept any longer' };
    expect(await gateway.interventions.retry(gone, 'local:owner')).toEqual(nothing);
    expect(await gateway.interventions.discard(gone, 'local:owner', null)).toEqual(nothing);
  });
});

test('a reply that had become too old is as young as a new one to the start after it was asked for', async () => {
  const store = new MemoryStore();
  const earlier = new Outbox(store);
  const id = await earlier.send('chat:a', 'the answer');
  await settled();
  await store.commit([{ op: 'reply', outbound: outboundRow('o_old', null, { ...CHAT, createdAt: 1_000 }) }]);
  const dead = { op: 'outbound.end', id: 'o_old', at: 2_000, state: 'dead', error: 'too old' } as const;
  await store.commit([dead]);
  expect(await earlier.row(id)).toMatchObject({ state: 'delivered' });

  const next = new Outbox(store);
  await store.commit([{ op: 'outbound.retry', id: 'o_old', at: next.clock.wallMs() - 1 }]);
  next.delivery.deliver(await next.row('o_old'), true);
  await settled();
  expect(next.platform.texts).toEqual(['late']);
  expect(await next.row('o_old')).toMatchObject({ state: 'delivered', nextAt: null });
});

const CHAT = { platform: 'chat', conversation: 'chat:a', text: 'late' };

test('a reply that was to be given up while the write of it failed is sent like any other', async () => {
  const outbox = new Outbox();
  outbox.platform.answers('chat:a', 'not-sent');
  const id = await outbox.send('chat:a', 'the answer');
  await settled();
  outbox.store.beforeCommit = () => {
    throw new SluiceError('STORE_UNAVAILABLE', 'database is locked');
  };
  await expect(outbox.delivery.discard(id, 'local:owner')).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
  });
  outbox.store.beforeCommit = () => {};
  await outbox.clock.advance(1_000);
  expect(outbox.platform.texts).toEqual(['the answer', 'the answer']);
  expect(await outbox.row(id)).toMatchObject({ state: 'delivered' });
});

test('a reply that is given up is dead on disk before anybody is told, and nothing of it is sent meanwhile', async () => {
  const outbox = new Outbox();
  outbox.platform.answers('chat:a', 'not-sent');
  const id = await outbox.send('chat:a', 'the answer');
  await settled();
  const discarding = outbox.delivery.discard(id, 'local:owner');
  outbox.delivery.linkUp('chat');
  expect(await discarding).toBe('discarded');
  expect(await outbox.row(id)).toMatchObject({ state: 'dead', error: 'discarded by local:owner' });
  await outbox.clock.advance(60_000);
  expect(outbox.platform.texts).toEqual(['the answer']);
});

test('a reply that is sent after all says no longer that it was given up', async () => {
  const store = new MemoryStore();
  await store.commit([{ op: 'reply', outbound: outboundRow('o1', null) }]);
  await store.commit([
    { op: 'outbound.end', id: 'o1', at: 1, state: 'dead', error: 'discarded by local:owner' },
  ]);
  await store.commit([{ op: 'outbound.retry', id: 'o1', at: 2 }]);
  expect(await store.outbound('o1')).toMatchObject({ state: 'pending', error: null });
});
