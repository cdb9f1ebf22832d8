/** The file over a long time: what retention makes of it, what a slow reader does to its log, and copies of it. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WAL_BYTES_KEPT_MAX } from '../../src/store/schema.ts';
import type { Store } from '../../src/store/store.ts';
import type { Write } from '../../src/store/write.ts';
import { mountSmallDisk, SMALL_DISK_MISSING } from '../support/small-disk.ts';
import { commandRow, journalRow, outboundRow, receive, turnRow } from './sample-rows.ts';
import { StoreHome } from './store-home.ts';

const TEXT = 'what changed in the ingest service since monday? '.repeat(4);

/** Everything that a message leaves in the store, settled at this time. */
function message(id: string, at: number): Write[] {
  const end = { at, outcome: 'ran', exitCode: 0, signal: null, durationMs: 1, output: TEXT } as const;
  return [
    receive(id, { text: TEXT }),
    { op: 'turn.start', turn: turnRow(id), messages: [id] },
    { op: 'turn.progress', id, streamed: TEXT.slice(0, 20) },
    { op: 'turn.end', id, at, outcome: 'answered', reason: null, streamed: TEXT },
    { op: 'command.receive', command: commandRow(id, id) },
    { op: 'command.end', end: { ...end, id } },
    { op: 'reply', outbound: outboundRow(id, id, { text: TEXT }), deliveredAt: at },
    { op: 'settle', id, outcome: at % 3 === 0 ? 'failed' : 'answered', reason: null, at },
  ];
}

