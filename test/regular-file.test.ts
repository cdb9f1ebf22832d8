/** Reading and opening what may be no file at all. */
import { spawnSync } from 'node:child_process';
import { constants, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NotRegularFile, openRegularFile, readRegularFile } from '../src/regular-file.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-regular-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const thrownBy = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error;
  }
};

test.each([0, 1, 99, 100, 101, 200_000])('of %i bytes those allowed are read, and one more', (size) => {
  const path = join(folder, 'file');
  const bytes = Buffer.alloc(size, 'sluice');
  writeFileSync(path, bytes);
  expect(readRegularFile(path, 100).equals(bytes.subarray(0, 101))).toBe(true);
  expect(readRegularFile(path, 1_000_000).equals(bytes)).toBe(true);
});

test.runIf(process.platform === 'linux')('a file that does not tell its size is read to its end', () => {
  expect(readRegularFile('/proc/self/status', 1_000_000).toString('utf8')).toMatch(
    /^Name:[\s\S]*\nPid:\t\d+\n[\s\S]*\n$/,
  );
});

test.each([
  ['a pipe', false, (path: string) => void spawnSync('mkfifo', [path])],
  ['a folder', true, (path: string) => mkdirSync(path)],
])('%s is neither read nor waited for', (_, isFolder, make) => {
  const path = join(folder, 'other');
  make(path);
  const error = thrownBy(() => readRegularFile(path, 100));
  expect(error).toBeInstanceOf(NotRegularFile);
  expect(error).toMatchObject({ isFolder, message: expect.stringContaining(path) });
  const toWrite = thrownBy(() => openRegularFile(path, constants.O_WRONLY | constants.O_CREAT, 0o600));
  expect(toWrite).toMatchObject({ code: isFolder ? 'EISDIR' : 'ENXIO' });
});

test('a device is not read', () => {
  expect(thrownBy(() => readRegularFile('/dev/zero', 100))).toBeInstanceOf(NotRegularFile);
});

test('what is not there is the system’s error', () => {
  expect(thrownBy(() => readRegularFile(join(folder, 'none'), 100))).toMatchObject({ code: 'ENOENT' });
});
