/**
 * What any store must do, whatever stands behind it. Called by the test of each implementation with a way
 * to open one on fresh ground.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSluiceError } from '../../src/errors.ts';
import type { Outcome } from '../../src/store/records.ts';
import type { Write } from '../../src/store/write.ts';
import {
  cliStart,
  commandRow,
  daemonStart,
  messageRow,
  outboundRow,
  receive,
  settle,
  turnRow,
} from '../store/sample-rows.ts';
import { type StoreGround, waiting } from './store-ground.ts';
import { storePromises } from './store-promises.ts';
import { storeUpkeep } from './store-upkeep.ts';

/** Declares the tests. `prepare` gives empty ground for one store; disposing of it closes what it opened. */
export function storeContract(prepare: () => Promise<StoreGround>): void {
  acceptance(prepare);
  outcomes(prepare);
  work(prepare);
  history(prepare);
  settledSince(prepare);
  lives(prepare);
  storePromises(prepare);
  storeUpkeep(prepare);
}

function acceptance(prepare: () => Promise<StoreGround>): void {
  test('a committed message is found by its id and by what its platform calls it, also after a reopen', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    expect(await store.commit([receive('m1', { reason: 'state', admission: 'hold', phase: 'held' })])).toBe(
      'committed',
    );
    await store.close();

    const again = await ground.open();
    const row = messageRow('m1', { reason: 'state', admission: 'hold', phase: 'held' });
    const expected = { ...row, outcome: null, settledAt: null, recorded: true };
    expect(await again.message('m1')).toEqual(expected);
    expect(await again.find('local', 'p-m1')).toEqual(expected);
    expect(await again.find('telegram', 'p-m1')).toBeUndefined();
    expect(await again.message('m2')).toBeUndefined();
  });

  test('a redelivered message is a duplicate, and nothing else of its unit is applied', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    await store.commit([receive('m1')]);
    const unit: Write[] = [
      receive('m2', { platformMessageId: 'p-m1' }),
      settle('m1', 'refused'),
      { op: 'reply', outbound: outboundRow('o1', 'm1') },
    ];
    expect(await store.commit(unit)).toBe('duplicate');
    expect(await store.commit([receive('m1')])).toBe('duplicate');
    expect(await store.message('m2')).toBeUndefined();
    expect((await store.message('m1'))?.outcome).toBeNull();
    expect(await store.replies('m1')).toEqual([]);
  });

  test('a duplicate later in its unit takes back what stood before it', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    await store.commit([receive('m1')]);
    const results = await Promise.all([
      store.commit([settle('m1'), receive('m2', { platformMessageId: 'p-m1' })]),
      store.commit([receive('m3')]),
    ]);
    expect(results).toEqual(['duplicate', 'committed']);
    expect((await store.message('m1'))?.outcome).toBeNull();
    expect(await store.message('m3')).toBeDefined();
  });

  test('the same message twice at the same moment: one is committed, the other a duplicate', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    const twice = ['m1', 'm2'].map((id) => store.commit([receive(id, { platformMessageId: 'p' })]));
    expect(await Promise.all(twice)).toEqual(['committed', 'duplicate']);
    expect((await store.find('local', 'p'))?.id).toBe('m1');
  });

  test('a unit that cannot be applied is refused whole, and its neighbours are committed', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    const broken = [receive('m2'), { op: 'reply', outbound: outboundRow('o1', 'nobody') }] as const;
    const [before, culprit, after] = await Promise.allSettled([
      store.commit([receive('m1')]),
      store.commit(broken),
      store.commit([receive('m3')]),
    ]);
    expect(before).toEqual({ status: 'fulfilled', value: 'committed' });
    expect(after).toEqual({ status: 'fulfilled', value: 'committed' });
    expect(culprit.status === 'rejected' && isSluiceError(culprit.reason, 'INTERNAL')).toBe(true);
    expect(await store.message('m2')).toBeUndefined();
    expect(await store.message('m3')).toBeDefined();
    expect(store.writable).toBe(true);
  });

  test('closing waits for what was handed in, and refuses what comes after', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    const handedIn = Array.from({ length: 600 }, (_, i) => store.commit([receive(`m${i}`)]));
    const closed = store.close();
    expect(store.close()).toBe(closed);
    await closed;
    expect(new Set(await Promise.all(handedIn))).toEqual(new Set(['committed']));
    await expect(store.commit([receive('late')])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(store.message('m1')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await store.probe()).toBe(false);
    const again = await ground.open();
    expect(await again.message('m599')).toBeDefined();
    expect(await again.message('late')).toBeUndefined();
  });
}

