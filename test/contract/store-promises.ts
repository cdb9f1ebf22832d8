/** What any store must keep of what was promised: what a turn has said so far, replies, notices, and who crashed. */
import { expect, test } from 'vitest';
import type { Notice } from '../../src/store/records.ts';
import type { Store } from '../../src/store/store.ts';
import type { Write } from '../../src/store/write.ts';
import { outboundRow, receive, settle, turnRow } from '../store/sample-rows.ts';
import { type StoreGround, waiting } from './store-ground.ts';

/** Declares the tests, as `storeContract` does. */
export function storePromises(prepare: () => Promise<StoreGround>): void {
  progress(prepare);
  outbox(prepare);
  sessions(prepare);
  notices(prepare);
}

function progress(prepare: () => Promise<StoreGround>): void {
  const begun = (id: string, messages: string[]): Write => ({
    op: 'turn.start',
    turn: turnRow(id, { effects: false }),
    messages,
  });
  const end = { op: 'turn.end', at: 1_900, reason: 'gateway-died', outcome: 'interrupted' } as const;
  const said = async (store: Store) =>
    (await store.history('local:cli', 'none', 10)).map(({ answer }) => answer);

  test('what a turn has streamed is known while it runs, to whoever recovers it, and is no history yet', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    await store.commit([receive('m1'), begun('t1', ['m1'])]);
    await store.commit([{ op: 'turn.progress', id: 't1', streamed: 'one' }]);
    await store.commit([{ op: 'turn.progress', id: 't1', streamed: 'one two' }]);
    const [turn] = (await (await ground.open()).openWork([])).turns;
    expect(turn).toEqual({
      ...turnRow('t1', { effects: false }),
      ...{ messageIds: ['m1'], attempt: 1, streamed: 'one two' },
    });
    expect(await said(store)).toEqual([]);
  });

  test('a turn that ends without saying what it streamed keeps what was known of it', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    await store.commit([receive('m1'), begun('t1', ['m1'])]);
    await store.commit([{ op: 'turn.progress', id: 't1', streamed: 'one two' }]);
    await store.commit([{ ...end, id: 't1' }]);
    expect(await said(store)).toEqual(['one two']);
    await store.commit([{ op: 'turn.progress', id: 't1', streamed: 'too late' }]);
    await store.commit([{ ...end, id: 't1', streamed: 'later still' }]);
    expect(await said(store)).toEqual(['one two']);
  });

  test('a turn that ends with a text of its own has said that, also when it is none', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    for (const [id, streamed] of [
      ['1', 'all of it'],
      ['2', ''],
    ] as const) {
      await store.commit([receive(id), begun(`t${id}`, [id])]);
      await store.commit([{ op: 'turn.progress', id: `t${id}`, streamed: 'a part' }]);
      await store.commit([{ ...end, id: `t${id}`, outcome: 'answered', streamed }]);
    }
    expect(await said(store)).toEqual(['all of it']);
  });

  test('each turn of a message counts one attempt more, whatever else it answers', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    await store.commit([receive('m1'), receive('m2')]);
    const attempts: number[] = [];
    for (const [id, messages] of [
      ['t1', ['m1']],
      ['t2', ['m1', 'm2']],
      ['t3', ['m1']],
      ['t4', ['m2']],
    ] as const) {
      await store.commit([begun(id, [...messages])]);
      const open = (await store.openWork([])).turns.find((turn) => turn.id === id);
      attempts.push(open?.attempt ?? 0);
      await store.commit([{ ...end, id }]);
    }
    expect(attempts).toEqual([1, 2, 3, 2]);
  });

  test('turns that begin in the unit that receives their messages count from one, each message for itself', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    await store.commit([receive('m1'), begun('t1', ['m1']), begun('t2', ['m1'])]);
    await store.commit([receive('m2'), begun('t3', ['m1', 'm2']), begun('t4', ['m2'])]);
    const { turns } = await store.openWork([]);
    expect(turns.map(({ id, attempt }) => [id, attempt])).toEqual([
      ['t1', 1],
      ['t2', 2],
      ['t3', 3],
      ['t4', 2],
    ]);
  });

  test('messages that await a word are found by their conversation, in order, until they go on', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    const awaiting = (id: string): Write => ({
      op: 'phase',
      id,
      phase: 'awaiting-resume',
      reason: 'interrupted',
    });
    await store.commit([receive('m3'), receive('m1'), receive('m2'), receive('m4')]);
    await store.commit([receive('elsewhere', { conversation: 'local:b' })]);
    await store.commit(['m1', 'm2', 'm3', 'elsewhere'].map(awaiting));
    const ids = async () => (await store.awaitingResume('local:cli')).map(({ id }) => id);
    expect(await ids()).toEqual(['m3', 'm1', 'm2']);
    expect((await store.awaitingResume('local:b'))[0]).toMatchObject({
      ...{ id: 'elsewhere', phase: 'awaiting-resume', reason: 'interrupted', outcome: null },
    });
    await store.commit([
      { op: 'adopt', id: 'm3', phase: 'held', life: 2 },
      settle('m2', 'discarded'),
      { op: 'adopt', id: 'm1', phase: 'awaiting-resume', life: 2 },
    ]);
    expect(await ids()).toEqual(['m1']);
  });
}

