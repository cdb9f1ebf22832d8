/** What the store tells of one message: found by either id, with everything that belongs to it, beside a gateway or alone. */
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readStore } from '../../src/store/database.ts';
import type { SqliteStore } from '../../src/store/sqlite.ts';
import type { Life, LifeStart } from '../../src/store/store.ts';
import type { Write } from '../../src/store/write.ts';
import { commandRow, daemonStart, outboundRow, receive, settle, turnRow } from './sample-rows.ts';
import { StoreHome } from './store-home.ts';

let home: StoreHome;
let store: SqliteStore;

beforeEach(async () => {
  home = new StoreHome();
  store = await home.open();
});

afterEach(() => home[Symbol.asyncDispose]());

const begin = (more: Partial<LifeStart> = {}): Promise<Life> => store.begin({ ...daemonStart, ...more });

/** A row of the journal; `naming` is the message that its event names. */
function journal(number: number, at: number, naming: string, more: { epoch?: number; type?: string } = {}) {
  const { epoch = 1, type = 'message.turn' } = more;
  const event = JSON.stringify({ type, id: naming });
  store.journal({ epoch, number, at, event, state: 'running.healthy', context: '{}' });
}

/** A commit takes the journal's rows along. */
const commit = (...unit: readonly Write[]) => store.commit(unit);

describe('the trail of a message', () => {
  test('has what worked on it, what it was answered, and the life that took it in', async () => {
    await begin();
    const end = {
      at: 1_900,
      outcome: 'failed',
      exitCode: 3,
      signal: null,
      durationMs: 640,
      output: '',
    } as const;
    const usage = '{"inputTokens":7,"outputTokens":2}';
    await commit(
      receive('m1'),
      { op: 'turn.start', turn: turnRow('t1'), messages: ['m1'] },
      { op: 'turn.end', id: 't1', at: 1_500, outcome: 'failed', reason: 'timeout', streamed: '', usage },
      { op: 'turn.start', turn: turnRow('t2'), messages: ['m1'] },
      { op: 'command.receive', command: commandRow('c1', 'm1') },
      { op: 'command.start', id: 'c1', at: 1_200 },
      { op: 'command.end', end: { ...end, id: 'c1' } },
      { op: 'reply', outbound: outboundRow('o1', 'm1') },
      { op: 'sending', id: 'o1', life: 1, at: 1_600 },
      { op: 'unsent', id: 'o1', at: 1_700, error: 'the network is gone' },
      settle('m1', 'failed'),
    );
    const trail = await store.trail('m1');
    expect(trail?.message).toMatchObject({
      id: 'm1',
      outcome: 'failed',
      rewrittenText: null,
      mergedInto: null,
    });
    expect(trail?.life).toEqual({
      ...{ id: 1, kind: 'daemon', epoch: 1, pid: 4711, version: '0.1.0', startedAt: 1_000, exit: null },
    });
    expect(trail?.turns).toMatchObject([
      {
        id: 't1',
        agent: 'default',
        attempt: 1,
        startedAt: 1_100,
        endedAt: 1_500,
        outcome: 'failed',
        reason: 'timeout',
        usage: { inputTokens: 7, outputTokens: 2 },
      },
      { id: 't2', endedAt: null, usage: null },
    ]);
    expect(trail?.commands).toMatchObject([
      {
        ...{ id: 'c1', name: 'gpu', actor: 'local:owner', argsHash: 'ab', startedAt: 1_200, endedAt: 1_900 },
        ...{ outcome: 'failed', exitCode: 3, signal: null, durationMs: 640 },
      },
    ]);
    expect(trail?.replies).toMatchObject([
      {
        id: 'o1',
        state: 'pending',
        attempts: 1,
        possibleDuplicate: false,
        deliveredAt: null,
        error: 'the network is gone',
      },
    ]);
  });

  test('names the life that received it, also once a later one has taken it up', async () => {
    await begin();
    await commit(receive('m1', { admission: 'hold', phase: 'held', epoch: 1 }));
    const next = await begin({ pid: 4712, startedAt: 5_000 });
    await commit({ op: 'adopt', id: 'm1', phase: 'waiting', life: next.id });
    expect((await store.trail('m1'))?.life).toMatchObject({ id: 1, epoch: 1, pid: 4711, startedAt: 1_000 });
  });

  test('names no life where the one that received it had no epoch and another has taken it up', async () => {
    const cli = await begin({ kind: 'cli' });
    await commit(receive('m1', { phase: 'received', epoch: null, life: cli.id }));
    expect((await store.trail('m1'))?.life).toMatchObject({ id: cli.id, kind: 'cli', epoch: null });
    const next = await begin({ pid: 4712 });
    await commit({ op: 'adopt', id: 'm1', phase: 'started', life: next.id });
    expect((await store.trail('m1'))?.life).toBeNull();
  });

  test('has no duration of a command that nobody saw end', async () => {
    await begin();
    const end = { id: 'c1', at: 1_900, outcome: 'interrupted', exitCode: null, signal: null } as const;
    await commit(
      receive('m1'),
      { op: 'command.receive', command: commandRow('c1', 'm1') },
      { op: 'command.end', end: { ...end, durationMs: null, output: '' } },
    );
    expect((await store.trail('m1'))?.commands).toMatchObject([{ endedAt: 1_900, durationMs: null }]);
  });

  test('is found by the id of any platform, and by none that nobody gave', async () => {
    await begin();
    await commit(receive('m1', { platform: 'aaa', platformMessageId: '55' }));
    await commit(receive('m2', { platform: 'zzz', platformMessageId: '66' }));
    expect((await store.trail('66'))?.message.id).toBe('m2');
    expect((await store.trail('55'))?.message.id).toBe('m1');
    expect(await store.trail('77')).toBeUndefined();
  });

  test('says that a reply may have come twice', async () => {
    await begin();
    await commit(
      receive('m1'),
      { op: 'reply', outbound: outboundRow('o1', 'm1') },
      { op: 'sending', id: 'o1', life: 1, at: 1_600 },
      { op: 'sending', id: 'o1', life: 1, at: 1_700 },
      { op: 'sent', id: 'o1', at: 1_800 },
    );
    expect((await store.trail('m1'))?.replies).toMatchObject([
      { state: 'delivered', attempts: 2, possibleDuplicate: true, deliveredAt: 1_800 },
    ]);
  });
});