function outcomes(prepare: () => Promise<StoreGround>): void {
  test('a settled message keeps its first outcome, and nothing opens it again', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    await store.commit([receive('m1')]);
    await store.commit([{ ...settle('m1', 'failed'), reason: 'agent', recorded: false } as Write]);
    const first = await store.message('m1');
    expect(first).toMatchObject({
      phase: 'settled',
      outcome: 'failed',
      reason: 'agent',
      settledAt: 2_000,
      recorded: false,
    });
    await store.commit([settle('m1', 'answered')]);
    await store.commit([{ op: 'phase', id: 'm1', phase: 'held', reason: 'state' }]);
    await store.commit([{ op: 'adopt', id: 'm1', phase: 'held', life: 9 }]);
    expect(await store.message('m1')).toEqual(first);
  });

  test('why a message was held is not why it was answered', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    await store.commit([receive('m1')]);
    await store.commit([{ op: 'phase', id: 'm1', phase: 'held', reason: 'state' }]);
    expect(await store.message('m1')).toMatchObject({ phase: 'held', reason: 'state' });
    await store.commit([settle('m1')]);
    expect(await store.message('m1')).toMatchObject({ outcome: 'answered', reason: null });
  });

  test('whatever is written, a message has at most one outcome and never changes it', async () => {
    const id = fc.constantFrom('a', 'b', 'c');
    const outcome = fc.constantFrom<Outcome>('answered', 'failed', 'refused', 'interrupted');
    const write: fc.Arbitrary<Write> = fc.oneof(
      fc.tuple(id, id).map(([own, platform]) => receive(own, { platformMessageId: platform })),
      fc.tuple(id, outcome).map(([to, what]) => settle(to, what)),
      id.map((to): Write => ({ op: 'phase', id: to, phase: 'started' })),
      id.map((to): Write => ({ op: 'adopt', id: to, phase: 'held', life: 2 })),
    );
    const units = fc.array(fc.array(write, { minLength: 1, maxLength: 4 }), { maxLength: 12 });
    await using ground = await prepare();
    const store = await ground.open();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(units, async (batches) => {
        run += 1;
        const first = new Map<string, Outcome>();
        for (const unit of batches) {
          await store.commit(unit.map((w) => inRun(w, run))).catch(() => 'refused');
          for (const own of ['a', 'b', 'c']) {
            const found = await store.message(`${own}${run}`);
            const known = first.get(own);
            if (known !== undefined) expect(found?.outcome).toBe(known);
            else if (found?.outcome) first.set(own, found.outcome);
            if (found) expect(found.phase === 'settled').toBe(found.outcome !== null);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
}

/** The same write with ids of this run, so that one store serves all runs. */
function inRun(write: Write, run: number): Write {
  if (write.op === 'receive') {
    const { id, platformMessageId } = write.message;
    return receive(`${id}${run}`, { platformMessageId: `${platformMessageId}${run}` });
  }
  return 'id' in write ? ({ ...write, id: `${write.id}${run}` } as Write) : write;
}

function work(prepare: () => Promise<StoreGround>): void {
  test('open work is everything unfinished of lives that are gone, in order of arrival', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    await store.commit([receive('m9'), { op: 'turn.start', turn: turnRow('t1'), messages: ['m9'] }]);
    await store.commit([
      receive('m8', { kind: 'exec' }),
      { op: 'command.receive', command: commandRow('c1', 'm8') },
    ]);
    await store.commit([receive('m7', { life: 2 }), receive('m6', { life: 0 }), receive('m5')]);
    await store.commit([
      { op: 'phase', id: 'm9', phase: 'started' },
      { op: 'command.start', id: 'c1', at: 1_200 },
    ]);
    await store.commit([settle('m5'), { op: 'reply', outbound: outboundRow('o1', 'm5') }]);

    const open = await store.openWork([2]);
    expect(open.messages.map(({ id }) => id)).toEqual(['m9', 'm8', 'm6']);
    expect(open.turns).toEqual([{ ...turnRow('t1'), messageIds: ['m9'], attempt: 1, streamed: '' }]);
    expect(open.commands).toEqual([{ ...commandRow('c1', 'm8'), startedAt: 1_200 }]);
    expect(open.outbound).toEqual([{ ...waiting(outboundRow('o1', 'm5')), claimedAt: null }]);
    expect((await store.openWork([0, 1])).messages.map(({ id }) => id)).toEqual(['m7']);
  });

  test('what has ended is no open work, and keeps its first end', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    await store.commit([receive('m1'), receive('m2')]);
    await store.commit([{ op: 'turn.start', turn: turnRow('t1'), messages: ['m1', 'm2'] }]);
    await store.commit([{ op: 'command.receive', command: commandRow('c1', 'm2') }]);
    expect((await store.openWork([])).turns[0]?.messageIds).toEqual(['m1', 'm2']);
    await store.commit([
      { op: 'turn.end', id: 't1', at: 1_900, outcome: 'answered', reason: null, streamed: 'hi' },
      settle('m1'),
      settle('m2', 'merged'),
    ]);
    const end = { id: 'c1', outcome: 'ran', exitCode: 0, signal: null, output: 'ok' } as const;
    await store.commit([{ op: 'command.end', end: { ...end, at: 1_950, durationMs: 12.7 } }]);
    await store.commit([{ op: 'command.start', id: 'c1', at: 1_960 }]);
    await store.commit([{ op: 'command.end', end: { ...end, exitCode: 9, at: 1_970, durationMs: 1 } }]);
    expect(await store.exitCode('m2')).toBe(0);
    expect(await store.exitCode('m1')).toBeNull();
    expect(await store.openWork([])).toEqual({ messages: [], turns: [], commands: [], outbound: [] });
  });

  test('a life that ended cleanly leaves what it held as open as one that died', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    const gone = await store.begin(daemonStart);
    await store.commit([receive('m1', { life: gone.id, phase: 'held' })]);
    await store.commit([{ op: 'reply', outbound: outboundRow('o1', null, { life: gone.id }) }]);
    await store.commit([{ op: 'life.end', id: gone.id, at: 5_000, code: 0, cause: 'stop' }]);
    const next = await (await ground.open()).begin(daemonStart);
    expect(await store.openLives()).toEqual([next]);
    const open = await store.openWork([next.id]);
    expect(open.messages.map(({ id }) => id)).toEqual(['m1']);
    expect(open.outbound.map(({ id }) => id)).toEqual(['o1']);
  });

  test('a command that was received and not ended is taken over, once and by its id', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    await store.commit([receive('m1'), { op: 'command.receive', command: commandRow('c1', 'm1') }]);
    const again = commandRow('c1', 'm1', { life: 2, receivedAt: 9_000, name: 'other' });
    expect(await store.commit([{ op: 'command.receive', command: again }])).toBe('committed');
    expect((await store.openWork([2])).commands).toEqual([]);
    const takenOver = { ...commandRow('c1', 'm1'), life: 2, startedAt: null };
    expect((await store.openWork([1])).commands).toEqual([takenOver]);
    const end = { id: 'c1', outcome: 'ran', exitCode: 0, signal: null, output: '' } as const;
    await store.commit([{ op: 'command.end', end: { ...end, at: 1_950, durationMs: 1 } }]);
    const late = commandRow('c1', 'm1', { life: 3 });
    expect(await store.commit([{ op: 'command.receive', command: late }])).toBe('committed');
    expect((await store.openWork([])).commands).toEqual([]);
  });

  test('an adopted message belongs to the life that took it over', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    await store.commit([receive('m1')]);
    await store.commit([{ op: 'adopt', id: 'm1', phase: 'held', life: 2 }]);
    expect(await store.message('m1')).toMatchObject({ phase: 'held', life: 2 });
    expect((await store.openWork([2])).messages).toEqual([]);
    expect((await store.openWork([1])).messages).toHaveLength(1);
  });

  test('an outbound message is open until it was sent, and each try counts once', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    await store.commit([receive('m1'), { op: 'reply', outbound: outboundRow('o1', 'm1') }]);
    await store.commit([{ op: 'reply', outbound: outboundRow('o2', 'm1') }]);
    await store.commit([{ op: 'sending', id: 'o1', life: 1, at: 1_600 }]);
    expect((await store.replies('m1')).map(({ state }) => state)).toEqual(['sending', 'pending']);
    await store.commit([{ op: 'unsent', id: 'o1', at: 1_700, error: 'refused' }]);
    expect((await store.openWork([])).outbound[0]).toMatchObject({ id: 'o1', state: 'pending', attempts: 1 });
    await store.commit([{ op: 'sending', id: 'o1', life: 2, at: 1_800 }]);
    expect((await store.openWork([2])).outbound.map(({ id }) => id)).toEqual(['o2']);
    await store.commit([{ op: 'sent', id: 'o1', at: 1_900 }]);
    await store.commit([{ op: 'sending', id: 'o1', life: 2, at: 1_950 }]);
    expect((await store.replies('m1'))[0]).toMatchObject({
      state: 'delivered',
      attempts: 2,
      text: 'text of o1',
    });
    expect((await store.openWork([])).outbound.map(({ id }) => id)).toEqual(['o2']);
  });

  test('a reply that reached its reader with its own commit is delivered, and nobody tries to send it', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    const reply = { op: 'reply', outbound: outboundRow('o1', 'm1'), deliveredAt: 1_500 } as const;
    await store.commit([receive('m1'), reply]);
    expect(await store.replies('m1')).toMatchObject([{ id: 'o1', state: 'delivered', attempts: 0 }]);
    expect((await store.openWork([])).outbound).toEqual([]);
    await store.commit([{ op: 'sending', id: 'o1', life: 1, at: 1_600 }]);
    expect(await store.replies('m1')).toMatchObject([{ id: 'o1', state: 'delivered', attempts: 0 }]);
  });
}