function outbox(prepare: () => Promise<StoreGround>): void {
  const sending = (at: number): Write => ({ op: 'sending', id: 'o1', life: 1, at });
  const withReply = async (ground: StoreGround): Promise<Store> => {
    const store = await ground.open();
    await store.commit([receive('m1'), { op: 'reply', outbound: outboundRow('o1', 'm1') }]);
    return store;
  };

  test('a reply waits until the time that was named, and is told with it', async () => {
    await using ground = await prepare();
    const store = await withReply(ground);
    expect(await store.outbound('o1')).toEqual(waiting(outboundRow('o1', 'm1')));
    expect(await store.outbound('o2')).toBeUndefined();
    await store.commit([sending(1_600)]);
    await store.commit([{ op: 'unsent', id: 'o1', at: 1_650, error: 'slow down', nextAt: 9_000 }]);
    const waits = { state: 'pending', attempts: 1, nextAt: 9_000, error: 'slow down' };
    expect(await store.outbound('o1')).toMatchObject(waits);
    // The wait is as long as from when it was named.
    expect((await store.openWork([])).outbound).toMatchObject([{ ...waits, claimedAt: 1_650 }]);
    await store.commit([sending(9_000)]);
    expect(await store.outbound('o1')).toMatchObject({ state: 'sending', attempts: 2, nextAt: null });
    await store.commit([{ op: 'unsent', id: 'o1', at: 9_100, error: 'again' }]);
    expect(await store.outbound('o1')).toMatchObject({ state: 'pending', nextAt: null, error: 'again' });
    await store.commit([sending(9_200)]);
    await store.commit([{ op: 'sent', id: 'o1', at: 9_300, platformSentId: '77' }]);
    expect(await store.outbound('o1')).toMatchObject({
      ...{ state: 'delivered', attempts: 3, nextAt: null, error: null, possibleDuplicate: false },
    });
  });

  test('a claim that was not tried after all is no attempt, and one that is kept back says why', async () => {
    await using ground = await prepare();
    const store = await withReply(ground);
    await store.commit([{ op: 'unsent', id: 'o1', at: 1_550, error: 'no link' }]);
    expect(await store.outbound('o1')).toMatchObject({ state: 'pending', attempts: 0, error: 'no link' });
    await store.commit([sending(1_600)]);
    await store.commit([{ op: 'unsent', id: 'o1', at: 1_650, error: 'slow down', deferred: true }]);
    expect(await store.outbound('o1')).toMatchObject({ state: 'pending', attempts: 0, error: 'slow down' });
    await store.commit([sending(1_700)]);
    await store.commit([{ op: 'unsent', id: 'o1', at: 1_750, error: 'refused' }]);
    expect(await store.outbound('o1')).toMatchObject({ attempts: 1, possibleDuplicate: false });
  });

  test('the parts of a text keep their numbers and their order', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    const parts = [0, 1, 2].map((part) => outboundRow(`o${9 - part}`, 'm1', { part }));
    await store.commit([receive('m1'), ...parts.map((outbound): Write => ({ op: 'reply', outbound }))]);
    const stored = await store.replies('m1');
    expect(stored.map(({ id, part = 0 }) => [id, part])).toEqual([
      ['o9', 0],
      ['o8', 1],
      ['o7', 2],
    ]);
  });

  test.each([
    ['sending', undefined, true],
    ['unknown', 'unknown', true],
    ['known not to have arrived', 'unsent', false],
  ] as const)(
    'one that was %s and is sent again may be a duplicate: %s, %s',
    async (_, between, isMarked) => {
      await using ground = await prepare();
      const store = await withReply(ground);
      await store.commit([sending(1_600)]);
      const error = 'cut off';
      if (between !== undefined)
        await store.commit([{ op: 'outbound.end', id: 'o1', at: 1_650, state: 'unknown', error }]);
      if (between !== undefined)
        expect(await store.outbound('o1')).toMatchObject({ state: 'unknown', error });
      if (between === 'unsent') await store.commit([{ op: 'unsent', id: 'o1', at: 1_660, error }]);
      await store.commit([sending(1_700)]);
      expect(await store.outbound('o1')).toMatchObject({ attempts: 2, possibleDuplicate: isMarked });
    },
  );

  test('one that nobody knows of stays open, and arrives when its platform says so', async () => {
    await using ground = await prepare();
    const store = await withReply(ground);
    await store.commit([sending(1_600)]);
    await store.commit([{ op: 'outbound.end', id: 'o1', at: 1_650, state: 'unknown', error: 'cut off' }]);
    expect((await store.openWork([])).outbound).toMatchObject([{ id: 'o1', state: 'unknown' }]);
    await store.commit([{ op: 'sent', id: 'o1', at: 1_700 }]);
    expect(await store.outbound('o1')).toMatchObject({ state: 'delivered', error: null });
    expect((await store.openWork([])).outbound).toEqual([]);
  });

  test('one that was given up is left alone until a person asks for it, and keeps its attempts', async () => {
    await using ground = await prepare();
    const store = await withReply(ground);
    await store.commit([sending(1_600)]);
    await store.commit([{ op: 'outbound.end', id: 'o1', at: 1_650, state: 'dead', error: 'no such chat' }]);
    const dead = await store.outbound('o1');
    expect(dead).toMatchObject({ state: 'dead', attempts: 1, error: 'no such chat' });
    await store.commit([
      sending(1_700),
      { op: 'unsent', id: 'o1', at: 1_710, error: 'late' },
      { op: 'outbound.end', id: 'o1', at: 1_720, state: 'unknown', error: 'later' },
    ]);
    expect(await store.outbound('o1')).toEqual(dead);
    expect((await store.openWork([])).outbound).toEqual([]);
    await store.commit([{ op: 'outbound.retry', id: 'o1', at: 1_800 }]);
    // From then on it is as young as a new one, also to the next start.
    const again = { state: 'pending', attempts: 1, nextAt: 1_800, possibleDuplicate: false };
    expect((await store.openWork([])).outbound).toMatchObject([{ ...again, claimedAt: 1_800 }]);
  });

  test('asked for again, one that may have arrived says so; one that was delivered stays', async () => {
    await using ground = await prepare();
    const store = await withReply(ground);
    await store.commit([sending(1_600)]);
    await store.commit([{ op: 'outbound.end', id: 'o1', at: 1_650, state: 'unknown', error: 'cut off' }]);
    await store.commit([{ op: 'outbound.retry', id: 'o1', at: 1_700 }]);
    expect(await store.outbound('o1')).toMatchObject({ state: 'pending', possibleDuplicate: true });
    await store.commit([sending(1_800)]);
    await store.commit([{ op: 'sent', id: 'o1', at: 1_900 }]);
    const sent = await store.outbound('o1');
    await store.commit([{ op: 'outbound.retry', id: 'o1', at: 2_000 }]);
    await store.commit([{ op: 'outbound.end', id: 'o1', at: 2_000, state: 'dead', error: 'late' }]);
    expect(await store.outbound('o1')).toEqual(sent);
  });
}