describe('the journal around a message', () => {
  test('is found among thousands of rows, by time and by name', async () => {
    await begin();
    for (let number = 1; number <= 3000; number += 1)
      journal(number, number * 100, number === 1500 ? 'm1' : 'other');
    await commit(receive('m1', { receivedAt: 150_000 }));
    const trail = await store.trail('m1');
    expect(trail?.journal.map(({ number }) => number)).toEqual([1500]);
    expect(trail?.before?.number).toBe(1500);
  });

  test('has the rows of a later life that took the message up again', async () => {
    await begin({ startedAt: 1_000 });
    journal(1, 2_000, 'm1');
    await commit(receive('m1', { receivedAt: 2_000, admission: 'hold', phase: 'held' }));
    await begin({ startedAt: 100_000, pid: 4713 });
    journal(1, 101_000, 'm1', { epoch: 2 });
    journal(2, 101_500, 'm1', { epoch: 2, type: 'work.settled' });
    await commit(
      { op: 'turn.start', turn: turnRow('t1', { startedAt: 101_000, life: 2 }), messages: ['m1'] },
      { op: 'settle', id: 'm1', outcome: 'answered', reason: null, at: 101_490 },
    );
    const rows = (await store.trail('m1'))?.journal.map(({ epoch, number }) => [epoch, number]);
    expect(rows).toEqual([
      [1, 1],
      [2, 1],
      [2, 2],
    ]);
  });

  test('tells the request before the decision, and the state before a message that the chart was not asked about', async () => {
    await begin();
    const request = JSON.stringify({ type: 'stop.requested', intent: 'restart', actor: 'local' });
    journal(1, 1_000, 'other');
    store.journal({
      epoch: 1,
      number: 2,
      at: 2_000,
      event: request,
      state: 'draining.waiting',
      context: '{}',
    });
    journal(3, 3_000, 'other');
    journal(4, 9_000, 'other');
    await commit(receive('m1', { receivedAt: 5_000, admission: 'refuse', reason: 'access' }));
    const trail = await store.trail('m1');
    expect(trail?.journal).toEqual([]);
    expect(trail?.before?.number).toBe(3);
    expect(trail?.request).toMatchObject({ number: 2, at: 2_000 });
  });
});

test('the opening of its agent’s circuit is found, the last one before the message, and no other agent’s', async () => {
  await begin();
  const raise = (number: number, reason: string, detail: string) =>
    store.journal({
      ...{ epoch: 1, number, at: number * 1000, state: 'running.degraded', context: '{}' },
      event: JSON.stringify({ type: 'degraded.raised', reason, detail }),
    });
  raise(1, 'agent:default', 'long ago');
  raise(2, 'agent:default', 'it is down');
  raise(3, 'agent:other', 'another one');
  journal(4, 4_000, 'm1');
  raise(5, 'agent:default', 'later');
  await commit(receive('m1', { receivedAt: 4_000, admission: 'refuse', reason: 'state' }));
  expect((await store.trail('m1'))?.opened).toMatchObject({ number: 2, at: 2_000 });
  journal(6, 9_000, 'm2');
  await commit(receive('m2', { receivedAt: 9_000, agent: 'third' }));
  expect((await store.trail('m2'))?.opened).toBeNull();
});

describe('a store that only is asked', () => {
  test('answers beside the gateway that writes it, and alone', async () => {
    await begin();
    await commit(receive('m1'));
    const id = () => readStore(home.path, (reads) => reads.trail('m1')?.message.id);
    expect(id()).toBe('m1');
    await store.close();
    expect(id()).toBe('m1');
  });

  test('is not made where there is none, and refused where it is of another version', async () => {
    const missing = `${home.path}.none`;
    expect(() => readStore(missing, () => 1)).toThrow(
      expect.objectContaining({ code: 'STORE_SCHEMA_OTHER' }),
    );
    expect(existsSync(missing)).toBe(false);
    home.change('PRAGMA user_version = 999');
    expect(() => readStore(home.path, () => 1)).toThrow(
      expect.objectContaining({ code: 'STORE_SCHEMA_NEWER' }),
    );
    home.change('PRAGMA user_version = 1');
    expect(() => readStore(home.path, () => 1)).toThrow(
      expect.objectContaining({ code: 'STORE_SCHEMA_OTHER' }),
    );
  });
});