function history(prepare: () => Promise<StoreGround>): void {
  /** A turn of its own for each text; what it says, and how it ends. */
  const turn = (id: string, conversation: string, streamed: string, usage?: string): Write[] => [
    receive(id, { conversation, text: `asked ${id}` }),
    { op: 'turn.start', turn: turnRow(`t-${id}`, { conversation }), messages: [id] },
    {
      op: 'turn.end',
      id: `t-${id}`,
      at: 2_000,
      outcome: streamed === '' ? 'failed' : 'answered',
      reason: null,
      streamed,
      ...(usage === undefined ? {} : { usage }),
    },
  ];
  const exchange = (id: string) => ({ texts: [`asked ${id}`], answer: `said ${id}` });

  test('what was said in a conversation is remembered in order, the last so many, after a reopen too', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    for (const id of ['1', '2', '3'])
      await store.commit(turn(id, 'local:a', `said ${id}`, '{"inputTokens":1}'));
    await store.commit(turn('other', 'local:b', 'said other'));
    expect(await store.history('local:a', 't-9', 10)).toEqual(['1', '2', '3'].map(exchange));
    expect(await store.history('local:a', 't-9', 2)).toEqual(['2', '3'].map(exchange));
    expect(await store.history('local:nobody', 't-9', 10)).toEqual([]);
    await store.close();
    expect(await (await ground.open()).history('local:b', 't-9', 10)).toEqual([exchange('other')]);
  });

  test('the agent chosen for a conversation is its last choice, also for who opens the store later', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    const choose = (conversation: string, agent: string | null) =>
      store.commit([{ op: 'session.agent', conversation, agent, at: 1_000 }]);
    expect(await store.chosenAgent('local:a')).toBeNull();
    await choose('local:a', 'coder');
    await choose('local:b', 'critic');
    await choose('local:a', 'critic');
    await choose('local:b', null);
    const later = await ground.open();
    expect([await later.chosenAgent('local:a'), await later.chosenAgent('local:b')]).toEqual([
      'critic',
      null,
    ]);
  });

  test('a turn that said nothing, one that runs and the one that asks are no part of what was said', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    await store.commit(turn('1', 'local:a', 'said 1'));
    await store.commit(turn('silent', 'local:a', ''));
    await store.commit(turn('2', 'local:a', 'said 2').slice(0, 2));
    expect(await store.history('local:a', 't-9', 10)).toEqual([exchange('1')]);
    expect(await store.history('local:a', 't-1', 10)).toEqual([]);
  });

  test('a turn that answers several messages was asked all of them, in their order', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    const [, , end] = turn('1', 'local:a', 'said both');
    const messages = ['1', '2'];
    await store.commit([
      ...messages.map((id) => receive(id, { conversation: 'local:a', text: `asked ${id}` })),
      { op: 'turn.start', turn: turnRow('t-1', { conversation: 'local:a' }), messages },
      ...(end === undefined ? [] : [end]),
    ]);
    expect(await store.history('local:a', 't-9', 10)).toEqual([
      { texts: ['asked 1', 'asked 2'], answer: 'said both' },
    ]);
  });
}

