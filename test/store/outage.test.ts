/** What happens while the store cannot be written: another process's lock, a disk without a byte left. */
import { existsSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { JOURNAL_ROWS_MAX } from '../../src/store/journal-buffer.ts';
import { RESERVE_BYTES, RESERVE_FREE_BYTES_MIN, RESERVE_PERIOD_MS } from '../../src/store/reserve.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startCommand } from '../support/line-process.ts';
import { HOME_SIZE_KB, mountSmallDisk, SMALL_DISK_MISSING } from '../support/small-disk.ts';
import { StoreLock } from '../support/store-lock.ts';
import { daemonStart, journalRow, receive, settle } from './sample-rows.ts';
import { StoreHome } from './store-home.ts';

/** The store waits this long for a lock at most, and our event loop with it, which would be felt. */
const REFUSED_WITHIN_MS = 150;

/** The quickest of some runs: on a busy machine each may be held up by others, hardly all of them. */
async function quickestMs(run: () => Promise<unknown>): Promise<number> {
  const tookMs: number[] = [];
  for (let count = 0; count < 10; count += 1) {
    const startedMs = performance.now();
    await run();
    tookMs.push(performance.now() - startedMs);
  }
  return Math.min(...tookMs);
}

const holder = (path: string) =>
  startCommand(process.execPath, [new URL('./hold-store.ts', import.meta.url).pathname, path]);

const unavailable = { code: 'STORE_UNAVAILABLE', retryable: true };

describe('a database that another process holds', () => {
  test('is given up soon, told of once, refused at once, and taken up again', async () => {
    await using home = new StoreHome();
    const store = await home.open();
    await using other = holder(home.path);
    expect(await other.nextLine()).toBe('held');

    const refused = await Promise.allSettled([store.commit([receive('m1')]), store.commit([receive('m2')])]);
    for (const result of refused) expect(result).toMatchObject({ status: 'rejected', reason: unavailable });
    expect([store.writable, store.obstacle]).toEqual([false, 'lock']);
    expect(home.problems[0]?.hint).toMatch(/^Close the program that has the store locked/);
    await expect(store.commit([receive('m3')])).rejects.toMatchObject(unavailable);
    // Each is one more try to write.
    expect(await quickestMs(() => store.probe())).toBeLessThan(REFUSED_WITHIN_MS);
    expect(await store.probe()).toBe(false);
    expect(home.problems.map(({ code }) => code)).toEqual(['STORE_UNAVAILABLE']);
    expect(await store.message('m1')).toBeUndefined();

    other.write('let go');
    expect(await other.nextLine()).toBe('free');
    expect(await store.probe()).toBe(true);
    expect(store.writable).toBe(true);
    expect(await store.commit([receive('m4')])).toBe('committed');
    expect(home.query('SELECT id FROM inbox')).toEqual([{ id: 'm4' }]);
  });

  test('for one slow write only is waited for: nothing is refused, and nobody is told', async () => {
    await using home = new StoreHome();
    const store = await home.open();
    // Let go between the two tries, which no other process could do for certain: the second waits 50 ms for it.
    using lock = new StoreLock(home.folder);
    const commits = ['m1', 'm2'].map((id) => store.commit([receive(id)]));
    // The first batch has met the lock by now: it held up this very loop.
    const startedMs = performance.now();
    await new Promise((resolve) => setImmediate(resolve));
    expect(performance.now() - startedMs).toBeGreaterThan(40);
    lock[Symbol.dispose]();
    expect(await Promise.all(commits)).toEqual(['committed', 'committed']);
    expect(store.writable).toBe(true);
    expect(home.problems).toEqual([]);
    expect(home.query('SELECT id FROM inbox ORDER BY seq')).toEqual([{ id: 'm1' }, { id: 'm2' }]);
  });

  test('leaves a gap in the journal, which the next row counts', async () => {
    await using home = new StoreHome();
    const store = await home.open();
    await using other = holder(home.path);
    await other.nextLine();
    await expect(store.commit([receive('m1')])).rejects.toMatchObject(unavailable);
    const lost = 3;
    for (let number = 1; number <= JOURNAL_ROWS_MAX + lost; number += 1) store.journal(journalRow(number));
    other.write('let go');
    await other.nextLine();
    expect(await store.probe()).toBe(true);
    await store.close();
    expect(home.query('SELECT count(*) AS rows, min(number) AS first FROM journal')).toEqual([
      { rows: JOURNAL_ROWS_MAX, first: lost + 1 },
    ]);
    expect(home.query('SELECT number, missed FROM journal WHERE missed > 0')).toEqual([
      { number: lost + 1, missed: lost },
    ]);
  });

  test('does not keep a start from going on: the store opens itself when the lock is gone', async () => {
    await using home = new StoreHome();
    await (await home.open()).close();
    // A lock on a database in its first mode keeps everybody from switching to the log.
    home.change('PRAGMA journal_mode = DELETE');
    await using other = holder(home.path);
    await other.nextLine();
    const store = await home.open();
    expect(store.writable).toBe(false);
    await expect(store.message('m1')).rejects.toMatchObject(unavailable);
    other.write('let go');
    await other.nextLine();
    expect(await store.probe()).toBe(true);
    expect(await store.commit([receive('m1')])).toBe('committed');
  });
});

describe.skipIf(SMALL_DISK_MISSING)(
  `a full disk${SMALL_DISK_MISSING ? ` (${SMALL_DISK_MISSING})` : ''}`,
  () => {
    /** Room for a store, its reserve, and for the reserve to be made. */
    const ROOMY_KB = RESERVE_FREE_BYTES_MIN / 1024 + 12 * 1024;

    test('refuses what it cannot hold, loses nothing it took, and is left behind when space is freed', async () => {
      using disk = mountSmallDisk(HOME_SIZE_KB);
      await using home = new StoreHome(disk.path);
      const store = await home.open();
      await store.commit([receive('before')]);
      disk.fill();
      const big = { text: 'x'.repeat(200_000) };
      await expect(store.commit([receive('during', big)])).rejects.toMatchObject(unavailable);
      expect(store.obstacle).toBe('disk');
      expect(store.writable).toBe(false);
      expect(await store.probe()).toBe(false);
      expect((await store.message('before'))?.id).toBe('before');

      disk.empty();
      expect(await store.probe()).toBe(true);
      expect(await store.commit([receive('during', big)])).toBe('committed');
      expect((await store.message('during'))?.text).toHaveLength(200_000);
      expect(home.problems.map(({ code }) => code)).toEqual(['STORE_UNAVAILABLE']);
      await store.close();
    });

    test('before the start costs the reserve, which is made again when there is room', async () => {
      using disk = mountSmallDisk(ROOMY_KB);
      await using home = new StoreHome(disk.path);
      await (await home.open()).close();
      expect(existsSync(home.reservePath)).toBe(true);
      disk.fill();

      const store = await home.open();
      expect(store.writable).toBe(true);
      expect(existsSync(home.reservePath)).toBe(false);
      expect(await store.commit([receive('m1')])).toBe('committed');
      disk.empty();
      expect(await store.probe()).toBe(true);
      expect(existsSync(home.reservePath)).toBe(true);
      await store.close();
    });

    test('while it is written costs the reserve first, and only then what is sent', async () => {
      using disk = mountSmallDisk(ROOMY_KB);
      await using home = new StoreHome(disk.path);
      const clock = new FakeClock();
      const store = await home.open({ clock });
      expect(existsSync(home.reservePath)).toBe(true);
      disk.fill();

      const big = { text: 'x'.repeat(200_000) };
      expect(await store.commit([receive('m1', big), settle('m1')])).toBe('committed');
      expect(existsSync(home.reservePath)).toBe(false);
      expect(home.problems).toEqual([]);
      let written = 1;
      await expect(async () => {
        for (; written * big.text.length < 2 * RESERVE_BYTES; written += 1)
          await store.commit([receive(`m${written + 1}`, big)]);
      }).rejects.toMatchObject(unavailable);
      expect(store.writable).toBe(false);
      expect(home.problems.map(({ code }) => code)).toEqual(['STORE_UNAVAILABLE']);
      expect((await store.message('m1'))?.outcome).toBe('answered');
      expect((await store.message(`m${written}`))?.text).toHaveLength(200_000);
      await store.close();
    });

    test('that is emptied later gets its reserve back, without anybody asking', async () => {
      using disk = mountSmallDisk(ROOMY_KB);
      await using home = new StoreHome(disk.path);
      const clock = new FakeClock();
      const store = await home.open({ clock });
      disk.fill();
      await store.commit([receive('m1', { text: 'x'.repeat(200_000) })]);
      await clock.advance(RESERVE_PERIOD_MS);
      expect(existsSync(home.reservePath)).toBe(false);
      disk.empty();
      await clock.advance(RESERVE_PERIOD_MS);
      await expect.poll(() => existsSync(home.reservePath)).toBe(true);
      await store.close();
      expect(clock.pending).toBe(0);
    });

    test('before the start and without a reserve gives a store that opens itself later', async () => {
      using disk = mountSmallDisk(ROOMY_KB);
      await using home = new StoreHome(disk.path);
      await (await home.open()).close();
      rmSync(home.reservePath);
      disk.fill();
      const store = await home.open();
      expect(store.writable).toBe(false);
      expect(home.problems.map(({ code }) => code)).toEqual(['STORE_UNAVAILABLE']);
      await expect(store.begin(daemonStart)).rejects.toMatchObject(unavailable);
      disk.empty();
      expect(await store.probe()).toBe(true);
      expect((await store.begin(daemonStart)).epoch).toBe(1);
      await store.close();
    });
  },
);
