/** What any store must do for whoever looks after it: lists, deleting what is over, and copies. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Notice } from '../../src/store/records.ts';
import type { ListOptions, Store } from '../../src/store/store.ts';
import type { Write } from '../../src/store/write.ts';
import {
  commandRow,
  daemonStart,
  journalRow,
  outboundRow,
  receive,
  settle,
  turnRow,
} from '../store/sample-rows.ts';
import type { StoreGround } from './store-ground.ts';

/** Declares the tests, as `storeContract` does. */
export function storeUpkeep(prepare: () => Promise<StoreGround>): void {
  lists(prepare);
  upkeep(prepare);
}

function lists(prepare: () => Promise<StoreGround>): void {
  /** Six messages: two open, two answered, one failed, one refused; o2 is dead, o5 unknown, o3 delivered. */
  async function filled(ground: StoreGround): Promise<Store> {
    const store = await ground.open();
    for (const id of ['1', '2', '3', '4', '5', '6']) await store.commit([receive(id)]);
    await store.commit([settle('3'), settle('2', 'failed'), settle('5'), settle('4', 'refused')]);
    const reply = (id: string, to = id): Write => ({ op: 'reply', outbound: outboundRow(`o${id}`, to) });
    await store.commit([reply('2'), reply('3'), reply('5'), reply('7', '5')]);
    await store.commit([{ op: 'reply', outbound: outboundRow('notice', null) }]);
    await store.commit([
      { op: 'outbound.end', id: 'o2', at: 3_000, state: 'dead', error: 'gone' },
      { op: 'outbound.end', id: 'notice', at: 3_000, state: 'dead', error: 'gone' },
      { op: 'sending', id: 'o5', life: 1, at: 3_000 },
      { op: 'outbound.end', id: 'o5', at: 3_000, state: 'unknown', error: 'cut off' },
      { op: 'sent', id: 'o3', at: 3_000 },
    ]);
    return store;
  }

  const CASES: readonly [ListOptions, string][] = [
    [{ limit: 10 }, '6 5 4 3 2 1'],
    [{ limit: 2 }, '6 5'],
    [{ limit: 10, state: 'open' }, '6 1'],
    [{ limit: 1, state: 'open' }, '6'],
    [{ limit: 10, state: 'settled' }, '5 4 3 2'],
    [{ limit: 10, outcome: 'answered' }, '5 3'],
    [{ limit: 1, outcome: 'answered' }, '5'],
    [{ limit: 10, outcome: 'refused' }, '4'],
    [{ limit: 10, outcome: 'failed', state: 'settled' }, '2'],
    [{ limit: 10, outcome: 'failed', state: 'open' }, ''],
    [{ limit: 10, outcome: 'expired' }, ''],
    [{ limit: 10, undelivered: true }, '5 2'],
    [{ limit: 1, undelivered: true }, '5'],
    [{ limit: 10, undelivered: true, outcome: 'failed' }, '2'],
    [{ limit: 10, undelivered: true, state: 'settled' }, '5 2'],
    [{ limit: 10, undelivered: true, state: 'open' }, ''],
    [{ limit: 10, undelivered: false, state: 'open' }, '6 1'],
  ];

  test.each(CASES)('of the messages, %o lists %s', async (options, ids) => {
    await using ground = await prepare();
    const store = await filled(ground);
    expect((await store.list(options)).map(({ id }) => id).join(' ')).toBe(ids);
  });

  test('a listed message stands with what was said to it', async () => {
    await using ground = await prepare();
    const store = await filled(ground);
    const [newest, fifth] = await store.list({ limit: 2 });
    expect(newest).toEqual({ ...(await store.message('6')), replies: [] });
    expect(fifth).toEqual({ ...(await store.message('5')), replies: await store.replies('5') });
    expect(fifth?.replies.map(({ id, state }) => [id, state])).toEqual([
      ['o5', 'unknown'],
      ['o7', 'pending'],
    ]);
  });
}

