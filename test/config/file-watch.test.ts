/** When a watched file is told of: once it is quiet, and whatever was done to it. */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FileWatch, fileMark, WATCH_MS, WATCH_UNQUIET_MS_MAX } from '../../src/config/file-watch.ts';
import { FakeClock } from '../support/fake-clock.ts';

describe('a watch', () => {
  /** A watched file that is what `mark` says, and the moments at which it was told of. */
  function watching(look?: () => Promise<string>) {
    const clock = new FakeClock();
    const file = { mark: 'first', told: [] as number[] };
    const watch = new FileWatch({
      clock,
      look: look ?? (async () => file.mark),
      changed: () => void file.told.push(clock.monotonicMs()),
    });
    return { clock, file, watch };
  }

  test('tells of the file as it is found, for it may have changed since it was read', async () => {
    const { clock, file } = watching();
    await clock.advance(10 * WATCH_MS);
    expect(file.told).toEqual([2 * WATCH_MS]);
  });

  test('tells of a change once, when two looks in a row find the same', async () => {
    const { clock, file } = watching();
    await clock.advance(2 * WATCH_MS);
    file.mark = 'second';
    await clock.advance(WATCH_MS);
    expect(file.told).toHaveLength(1);
    await clock.advance(10 * WATCH_MS);
    expect(file.told).toEqual([2 * WATCH_MS, 4 * WATCH_MS]);
  });

  test('waits while the file is written, and says nothing of what was undone', async () => {
    const { clock, file } = watching();
    await clock.advance(2 * WATCH_MS);
    for (const mark of ['half', 'more']) {
      file.mark = mark;
      await clock.advance(WATCH_MS);
    }
    expect(file.told).toHaveLength(1);
    file.mark = 'first';
    await clock.advance(10 * WATCH_MS);
    expect(file.told).toHaveLength(1);
  });

  test('does not wait for ever for a file that is never quiet', async () => {
    const { clock, file } = watching();
    await clock.advance(2 * WATCH_MS);
    const from = clock.monotonicMs();
    for (let n = 0; file.told.length === 1; n += 1) {
      file.mark = `change ${n}`;
      await clock.advance(WATCH_MS);
    }
    expect(clock.monotonicMs() - from).toBe(WATCH_UNQUIET_MS_MAX + WATCH_MS);
  });

  test('looks no second time while a file system does not answer, and tells nothing after its end', async () => {
    let looks = 0;
    const answer = Promise.withResolvers<string>();
    const { clock, file, watch } = watching(() => {
      looks += 1;
      return answer.promise;
    });
    await clock.advance(10 * WATCH_MS);
    expect(looks).toBe(1);
    watch[Symbol.dispose]();
    answer.resolve('there');
    await clock.advance(10 * WATCH_MS);
    expect({ looks, told: file.told, timers: clock.pending }).toEqual({ looks: 1, told: [], timers: 0 });
  });
});

describe('the mark of a file', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    path = join(folder, 'sluice.yaml');
    writeFileSync(path, 'a: 1\n');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const replace = () => {
    writeFileSync(`${path}.new`, 'a: 2\n');
    renameSync(`${path}.new`, path);
  };

  test.each<[string, () => void]>([
    ['written in place', () => writeFileSync(path, 'a: 2\n')],
    ['replaced by one of the same size', replace],
    [
      'replaced by one with the time of the old one',
      () => {
        replace();
        utimesSync(path, 1, 1);
      },
    ],
    ['removed', () => rmSync(path)],
    [
      'replaced by a folder',
      () => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
  ])('is another one when it is %s', async (_, change) => {
    utimesSync(path, 1, 1);
    const before = await fileMark(path);
    change();
    expect(await fileMark(path)).not.toBe(before);
  });

  test('is the same as long as nobody writes', async () => {
    const before = await fileMark(path);
    readFileSync(path);
    expect(await fileMark(path)).toBe(before);
  });

  test('follows links to where they lead, as a mounted ConfigMap is replaced', async () => {
    for (const version of ['v1', 'v2']) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'file'), 'a: 1\n');
    }
    symlinkSync('v1', join(folder, 'current'));
    symlinkSync('current/file', join(folder, 'link'));
    const before = await fileMark(join(folder, 'link'));
    symlinkSync('v2', join(folder, 'next'));
    renameSync(join(folder, 'next'), join(folder, 'current'));
    expect(await fileMark(join(folder, 'link'))).not.toBe(before);
  });
});