function sessions(prepare: () => Promise<StoreGround>): void {
  test('a conversation counts the deaths it was in flight at, until it is calm', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    const write = (op: 'session.crashed' | 'session.quarantine' | 'session.calm', conversation: string) =>
      store.commit([{ op, conversation, at: 1_000 }]);
    expect(await store.crashedSessions()).toEqual([]);
    await store.commit([{ op: 'session.agent', conversation: 'local:a', agent: 'coder', at: 900 }]);
    await write('session.crashed', 'local:b');
    await write('session.crashed', 'local:a');
    await write('session.crashed', 'local:a');
    await write('session.calm', 'local:nobody');
    expect(await store.crashedSessions()).toEqual([
      { conversation: 'local:a', crashes: 2, quarantined: false },
      { conversation: 'local:b', crashes: 1, quarantined: false },
    ]);
    await write('session.calm', 'local:b');
    await write('session.quarantine', 'local:a');
    const later = await ground.open();
    const quarantined = { conversation: 'local:a', crashes: 2, quarantined: true };
    expect(await later.crashedSessions()).toEqual([quarantined]);
    await write('session.calm', 'local:a');
    expect(await later.crashedSessions()).toEqual([]);
    expect(await later.chosenAgent('local:a')).toBe('coder');
    await write('session.crashed', 'local:b');
    expect(await later.crashedSessions()).toEqual([
      { conversation: 'local:b', crashes: 1, quarantined: false },
    ]);
  });
}

