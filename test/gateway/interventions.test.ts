/** What a person changes about a message afterwards: decided from its rows, and carried out by a gateway that runs. */
import { describe, expect, test } from 'vitest';
import { SluiceError } from '../../src/errors.ts';
import {
  discardsOf,
  endingUnit,
  retriesOf,
  type Target,
  targetOf,
  waitsOnDisk,
} from '../../src/gateway/intervention-plan.ts';
import type { OutboundState, Phase, StoredMessage, StoredOutbound } from '../../src/store/records.ts';
import { cliStart, daemonStart, messageRow, outboundRow, receive } from '../store/sample-rows.ts';
import { settled } from '../support/fake-clock.ts';
import { answer, bootCore, NOTHING_RECOVERED, startCore } from '../support/gateway-core.ts';
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
  ...{ isOneReply: false, hand: { is: 'gateway' } },
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
    const worked: Target = { ...target(message('started')), hand: { is: 'exec', pid: 4711 } };
    expect(idsOf(discardsOf(worked, false))).toBe(
      'it is being worked on by pid 4711, a `sluice exec`: end it there',
    );
  });

  test.each<[Phase, string]>([
    ['started', 'it was being worked on when its gateway went down: the next start recovers it'],
    ['received', 'it had not begun when its gateway went down: the next start recovers it'],
  ])('is not what a dead gateway left %s: its end is the recovery’s', (phase, text) => {
    const left: Target = {
      ...target(message(phase)),
      hand: { is: 'nobody', died: 'gateway', recoveredBy: 'next-start' },
    };
    expect(idsOf(discardsOf(left, false))).toBe(text);
    expect(idsOf(retriesOf(left, false))).toBe(text);
  });

  test('is not what a gateway that starts has not recovered yet, nor what a killed `sluice exec` left', () => {
    const left: Target = {
      ...target(message('started')),
      hand: { is: 'nobody', died: 'gateway', recoveredBy: 'this-gateway' },
    };
    expect(idsOf(discardsOf(left, false))).toBe(
      'it was being worked on when its gateway went down, and is about to be recovered: ask again in a moment',
    );
    const byExec: Target = {
      ...target(message('started')),
      hand: { is: 'nobody', died: 'exec', recoveredBy: 'next-start' },
    };
    expect(idsOf(discardsOf(byExec, false))).toBe(
      'it was being worked on when its `sluice exec` died: the next start recovers it',
    );
  });

  test.each<[Phase, string]>([
    ['started', 'it was being worked on when its gateway went down'],
    ['received', 'it had not begun when its gateway went down'],
    ['held', 'it is held, and has no reply yet'],
    ['waiting', 'it waits for its turn'],
  ])(
    'is not what is %s and is recovered once the store can be written, which may take long',
    (phase, how) => {
      const left: Target = {
        ...target(message(phase)),
        hand: { is: 'nobody', died: 'gateway', recoveredBy: 'this-gateway-late' },
      };
      expect(idsOf(discardsOf(left, false))).toBe(`${how}: it is recovered when the store can be written`);
    },
  );

  test('is not what a start without a store has not found yet: nobody is told that it takes a moment', async () => {
    const store = new MemoryStore();
    const { id: life } = await store.begin(daemonStart);
    await store.commit([receive('m1', { phase: 'started', life })]);
    const { gateway } = bootCore('', { store });
    const thing = { is: 'message', id: 'm1' } as const;
    const ask = () => gateway.interventions.discard(thing, 'local:owner', null);
    gateway.begin({ ...daemonStart, id: 0, epoch: 2 });
    gateway.recoveryIsLate();
    const late = {
      nothing:
        'it was being worked on when its gateway went down: it is recovered when the store can be written',
    };
    expect(await ask()).toEqual(late);
    gateway.begin(await store.begin(daemonStart));
    expect(await ask()).toEqual(late);
    gateway.resume(NOTHING_RECOVERED, null);
    expect(await ask()).toEqual({
      nothing: expect.stringContaining('about to be recovered: ask again in a moment'),
    });
  });

  test.each<Phase>(['held', 'waiting', 'awaiting-resume'])(
    'is not what is %s on disk and just being taken up or given up: a moment later it is known how it stands',
    (phase) => {
      expect(idsOf(discardsOf(target(message(phase)), false))).toBe(
        'it is just being changed: ask again in a moment',
      );
    },
  );

  test.each([
    [
      'a gateway that runs it',
      { life: 1, isLiving: () => true, recoveredBy: 'this-gateway' },
      { is: 'gateway' },
    ],
    [
      'a gateway that has not recovered it',
      { life: 9, isLiving: () => true, recoveredBy: 'this-gateway' },
      { is: 'nobody', died: 'gateway', recoveredBy: 'this-gateway' },
    ],
    [
      'a command without a gateway',
      { life: null, isLiving: () => true, recoveredBy: 'next-start' },
      { is: 'nobody', died: 'gateway', recoveredBy: 'next-start' },
    ],
  ] as const)('says to %s who has it in hand', async (_, asker, hand) => {
    const store = new MemoryStore();
    await store.begin(daemonStart);
    await store.commit([receive('m1', { phase: 'started' })]);
    expect(await targetOf(store, { is: 'message', id: 'm1' }, asker)).toMatchObject({ hand });
  });

  test.each([
    ['lives', true, { is: 'exec', pid: 4712 }],
    ['was killed', false, { is: 'nobody', died: 'exec', recoveredBy: 'next-start' }],
  ])('says that a `sluice exec` has it which %s', async (_, lives, hand) => {
    const store = new MemoryStore();
    const { id: life } = await store.begin(cliStart);
    // Another process asks: a store leaves out the life that it was opened for.
    await store.begin(daemonStart);
    await store.commit([receive('m1', { phase: 'started', life, epoch: null })]);
    const asker = { life: null, isLiving: () => lives, recoveredBy: 'next-start' } as const;
    expect(await targetOf(store, { is: 'message', id: 'm1' }, asker)).toMatchObject({ hand });
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

describe('a message whose turn waits behind another of its conversation', () => {
  /** A turn runs, and two more of its conversation have not begun. */
  async function queued() {
    const core = await startCore('display: { busy_input_mode: queue }');
    await core.receive('first');
    const behind = await core.receive('behind');
    const behind2 = await core.receive('behind2');
    await settled();
    expect(core.gateway.status).toMatchObject({ inFlight: { turns: [{}] }, waiting: 2 });
    const thing = { is: 'message', id: behind.messageId } as const;
    return { ...core, behind, behind2, thing };
  }

  /** The commit that discards a message fails, and not before what this gives is called. */
  function refusedOnceTold(store: Awaited<ReturnType<typeof queued>>['store']): () => void {
    const { promise: mayCommit, resolve: commit } = Promise.withResolvers<void>();
    const write = store.commit.bind(store);
    store.commit = async (unit) => {
      if (!unit.some((one) => one.op === 'settle' && one.outcome === 'discarded')) return write(unit);
      await mayCommit;
      throw new SluiceError('STORE_UNAVAILABLE', 'database is locked');
    };
    return commit;
  }

  test('is given up: its sender is told, the others go on in order, and nothing waits for it', async () => {
    const core = await queued();
    const { gateway, store, agent, behind, behind2, thing } = core;
    expect(await gateway.interventions.discard(thing, 'local:owner', 'no need')).toMatchObject({
      messageId: behind.messageId,
      outcome: 'discarded',
    });
    expect(await behind.settled).toMatchObject({
      outcome: 'discarded',
      reason: 'by local:owner: no need',
      replies: [
        'Not answered: "behind" was discarded by local:owner (no need). Send it again if it is still wanted.',
      ],
    });
    expect(await store.message(behind.messageId)).toMatchObject({ phase: 'settled', outcome: 'discarded' });
    expect(gateway.status.waiting).toBe(1);
    await answer(core, 0);
    expect(agent.asked).toEqual(['first', 'behind2']);
    await answer(core, 1);
    expect(await behind2.settled).toMatchObject({ outcome: 'answered' });
    gateway.requests.ask({ intent: 'stop', cause: 'stop', actor: 'local:owner' });
    expect(await gateway.exited).toMatchObject({ code: 0, cause: 'stop' });
  });

  test('is no work any more: a drain does not wait for it', async () => {
    const core = await queued();
    const { gateway, thing, behind2 } = core;
    await gateway.interventions.discard(thing, 'local:owner', null);
    const other = { is: 'message', id: behind2.messageId } as const;
    await gateway.interventions.discard(other, 'local:owner', null);
    expect(gateway.lifecycle.view.turns).toBe(1);
    gateway.requests.ask({ intent: 'drain', cause: 'drain', actor: 'local:owner' });
    await answer(core, 0);
    expect(gateway.status).toMatchObject({ state: 'draining.drained', held: 0 });
  });

  test('that could not be given up because the write failed is answered in its order', async () => {
    const core = await queued();
    const { gateway, store, agent, thing } = core;
    store.beforeCommit = () => {
      throw new SluiceError('STORE_UNAVAILABLE', 'database is locked');
    };
    await expect(gateway.interventions.discard(thing, 'local:owner', null)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    store.beforeCommit = () => {};
    await answer(core, 0);
    await answer(core, 1);
    expect(agent.asked).toEqual(['first', 'behind', 'behind2']);
  });

  test('does not begin while it is being given up, and nothing overtakes it', async () => {
    const core = await queued();
    const { gateway, store, agent, thing } = core;
    const commit = refusedOnceTold(store);
    const discarding = gateway.interventions.discard(thing, 'local:owner', null);
    await settled();
    await answer(core, 0);
    expect(agent.asked).toEqual(['first']);
    commit();
    await expect(discarding).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await settled();
    expect(agent.asked).toEqual(['first', 'behind']);
  });

  test('becomes held like the others when a drain begins while it could not be given up', async () => {
    const core = await queued();
    const { gateway, store, agent, thing } = core;
    const commit = refusedOnceTold(store);
    const discarding = gateway.interventions.discard(thing, 'local:owner', null);
    await settled();
    gateway.requests.ask({ intent: 'drain', cause: 'drain', actor: 'local:owner' });
    await settled();
    expect(gateway.status).toMatchObject({ held: 1, waiting: 1 });
    commit();
    await expect(discarding).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await settled();
    expect(gateway.status).toMatchObject({ held: 2, waiting: 0 });
    await answer(core, 0);
    expect(gateway.status.state).toBe('draining.drained');
    gateway.requests.ask({ intent: 'cancel-drain', cause: 'drain', actor: 'local:owner' });
    await settled();
    await answer(core, 1);
    expect(agent.asked).toEqual(['first', 'behind', 'behind2']);
  });
});

describe('a message that a drain is just holding, and that somebody gives up meanwhile', () => {
  /** A turn runs, one waits behind it, and the commits that these belong to wait until they may. */
  async function holding(slow: 'held' | 'both') {
    const core = await startCore('display: { busy_input_mode: queue }');
    await core.receive('first');
    const behind = await core.receive('behind');
    await settled();
    const { promise: mayCommit, resolve: commit } = Promise.withResolvers<void>();
    const write = core.store.commit.bind(core.store);
    core.store.commit = async (unit) => {
      if (slow === 'both' || unit.some((one) => one.op === 'phase' && one.phase === 'held')) await mayCommit;
      return write(unit);
    };
    return { ...core, behind, commit, thing: { is: 'message', id: behind.messageId } as const };
  }

  const restart = { intent: 'restart', cause: 'restart', actor: 'local:owner' } as const;
  const drain = { intent: 'drain', cause: 'drain', actor: 'local:owner' } as const;

  test('is no work any more where its end is on disk first', async () => {
    const core = await holding('held');
    const { gateway, thing, commit } = core;
    gateway.requests.ask(restart);
    await settled();
    expect(await gateway.interventions.discard(thing, 'local:owner', null)).toMatchObject({
      outcome: 'discarded',
    });
    commit();
    await settled();
    await answer(core, 0);
    expect(gateway.lifecycle.view.turns).toBe(0);
    expect(await gateway.exited).toMatchObject({ cause: 'restart' });
  });

  test('is no work any more where it was written as held first', async () => {
    const core = await holding('both');
    const { gateway, thing, behind, commit } = core;
    const discarding = gateway.interventions.discard(thing, 'local:owner', null);
    gateway.requests.ask(drain);
    await settled();
    commit();
    expect(await discarding).toMatchObject({ outcome: 'discarded' });
    await settled();
    await answer(core, 0);
    expect(gateway.status).toMatchObject({ state: 'draining.drained', held: 0 });
    expect(await behind.settled).toMatchObject({ outcome: 'discarded' });
  });

  test.each(['before', 'after'])(
    'is held all the same, and no work, where it could not be given up, known %s it is written as held',
    async (when) => {
      const core = await holding('held');
      const { gateway, store, thing, agent, commit } = core;
      const { promise: mayFail, resolve: fail } = Promise.withResolvers<void>();
      const write = store.commit.bind(store);
      store.commit = async (unit) => {
        if (!unit.some((one) => one.op === 'settle' && one.outcome === 'discarded')) return write(unit);
        await mayFail;
        throw new SluiceError('STORE_UNAVAILABLE', 'database is locked');
      };
      gateway.requests.ask(drain);
      await settled();
      const discarding = gateway.interventions.discard(thing, 'local:owner', null);
      const refused = expect(discarding).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await settled();
      for (const end of when === 'before' ? [fail, commit] : [commit, fail]) {
        end();
        await settled();
      }
      await refused;
      await answer(core, 0);
      expect(gateway.status).toMatchObject({ state: 'draining.drained', held: 1 });
      gateway.requests.ask({ ...drain, intent: 'cancel-drain' });
      await settled();
      expect(agent.asked).toEqual(['first', 'behind']);
    },
  );

  test('is no work any more where the start of its turn could not be written', async () => {
    const core = await holding('held');
    const { gateway, store, agent, thing, commit } = core;
    const write = store.commit.bind(store);
    let isFailing = true;
    store.commit = async (unit) => {
      if (isFailing && unit.some(({ op }) => op === 'turn.start'))
        throw new SluiceError('STORE_UNAVAILABLE', 'database is locked');
      return write(unit);
    };
    await answer(core, 0);
    isFailing = false;
    expect(await gateway.interventions.discard(thing, 'local:owner', null)).toMatchObject({
      outcome: 'discarded',
    });
    commit();
    await settled();
    expect(gateway.lifecycle.view.turns).toBe(0);
    expect(agent.asked).toEqual(['first']);
  });
});

test('a message that is given up in one batch with what was said before it is told of after that', async () => {
  const core = await startCore(
    `access: { owners: ['chat:ann'] }\ndisplay: { busy_input_mode: queue }\nquick_commands: { up: { type: exec, command: uptime } }`,
  );
  const { gateway, store, processes, chat } = core;
  const ann = { platform: 'chat', conversation: 'chat:c', sender: 'chat:ann' } as const;
  await core.receive('first', ann);
  const { messageId: id } = await core.receive('behind', ann);
  await core.receive('/up', ann);
  await settled();
  const { promise: batch, resolve: commit } = Promise.withResolvers<void>();
  const write = store.commit.bind(store);
  store.commit = async (unit) => {
    await batch;
    return write(unit);
  };
  processes.started[0]?.finish({ stdout: 'up 3 days' });
  await settled();
  const discarding = gateway.interventions.discard({ is: 'message', id }, 'local:owner', null);
  await settled();
  commit();
  await discarding;
  await settled();
  expect(chat.sent).toEqual([
    expect.stringContaining('up 3 days'),
    expect.stringMatching(/^Not answered: "behind" was discarded/),
  ]);
});

test('a message that somebody gives up just now is given up by nobody else, and a restart does not keep it', async () => {
  const core = await startCore('display: { busy_input_mode: queue }');
  await core.receive('first');
  const { messageId: id } = await core.receive('behind');
  await settled();
  const { gateway, store } = core;
  const { promise: mayCommit, resolve: commit } = Promise.withResolvers<void>();
  const write = store.commit.bind(store);
  store.commit = async (unit) => {
    await mayCommit;
    return write(unit);
  };
  const discarding = gateway.interventions.discard({ is: 'message', id }, 'local:owner', null);
  await settled();
  expect(await gateway.interventions.discard({ is: 'message', id }, 'local:owner', null)).toEqual({
    nothing: 'it is just being changed: ask again in a moment',
  });
  const { text } = gateway.requests.ask({ intent: 'restart', cause: 'restart', actor: 'local:owner' });
  expect(text).not.toContain('kept');
  commit();
  expect(await discarding).toMatchObject({ outcome: 'discarded' });
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