function upkeep(prepare: () => Promise<StoreGround>): void {
  /** An answered message with its turn and its delivered reply. */
  const answered = (id: string, at: number): Write[] => [
    receive(id),
    { op: 'turn.start', turn: turnRow(`t${id}`), messages: [id] },
    { op: 'turn.end', id: `t${id}`, at, outcome: 'answered', reason: null, streamed: `said ${id}` },
    { op: 'reply', outbound: outboundRow(`o${id}`, id), deliveredAt: at },
    { op: 'settle', id, outcome: 'answered', reason: null, at },
  ];

  test('what was settled before a time goes, oldest first and so many at once, with all that belongs to it', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    for (const [id, at] of [
      ['3', 300],
      ['1', 100],
      ['4', 400],
      ['2', 200],
    ] as const)
      await store.commit(answered(id, at));
    const left = async () => (await store.list({ limit: 10 })).map(({ id }) => id).sort();
    expect(await store.prune(400, 2)).toBe(2);
    expect(await left()).toEqual(['3', '4']);
    expect(await store.outbound('o1')).toBeUndefined();
    expect((await store.history('local:cli', '', 10)).map(({ answer }) => answer)).toEqual([
      'said 3',
      'said 4',
    ]);
    expect(await store.prune(400, 2)).toBe(1);
    expect(await store.prune(400, 2)).toBe(0);
    expect(await left()).toEqual(['4']);
    expect(await store.commit([receive('1')])).toBe('committed');
  });

  test('nothing goes that is open, worked on, or still to be sent', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    const settledAt = (id: string): Write => ({
      op: 'settle',
      id,
      outcome: 'interrupted',
      reason: null,
      at: 100,
    });
    const reply = (id: string): Write => ({ op: 'reply', outbound: outboundRow(`o${id}`, id) });
    await store.commit([receive('open', { phase: 'held' }), receive('asked', { phase: 'awaiting-resume' })]);
    await store.commit([
      receive('runs'),
      { op: 'turn.start', turn: turnRow('t'), messages: ['runs'] },
      settledAt('runs'),
    ]);
    await store.commit([
      receive('commands'),
      { op: 'command.receive', command: commandRow('c', 'commands') },
      settledAt('commands'),
    ]);
    for (const id of ['pending', 'sending', 'unknown'])
      await store.commit([receive(id), reply(id), settledAt(id)]);
    await store.commit([
      { op: 'sending', id: 'osending', life: 1, at: 90 },
      { op: 'outbound.end', id: 'ounknown', at: 90, state: 'unknown', error: 'cut off' },
    ]);
    const before = await store.list({ limit: 20 });
    expect(before).toHaveLength(7);
    expect(await store.prune(10_000, 100)).toBe(0);
    expect(await store.list({ limit: 20 })).toEqual(before);

    const end = { outcome: 'ran', exitCode: 0, signal: null, durationMs: 1, output: '', at: 200 } as const;
    await store.commit([
      { op: 'turn.end', id: 't', at: 200, outcome: 'interrupted', reason: null },
      { op: 'command.end', end: { ...end, id: 'c' } },
      { op: 'sent', id: 'osending', at: 200 },
      { op: 'outbound.end', id: 'ounknown', at: 200, state: 'dead', error: 'gone' },
    ]);
    expect(await store.prune(10_000, 100)).toBe(4);
    expect((await store.list({ limit: 20 })).map(({ id }) => id).sort()).toEqual([
      'asked',
      'open',
      'pending',
    ]);
  });

  test('a turn stays as long as one of the messages that it answered', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    const [, , end] = answered('1', 100);
    await store.commit([
      ...['1', '2'].map((id) => receive(id, { text: `asked ${id}` })),
      { op: 'turn.start', turn: turnRow('t1'), messages: ['1', '2'] },
      ...(end === undefined ? [] : [end]),
      { op: 'settle', id: '1', outcome: 'answered', reason: null, at: 100 },
      { op: 'settle', id: '2', outcome: 'merged', reason: null, at: 200, mergedInto: '1' },
    ]);
    expect(await store.prune(150, 10)).toBe(1);
    expect(await store.history('local:cli', '', 10)).toEqual([{ texts: ['asked 2'], answer: 'said 1' }]);
    expect(await store.prune(250, 10)).toBe(1);
    expect(await store.history('local:cli', '', 10)).toEqual([]);
  });

  test('old journal rows, kept notices and what was sent unasked go, and lives stay', async () => {
    await using ground = await prepare();
    const store = await ground.open();
    const life = await store.begin(daemonStart);
    await store.commit([{ op: 'life.end', id: life.id, at: 1_000, code: null, cause: 'died' }]);
    for (const number of [1, 2, 3]) store.journal({ ...journalRow(number), at: number * 100 });
    const notice = (conversation: string): Notice => ({
      ...{ incident: 'crash:1', platform: 'local', conversation, kind: 'back' },
    });
    await store.commit([
      { op: 'notice', notice: notice('kept'), at: 100 },
      { op: 'notice', notice: notice('promised'), at: 100 },
      { op: 'notice.end', notice: notice('kept'), state: 'sent' },
      { op: 'reply', outbound: outboundRow('told', null, { createdAt: 100 }), deliveredAt: 110 },
      { op: 'reply', outbound: outboundRow('untold', null, { createdAt: 100 }) },
    ]);
    expect(await store.prune(100, 10)).toBe(0);
    // Two rows of the journal, a notice and what was sent for it.
    expect(await store.prune(300, 10)).toBe(4);
    expect((await store.noticesOf('crash:1')).map(({ conversation }) => conversation)).toEqual(['promised']);
    expect([await store.outbound('told'), (await store.outbound('untold'))?.state]).toEqual([
      undefined,
      'pending',
    ]);
    expect(await store.prune(300, 10)).toBe(0);
    expect(await store.prune(301, 10)).toBe(1);
    expect(await store.deaths(0)).toMatchObject([{ at: 1_000 }]);
    expect((await store.begin(daemonStart)).epoch).toBe(2);
  });

  test('a backup is a new file for its owner, and what stands there already is not touched', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-backup-'));
    try {
      await using ground = await prepare();
      const store = await ground.open();
      await store.commit([receive('m1')]);
      const path = join(folder, 'copy');
      const bytes = await store.backup(path);
      expect(bytes).toBeGreaterThan(0);
      expect(statSync(path).size).toBe(bytes);
      expect(statSync(path).mode & 0o777).toBe(0o600);

      const taken = join(folder, 'taken');
      writeFileSync(taken, 'mine');
      const refused = { code: 'BACKUP_FAILED', message: expect.stringContaining(taken) };
      await expect(store.backup(taken)).rejects.toMatchObject(refused);
      expect(readFileSync(taken, 'utf8')).toBe('mine');
      const nowhere = join(folder, 'missing', 'copy');
      await expect(store.backup(nowhere)).rejects.toMatchObject({ code: 'BACKUP_FAILED' });
      expect(existsSync(join(folder, 'missing'))).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