function notices(prepare: () => Promise<StoreGround>): void {
  const notice = (more: Partial<Notice> = {}): Notice => ({
    ...{ incident: 'crash:7', platform: 'telegram', conversation: 'telegram:1', kind: 'back' },
    ...more,
  });

  test('an incident promises a destination each notice once, whatever became of it', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    const promise = (one: Notice, at: number) => store.commit([{ op: 'notice', notice: one, at }]);
    expect(await promise(notice(), 1_000)).toBe('committed');
    expect(await promise(notice(), 2_000)).toBe('committed');
    await store.commit([{ op: 'notice.end', notice: notice(), state: 'sent' }]);
    await promise(notice(), 3_000);
    await store.commit([{ op: 'notice.end', notice: notice(), state: 'given-up' }]);
    expect(await store.noticesOf('crash:7')).toEqual([{ ...notice(), state: 'sent', createdAt: 1_000 }]);
    expect(await store.pendingNotices(10)).toEqual([]);
  });

  test('the other kind, destination or incident is another notice', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    const all = [
      notice(),
      notice({ kind: 'down' }),
      notice({ conversation: 'telegram:2' }),
      notice({ platform: 'slack' }),
      notice({ incident: 'crash:8' }),
    ];
    await store.commit(all.map((each): Write => ({ op: 'notice', notice: each, at: 1_000 })));
    expect(await store.noticesOf('crash:7')).toHaveLength(4);
    expect(await store.noticesOf('crash:8')).toEqual([
      { ...notice({ incident: 'crash:8' }), state: 'pending', createdAt: 1_000 },
    ]);
  });

  test('those that are not kept yet come oldest first, so many at most, after a reopen too', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    const to = (conversation: string) => notice({ conversation });
    for (const [conversation, at] of [
      ['c', 1_000],
      ['a', 2_000],
      ['b', 3_000],
    ] as const)
      await store.commit([{ op: 'notice', notice: to(conversation), at }]);
    await store.commit([{ op: 'notice.end', notice: to('a'), state: 'given-up' }]);
    await store.close();
    const again = await ground.open();
    const pending = async (max: number) =>
      (await again.pendingNotices(max)).map(({ conversation }) => conversation);
    expect(await pending(10)).toEqual(['c', 'b']);
    expect(await pending(1)).toEqual(['c']);
  });
}
