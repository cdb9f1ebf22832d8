import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isSluiceError } from '../../src/errors.ts';
import { acquireLock, networkFileSystem } from '../../src/process/lock.ts';
import { startCommand, startProgram } from '../support/line-process.ts';
import { mountSmallDisk, SMALL_DISK_MISSING } from '../support/small-disk.ts';

const RACERS = 12;
const ROUNDS = 5;
/** Long enough for every program to have read its order before the moment comes. */
const START_AHEAD_MS = 100;
const NOBODY = { uid: 65_534, gid: 65_534 };

/** Node and the checkout may stand where others may not look; then nothing can be run as another user. */
const NOBODY_CAN_RUN = canRunAsNobody();

function canRunAsNobody(): boolean {
  if (process.getuid?.() !== 0) return false;
  const source = new URL('../../src/process/lock.ts', import.meta.url).pathname;
  return spawnSync(process.execPath, ['--check', source], { ...NOBODY, stdio: 'ignore' }).status === 0;
}

let home: string;
let path: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sluice-lock-'));
  path = join(home, 'lock');
});
afterEach(() => rmSync(home, { recursive: true }));

/** The error that `action` throws, which must be one of the catalogue. */
function errorOf(action: () => unknown) {
  try {
    action();
  } catch (thrown) {
    if (isSluiceError(thrown)) return thrown;
    throw thrown;
  }
  throw new Error('it threw nothing');
}

async function holder(lockPath = path) {
  const held = startProgram('hold-lock', [lockPath]);
  await held.nextLine();
  held.write('take');
  expect(await held.nextLine()).toBe('owned');
  return held;
}

test('of twelve starts at once exactly one owns the home, in every round', async () => {
  await using racers = new AsyncDisposableStack();
  const starts = Array.from({ length: RACERS }, () => racers.use(startProgram('hold-lock', [path])));
  const all = () => Promise.all(starts.map((start) => start.nextLine()));
  await all();
  for (let round = 1; round <= ROUNDS; round += 1) {
    const at = Date.now() + START_AHEAD_MS;
    for (const start of starts) start.write(`take ${at}`);
    const answers = await all();
    expect(answers.toSorted(), `round ${round}`).toEqual([
      ...Array.from({ length: RACERS - 1 }, () => 'HOME_OWNED'),
      'owned',
    ]);
    starts[answers.indexOf('owned')]?.write('release');
    await starts[answers.indexOf('owned')]?.nextLine();
  }
});

test('a holder that is killed with -9 frees the home for the next start', async () => {
  await using first = await holder();
  expect(errorOf(() => acquireLock(path, { retryMs: 0 })).code).toBe('HOME_OWNED');
  process.kill(first.pid, 'SIGKILL');
  await first.ended;
  using lock = acquireLock(path);
  expect(lock.path).toBe(path);
});

test('a start that comes while the last gateway lets go waits for it', async () => {
  await using first = await holder();
  first.write(`release ${Date.now() + START_AHEAD_MS}`);
  using _lock = acquireLock(path, { retryMs: 5_000 });
  expect(await first.nextLine()).toBe('released');
});

test('a lock stays held when its owner loses the reference to it', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  (() => void acquireLock(path))();
  // Finalizers run in a turn of the loop after the collection.
  collect();
  await new Promise((resolve) => setImmediate(resolve));
  expect(errorOf(() => acquireLock(path, { retryMs: 0 })).code).toBe('HOME_OWNED');
});

test('a lock is released once, and a second release does not take it from the next owner', () => {
  const first = acquireLock(path);
  first[Symbol.dispose]();
  using _second = acquireLock(path);
  first[Symbol.dispose]();
  expect(errorOf(() => acquireLock(path, { retryMs: 0 })).code).toBe('HOME_OWNED');
});