describe('a file under steady load', () => {
  const PER_ROUND = 300;
  let journalled = 0;

  async function load(store: Store, round: number): Promise<void> {
    const units = Array.from({ length: PER_ROUND }, (_, n) => {
      for (let row = 0; row < 2; row += 1) {
        journalled += 1;
        store.journal({ ...journalRow(journalled), at: round });
      }
      return store.commit(message(`${Math.random()}-${round}-${n}`, round));
    });
    await Promise.all(units);
    const notice = {
      incident: `crash:${round}`,
      platform: 'local',
      conversation: 'c',
      kind: 'back',
    } as const;
    await store.commit([
      { op: 'notice', notice, at: round },
      { op: 'notice.end', notice, state: 'sent' },
      {
        op: 'reply',
        outbound: outboundRow(`notice-${round}`, null, { createdAt: round }),
        deliveredAt: round,
      },
    ]);
  }

  async function pruneAll(store: Store, before: number): Promise<void> {
    while ((await store.prune(before, 100)) > 0);
  }

  const pages = (home: StoreHome) => Number(home.query('PRAGMA page_count')[0]?.page_count);

  test('stops growing once retention takes as much as comes in', async () => {
    await using home = new StoreHome();
    const store = await home.open();
    const sizes: number[] = [];
    for (let round = 1; round <= 16; round += 1) {
      await load(store, round);
      await pruneAll(store, round - 2);
      sizes.push(pages(home));
    }
    const [settled = 0] = sizes.slice(5, 6);
    expect(Math.max(...sizes.slice(6))).toBeLessThanOrEqual(settled * 1.05);
    expect(settled).toBeLessThan((sizes[0] ?? 0) * 6);
    const rows = (table: string) => home.query(`SELECT count(*) AS rows FROM ${table}`)[0]?.rows;
    const kept = 3 * PER_ROUND;
    expect(['inbox', 'turns', 'turn_messages', 'commands'].map(rows)).toEqual([kept, kept, kept, kept]);
    expect(['outbox', 'notices', 'journal'].map(rows)).toEqual([kept + 3, 3, 2 * kept]);
    expect(home.query('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    expect(home.query('PRAGMA foreign_key_check')).toEqual([]);
  });

  test('grows without it', async () => {
    await using home = new StoreHome();
    const store = await home.open();
    const sizes: number[] = [];
    for (let round = 1; round <= 8; round += 1) {
      await load(store, round);
      sizes.push(pages(home));
    }
    expect(sizes[7]).toBeGreaterThan((sizes[3] ?? 0) * 1.5);
  });
});

test('the log grows beside a slow reader and is cut back once he is gone', async () => {
  await using home = new StoreHome();
  const store = await home.open();
  await store.commit([receive('first')]);
  const log = () => statSync(`${home.path}-wal`).size;
  const reader = new DatabaseSync(home.path, { readOnly: true });
  try {
    reader.exec('BEGIN');
    expect(reader.prepare('SELECT count(*) AS rows FROM inbox').get()).toEqual({ rows: 1 });
    for (let n = 0; log() <= 2 * WAL_BYTES_KEPT_MAX; n += 1) {
      await store.commit([receive(`m${n}`, { text: TEXT.repeat(500) })]);
    }
    expect(reader.prepare('SELECT count(*) AS rows FROM inbox').get()).toEqual({ rows: 1 });
    reader.exec('COMMIT');
  } finally {
    reader.close();
  }
  // The first carries the log into the file, the second begins it anew.
  await store.commit([receive('after')]);
  await store.commit([receive('last')]);
  expect(log()).toBeLessThanOrEqual(WAL_BYTES_KEPT_MAX);
  expect(await store.message('m0')).toBeDefined();
});

test('a merged message names the one whose turn answers it, as it was settled first', async () => {
  await using home = new StoreHome();
  const store = await home.open();
  await store.commit([receive('1'), receive('2'), receive('3')]);
  const merge = (id: string, mergedInto: string): Write => ({
    ...{ op: 'settle', id, outcome: 'merged', reason: null, at: 2_000, mergedInto },
  });
  await store.commit([merge('2', '1')]);
  await store.commit([merge('2', '3')]);
  expect((await store.trail('2'))?.message).toMatchObject({ outcome: 'merged', mergedInto: '1' });
  expect((await store.trail('1'))?.message).toMatchObject({ outcome: null, mergedInto: null });
});

describe('a backup', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-backup-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Many pages, so that a copy takes more than one step. */
  async function fill(store: Store, messages: number): Promise<void> {
    const units = Array.from({ length: messages }, (_, n) =>
      store.commit([receive(`m${n}`, { text: TEXT.repeat(50) })]),
    );
    await Promise.all(units);
  }

  test('has everything that was committed before it, is whole, and holds up no write', async () => {
    await using home = new StoreHome();
    const store = await home.open();
    await fill(store, 2_000);
    const elsewhere = join(folder, 'restored');
    mkdirSync(elsewhere);
    const going = store.backup(join(elsewhere, 'sluice.db'));
    let after = 0;
    let isGoing = true;
    void going.finally(() => {
      isGoing = false;
    });
    while (isGoing) {
      after += 1;
      await store.commit([receive(`after-${after}`)]);
    }
    expect(await going).toBeGreaterThan(10_000_000);
    expect(after).toBeGreaterThan(0);

    await using restored = new StoreHome(elsewhere);
    const copy = await restored.open();
    expect(restored.query("SELECT count(*) AS rows FROM inbox WHERE id LIKE 'm%'")).toEqual([
      { rows: 2_000 },
    ]);
    expect(restored.query('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    expect(await copy.commit([receive('m0')])).toBe('duplicate');
    expect(await copy.commit([receive('new')])).toBe('committed');
    expect(await store.message('new')).toBeUndefined();
    expect(await store.message(`after-${after}`)).toBeDefined();
  });

  test('ends with the store that it is made of, and leaves no half of it', async () => {
    await using home = new StoreHome();
    const store = await home.open();
    await fill(store, 2_000);
    const going = store.backup(join(folder, 'copy'));
    const refused = expect(going).rejects.toMatchObject({
      code: 'BACKUP_FAILED',
      message: expect.stringContaining('the store is closing'),
    });
    await store.close();
    await refused;
    expect(readdirSync(folder)).toEqual([]);
    await expect(store.backup(join(folder, 'copy'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('begins anew where a kill cut one off', async () => {
    await using home = new StoreHome();
    const store = await home.open();
    await store.commit([receive('m1')]);
    const path = join(folder, 'copy');
    writeFileSync(`${path}.partial`, 'half of a copy');
    await store.backup(path);
    expect(readdirSync(folder)).toEqual(['copy']);
    const copy = new DatabaseSync(path, { readOnly: true });
    expect(copy.prepare('SELECT id FROM inbox').all()).toEqual([{ id: 'm1' }]);
    copy.close();
  });

  test.skipIf(SMALL_DISK_MISSING)('that finds no room says so, and leaves no half of it', async () => {
    using disk = mountSmallDisk(4096);
    await using home = new StoreHome();
    const store = await home.open();
    await fill(store, 2_000);
    const path = join(disk.path, 'copy');
    await expect(store.backup(path)).rejects.toMatchObject({ code: 'BACKUP_FAILED' });
    expect(readdirSync(disk.path)).toEqual([]);
    expect(store.writable).toBe(true);
  });
});