function settledSince(prepare: () => Promise<StoreGround>): void {
  test('the newest that settled in a conversation since a time are found, in the order in which they settled', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    const settledAt = (id: string, at: number, conversation = 'local:a') =>
      store.commit([
        receive(id, { conversation }),
        { op: 'settle', id, outcome: 'answered', reason: null, at },
      ]);
    await store.commit([receive('open', { conversation: 'local:a' })]);
    for (const [id, at] of [
      ['late', 300],
      ['early', 100],
      ['middle', 200],
      ['same', 200],
    ] as const)
      await settledAt(id, at);
    await settledAt('elsewhere', 250, 'local:b');
    const since = async (at: number, messagesMax: number, messageId = '') =>
      (await store.settledSince('local:a', { settledAt: at, messageId }, messagesMax)).map(({ id }) => id);
    expect(await since(0, 10)).toEqual(['early', 'middle', 'same', 'late']);
    expect(await since(200, 10)).toEqual(['middle', 'same', 'late']);
    expect(await since(0, 2)).toEqual(['same', 'late']);
    expect(await since(301, 10)).toEqual([]);
    expect(await since(200, 10, 'middle')).toEqual(['middle', 'same', 'late']);
    expect(await since(200, 10, 'same')).toEqual(['same', 'late']);
    expect(await since(200, 10, 'nobody knows it')).toEqual(['middle', 'same', 'late']);
    expect(await store.settledSince('local:b', { settledAt: 0, messageId: '' }, 10)).toMatchObject([
      { id: 'elsewhere', text: 'hello', outcome: 'answered', settledAt: 250 },
    ]);
  });
}

