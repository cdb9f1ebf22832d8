import { describe, expect, test } from 'vitest';
import { JOURNAL_DELAY_MS, UNITS_PER_BATCH_MAX } from '../../src/store/group-commit.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { commitsInLog } from './log-commits.ts';
import { journalRow, outboundRow, receive } from './sample-rows.ts';
import { StoreHome } from './store-home.ts';

const numbers = 'SELECT number, missed FROM journal ORDER BY number';

describe('units of one moment', () => {
  test('share one commit', async () => {
    await using home = new StoreHome();
    const store = await home.open();
    const before = commitsInLog(home.path);
    await Promise.all(Array.from({ length: 100 }, (_, i) => store.commit([receive(`m${i}`)])));
    expect(commitsInLog(home.path) - before).toBe(1);
    expect(home.query('SELECT count(*) AS rows FROM inbox')).toEqual([{ rows: 100 }]);
  });

  test('are spread over as many commits as their number needs', async () => {
    await using home = new StoreHome();
    const store = await home.open();
    const before = commitsInLog(home.path);
    const units = Array.from({ length: 2 * UNITS_PER_BATCH_MAX + 1 }, (_, i) => [receive(`m${i}`)]);
    await Promise.all(units.map((unit) => store.commit(unit)));
    expect(commitsInLog(home.path) - before).toBe(3);
  });

  test('share one commit also when one of them is refused', async () => {
    await using home = new StoreHome();
    const store = await home.open();
    const before = commitsInLog(home.path);
    const orphan = { op: 'reply', outbound: outboundRow('o1', 'nobody') } as const;
    const results = await Promise.allSettled([
      store.commit([receive('m1')]),
      store.commit([receive('m2'), orphan]),
      store.commit([receive('m3')]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(commitsInLog(home.path) - before).toBe(1);
    expect(home.query('SELECT id FROM inbox ORDER BY seq')).toEqual([{ id: 'm1' }, { id: 'm3' }]);
    expect(home.problems).toEqual([]);
  });

  test('of which one comes later wait for a commit of their own', async () => {
    await using home = new StoreHome();
    const store = await home.open();
    const before = commitsInLog(home.path);
    await store.commit([receive('m1')]);
    await store.commit([receive('m2')]);
    expect(commitsInLog(home.path) - before).toBe(2);
  });
});

describe('a journal row', () => {
  test('goes with the next unit and costs no commit', async () => {
    await using home = new StoreHome();
    const clock = new FakeClock();
    const store = await home.open({ clock });
    const before = commitsInLog(home.path);
    store.journal(journalRow(1));
    await store.commit([receive('m1')]);
    expect(commitsInLog(home.path) - before).toBe(1);
    expect(home.query(numbers)).toEqual([{ number: 1, missed: 0 }]);
    expect(clock.pending).toBe(0);
  });

  test('that nothing follows is written all the same, a moment later and together with its like', async () => {
    await using home = new StoreHome();
    const clock = new FakeClock();
    const store = await home.open({ clock });
    const before = commitsInLog(home.path);
    store.journal(journalRow(1));
    await clock.advance(JOURNAL_DELAY_MS - 1);
    store.journal(journalRow(2));
    expect(home.query(numbers)).toEqual([]);
    await clock.advance(1);
    expect(home.query(numbers).map(({ number }) => number)).toEqual([1, 2]);
    expect(commitsInLog(home.path) - before).toBe(1);
  });

  test('is written by a close that comes first', async () => {
    await using home = new StoreHome();
    const clock = new FakeClock();
    const store = await home.open({ clock });
    store.journal(journalRow(1));
    await store.close();
    expect(home.query(numbers)).toEqual([{ number: 1, missed: 0 }]);
    expect(clock.pending).toBe(0);
  });

  test.each([1, 7, 8, 9, 16, 21])('is one of %i that a batch writes whole and in order', async (rows) => {
    await using home = new StoreHome();
    const store = await home.open();
    const run = Array.from({ length: rows }, (_, i) => ({
      ...journalRow(i + 1),
      at: 5_000 + i,
      event: `"${i}"`,
    }));
    for (const row of run) store.journal(row);
    await store.commit([receive('m1')]);
    expect(home.query('SELECT * FROM journal ORDER BY number')).toEqual(
      run.map((row) => ({ ...row, missed: 0 })),
    );
  });

  test('of a batch carries what was lost before it, and of many only the first does', async () => {
    await using home = new StoreHome();
    const store = await home.open();
    for (const number of [1, 1]) store.journal(journalRow(number));
    await store.commit([receive('m1')]);
    for (let number = 2; number <= 20; number += 1) store.journal(journalRow(number));
    await store.commit([receive('m2')]);
    const marked = home.query('SELECT number, missed FROM journal WHERE missed > 0');
    expect(marked).toEqual([{ number: 2, missed: 1 }]);
    expect(home.query('SELECT count(*) AS rows FROM journal')).toEqual([{ rows: 20 }]);
  });

  test('among many that the store does not take costs the others nothing', async () => {
    await using home = new StoreHome();
    const store = await home.open();
    const given = Array.from({ length: 20 }, (_, i) => (i === 12 ? 3 : i + 1));
    for (const number of given) store.journal(journalRow(number));
    expect(await store.commit([receive('m1')])).toBe('committed');
    const written = given
      .filter((_, i) => i !== 12)
      .map((number) => ({ number, missed: number === 14 ? 1 : 0 }));
    expect(home.query(numbers)).toEqual(written);
    expect(home.lostRows.map(({ code }) => code)).toEqual(['INTERNAL']);
  });

  test('that the store does not take is told and counted, and its neighbours are written', async () => {
    await using home = new StoreHome();
    const store = await home.open();
    for (const number of [1, 1, 2]) store.journal(journalRow(number));
    expect(await store.commit([receive('m1')])).toBe('committed');
    expect(home.query(numbers)).toEqual([
      { number: 1, missed: 0 },
      { number: 2, missed: 1 },
    ]);
    expect(home.lostRows.map(({ code }) => code)).toEqual(['INTERNAL']);
    expect(home.problems).toEqual([]);
    expect(store.writable).toBe(true);
  });
});