test("the lock is its owner's alone, also one that a wider umask made", () => {
  const umask = process.umask(0o022);
  try {
    using _ = acquireLock(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  } finally {
    process.umask(umask);
  }
  chmodSync(path, 0o644);
  using _ = acquireLock(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('the lock is an empty file without a journal beside it', () => {
  using _lock = acquireLock(path);
  expect(readdirSync(home)).toEqual(['lock']);
});

describe('looking whether the lock is still ours', () => {
  test('tells a file that was deleted or replaced, and a home that was, from the one that was locked', () => {
    using lock = acquireLock(path);
    expect(lock.isOurs()).toBe(true);
    renameSync(path, `${path}.away`);
    expect(lock.isOurs()).toBe(false);
    writeFileSync(path, '');
    expect(lock.isOurs()).toBe(false);
    renameSync(`${path}.away`, path);
    expect(lock.isOurs()).toBe(true);
    renameSync(home, `${home}.away`);
    expect(lock.isOurs()).toBe(false);
    renameSync(`${home}.away`, home);
  });

  test('takes nothing away: the lock is held as before', async () => {
    using lock = acquireLock(path);
    for (let look = 0; look < 50; look += 1) expect(lock.isOurs()).toBe(true);
    await using other = startProgram('hold-lock', [path]);
    await other.nextLine();
    other.write('take');
    expect(await other.nextLine()).toBe('HOME_OWNED');
  });
});

describe('a home that cannot be locked', () => {
  test('that is not there has no permission, and the system error is named', () => {
    const error = errorOf(() => acquireLock(join(home, 'missing', 'lock')));
    expect(error).toMatchObject({ code: 'HOME_NO_PERMISSION', message: expect.stringContaining('ENOENT') });
  });

  test('with something else in the place of the lock says to move it away', () => {
    writeFileSync(path, 'no database'.repeat(20));
    expect(errorOf(() => acquireLock(path))).toMatchObject({
      code: 'STORE_CORRUPT',
      hint: expect.stringContaining('move it away'),
    });
  });

  test('with a folder in the place of the lock is not mistaken for a missing permission', () => {
    expect(errorOf(() => acquireLock(home))).toMatchObject({
      code: 'STORE_CORRUPT',
      message: `${home} is a folder, and not the lock that belongs there`,
      hint: expect.stringContaining('move it away'),
    });
  });

  test.each([
    [0x6969, 'NFS'],
    [0xff534d42, 'CIFS'],
    [0xff534d42 | 0, 'CIFS'],
    [0xef53, undefined],
    [0x01021994, undefined],
  ])('file system type %i is the network file system %s', (type, name) => {
    expect(networkFileSystem(type)).toBe(name);
  });

  test.skipIf(!NOBODY_CAN_RUN)('of another user has no permission (needs root)', async () => {
    chmodSync(home, 0o755);
    await using other = startProgram('hold-lock', [path], NOBODY);
    await other.nextLine();
    other.write('take');
    expect(await other.nextLine()).toBe('HOME_NO_PERMISSION');
    // Readable and not writable: SQLite opens it without a word, and an exclusive begin would lock nothing.
    acquireLock(path)[Symbol.dispose]();
    chownSync(home, NOBODY.uid, NOBODY.gid);
    other.write('take');
    expect(await other.nextLine()).toBe('HOME_NO_PERMISSION');
  });
});

describe(`on a disk of its own${SMALL_DISK_MISSING ? ` (skipped: ${SMALL_DISK_MISSING})` : ''}`, () => {
  test.skipIf(SMALL_DISK_MISSING)('a full disk still gives the first lock ever, and keeps it', async () => {
    using disk = mountSmallDisk();
    disk.fill();
    await using first = await holder(join(disk.path, 'lock'));
    expect(errorOf(() => acquireLock(join(disk.path, 'lock'), { retryMs: 0 })).code).toBe('HOME_OWNED');
    await first[Symbol.asyncDispose]();
    acquireLock(join(disk.path, 'lock'))[Symbol.dispose]();
  });

  test.skipIf(SMALL_DISK_MISSING).each(['without', 'with'])(
    'a read-only home %s a lock file has no permission',
    (lockFile) => {
      using disk = mountSmallDisk();
      if (lockFile === 'with') acquireLock(join(disk.path, 'lock'))[Symbol.dispose]();
      disk.makeReadOnly();
      const error = errorOf(() => acquireLock(join(disk.path, 'lock')));
      expect(error).toMatchObject({ code: 'HOME_NO_PERMISSION', message: expect.stringContaining('EROFS') });
    },
  );
});

test('no experimental warning is printed for the lock', async () => {
  const file = new URL('../../src/process/lock.ts', import.meta.url).pathname;
  await using run = startCommand('/bin/sh', ['-c', `exec "${process.execPath}" "${file}" 2>&1`]);
  expect(await run.restOfLines()).toEqual([]);
  expect(await run.ended).toEqual({ code: 0, signal: null });
});
