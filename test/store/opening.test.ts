/** Which files the store opens, which it refuses, and what it leaves behind. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { MIGRATIONS } from '../../src/store/migrations/migrations.ts';
import { APPLICATION_ID, copyPath } from '../../src/store/schema.ts';
import { mountSmallDisk, SMALL_DISK_MISSING } from '../support/small-disk.ts';
import { receive } from './sample-rows.ts';
import { StoreHome } from './store-home.ts';

const KNOWN = MIGRATIONS.length;

const modeOf = (path: string) => statSync(path).mode & 0o777;

describe('a fresh home', () => {
  test('gets a schema, files only its owner may read, and a reserve', async () => {
    await using home = new StoreHome();
    const store = await home.open();
    await store.commit([receive('m1')]);
    expect(home.query('PRAGMA application_id')).toEqual([{ application_id: APPLICATION_ID }]);
    expect(home.query('PRAGMA user_version')).toEqual([{ user_version: KNOWN }]);
    const files = [home.path, `${home.path}-wal`, `${home.path}-shm`, home.reservePath];
    expect(files.map(modeOf)).toEqual([0o600, 0o600, 0o600, 0o600]);
    expect(existsSync(copyPath(home.path, 0))).toBe(false);
  });

  test('has its schema in the database at once, so that the first stop need not carry it there', async () => {
    await using home = new StoreHome();
    await home.open();
    expect(statSync(`${home.path}-wal`).size).toBe(0);
    expect(statSync(home.path).size).toBeGreaterThan(100_000);
  });

  test('is left with the database alone, all of it in one file', async () => {
    await using home = new StoreHome();
    const store = await home.open();
    await store.commit([receive('m1')]);
    await store.close();
    expect(existsSync(`${home.path}-wal`)).toBe(false);
    expect(home.query('SELECT id FROM inbox')).toEqual([{ id: 'm1' }]);
  });

  test('is not made by whoever only visits', async () => {
    await using home = new StoreHome();
    const refused = home.open({ migrate: false });
    await expect(refused).rejects.toMatchObject({ code: 'STORE_SCHEMA_OTHER' });
    expect(existsSync(home.path)).toBe(false);
  });
});

describe('a file that is not of this version', () => {
  test('is refused when it is newer, by both numbers, and nothing of it is changed', async () => {
    await using home = new StoreHome();
    await (await home.open()).close();
    home.change(`PRAGMA user_version = ${KNOWN + 1}`);
    const before = readFileSync(home.path);
    for (const migrate of [true, false]) {
      await expect(home.open({ migrate })).rejects.toMatchObject({
        code: 'STORE_SCHEMA_NEWER',
        message: expect.stringMatching(new RegExp(`schema ${KNOWN + 1}; .* schema ${KNOWN}$`)),
      });
    }
    expect(readFileSync(home.path).equals(before)).toBe(true);
  });

  test('is refused by a visitor when it is empty', async () => {
    await using home = new StoreHome();
    writeFileSync(home.path, '');
    await expect(home.open({ migrate: false })).rejects.toMatchObject({
      code: 'STORE_SCHEMA_OTHER',
      message: expect.stringContaining('no schema yet'),
    });
    expect(statSync(home.path).size).toBe(0);
  });

  test('is refused when another program made it, and nothing of it is changed', async () => {
    await using home = new StoreHome();
    home.change('CREATE TABLE theirs (id INTEGER PRIMARY KEY)');
    const before = readFileSync(home.path);
    await expect(home.open()).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect(readFileSync(home.path).equals(before)).toBe(true);
  });

  test('is refused when it is no database at all', async () => {
    await using home = new StoreHome();
    writeFileSync(home.path, 'no database, but long enough to be looked at as one. '.repeat(40));
    await expect(home.open()).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });

  test.skipIf(SMALL_DISK_MISSING)(
    'is refused for want of permission on a disk that is read only',
    async () => {
      using disk = mountSmallDisk(4096);
      await using home = new StoreHome(disk.path);
      await (await home.open()).close();
      disk.makeReadOnly();
      await expect(home.open()).rejects.toMatchObject({ code: 'HOME_NO_PERMISSION' });
    },
  );
});

describe('a schema change', () => {
  const next = { version: KNOWN + 1, name: 'next', sql: 'ALTER TABLE inbox ADD COLUMN mood TEXT' };

  async function homeBefore(): Promise<StoreHome> {
    const home = new StoreHome();
    const store = await home.open();
    await store.commit([receive('m1')]);
    await store.close();
    return home;
  }

  test('is applied to what is there, after it was copied for its owner', async () => {
    await using home = await homeBefore();
    const store = await home.open({ migrations: [...MIGRATIONS, next] });
    expect(home.query('SELECT id, mood FROM inbox')).toEqual([{ id: 'm1', mood: null }]);
    expect(home.query('PRAGMA user_version')).toEqual([{ user_version: KNOWN + 1 }]);
    expect(await store.commit([receive('m2')])).toBe('committed');

    const copy = copyPath(home.path, KNOWN);
    expect(modeOf(copy)).toBe(0o600);
    const before = new DatabaseSync(copy, { readOnly: true });
    expect(before.prepare('SELECT id FROM inbox').all()).toEqual([{ id: 'm1' }]);
    expect(before.prepare('PRAGMA user_version').get()).toEqual({ user_version: KNOWN });
    before.close();
  });

  test('keeps the turns of the version before, as ones that may have changed something', async () => {
    await using home = new StoreHome();
    home.change(`${MIGRATIONS.slice(0, 3)
      .map(({ sql }) => `${sql};`)
      .join('\n')}
      PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 3;
      INSERT INTO inbox (id, platform, platform_message_id, conversation, sender, kind, text, received_at, life, admission,
        phase) VALUES ('m1', 'local', 'p-m1', 'c', 's', 'turn', 'hello', 1, 1, 'dispatch', 'started');
      INSERT INTO turns (id, conversation, agent, life, started_at) VALUES ('t1', 'c', 'default', 1, 2);
      INSERT INTO turn_messages VALUES ('t1', 0, 'm1');
      INSERT INTO sessions (conversation, agent, updated_at) VALUES ('c', 'coder', 1);`);
    const store = await home.open();
    expect((await store.openWork([])).turns).toMatchObject([
      { id: 't1', effects: true, attempt: 1, streamed: '', messageIds: ['m1'] },
    ]);
    expect([await store.crashedSessions(), await store.chosenAgent('c')]).toEqual([[], 'coder']);
    expect(existsSync(copyPath(home.path, 3))).toBe(true);
  });

  test('is left to the gateway: a visitor is told both versions', async () => {
    await using home = await homeBefore();
    await expect(home.open({ migrate: false, migrations: [...MIGRATIONS, next] })).rejects.toMatchObject({
      code: 'STORE_SCHEMA_OTHER',
      message: expect.stringMatching(new RegExp(`schema ${KNOWN}; .* schema ${KNOWN + 1}$`)),
    });
    expect(existsSync(copyPath(home.path, KNOWN))).toBe(false);
  });

  test('that fails leaves the file as it was', async () => {
    await using home = await homeBefore();
    const broken = { version: KNOWN + 2, name: 'broken', sql: 'ALTER TABLE nobody ADD COLUMN mood TEXT' };
    await expect(home.open({ migrations: [...MIGRATIONS, next, broken] })).rejects.toThrow('nobody');
    expect(home.query('PRAGMA user_version')).toEqual([{ user_version: KNOWN }]);
    expect(home.query("SELECT name FROM pragma_table_info('inbox') WHERE name = 'mood'")).toEqual([]);
    const store = await home.open();
    expect((await store.message('m1'))?.id).toBe('m1');
  });

  test('knows every change under its number', () => {
    expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
  });
});