function lives(prepare: () => Promise<StoreGround>): void {
  test('epochs of daemons grow by one, above what the status file knows; a CLI has none', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    const first = await store.begin(daemonStart);
    expect(first).toMatchObject({ kind: 'daemon', epoch: 1, pid: 4711, startTime: '1000', bootId: 'boot-1' });
    const second = await (await ground.open()).begin({ ...daemonStart, epochAbove: 7 });
    expect(second.epoch).toBe(8);
    expect(second.id).not.toBe(first.id);
    expect((await (await ground.open()).begin(cliStart)).epoch).toBeNull();
    expect((await (await ground.open()).begin({ ...daemonStart, epochAbove: 3 })).epoch).toBe(9);
  });

  test('open lives are the others that have not ended', async () => {
    await using ground = await prepare();
    const [one, two, three] = [await ground.open(), await ground.open(), await ground.open()];
    const [a, b, c] = [
      await one.begin(daemonStart),
      await two.begin(daemonStart),
      await three.begin(cliStart),
    ];
    expect(await two.openLives()).toEqual([a, c]);
    await two.commit([{ op: 'life.end', id: a.id, at: 5_000, code: null, cause: 'died' }]);
    expect(await two.openLives()).toEqual([c]);
    expect(await three.openLives()).toEqual([b]);
  });

  test('the last exit is that of the daemon before, as it was first written', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    const first = await store.begin(daemonStart);
    expect(await store.lastExit(1)).toBeUndefined();
    expect(await store.lastExit(2)).toEqual({ code: null, cause: 'unknown', at: null });
    await store.commit([{ op: 'life.ready', id: first.id, at: 1_100 }]);
    await store.commit([{ op: 'life.end', id: first.id, at: 5_000, code: 75, cause: 'restart' }]);
    await store.commit([{ op: 'life.end', id: first.id, at: 6_000, code: null, cause: 'died' }]);
    expect(await store.lastExit(2)).toEqual({ code: 75, cause: 'restart', at: 5_000 });
  });

  test('deaths are daemons that died or failed since, newest first; planned ends and other lives are none', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    const ends: [typeof daemonStart, string, number][] = [
      [daemonStart, 'died', 1_000],
      [daemonStart, 'restart', 2_000],
      [daemonStart, 'fault', 3_000],
      [cliStart, 'died', 4_000],
      [daemonStart, 'SIGTERM', 5_000],
      [daemonStart, 'died', 6_000],
    ];
    const lives: number[] = [];
    for (const [start, cause, at] of ends) {
      const { id } = await store.begin(start);
      lives.push(id);
      await store.commit([{ op: 'life.end', id, at, code: null, cause }]);
    }
    await store.begin(daemonStart);
    const [first, , third, , , last] = lives;
    expect(await store.deaths(0)).toEqual([
      { life: last, at: 6_000 },
      { life: third, at: 3_000 },
      { life: first, at: 1_000 },
    ]);
    expect((await store.deaths(3_000)).map(({ at }) => at)).toEqual([6_000, 3_000]);
    expect(await store.deaths(6_001)).toEqual([]);
  });

  test('what is known of safe mode is what the last life that was in it says', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    expect(await store.safeMode()).toBeUndefined();
    const { id: first } = await store.begin(daemonStart);
    await store.commit([{ op: 'life.safe-mode', id: first, mode: 'on' }]);
    await store.commit([{ op: 'life.end', id: first, at: 5_000, code: null, cause: 'died' }]);
    const { id: second } = await store.begin(daemonStart);
    expect(await store.safeMode()).toEqual({ life: first, mode: 'on' });
    await store.commit([{ op: 'life.safe-mode', id: second, mode: 'on' }]);
    await store.commit([{ op: 'life.safe-mode', id: second, mode: 'left' }]);
    await store.begin(daemonStart);
    expect(await store.safeMode()).toEqual({ life: second, mode: 'left' });
  });
}
