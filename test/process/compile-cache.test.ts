/** Compiled code is kept where nobody else can put any. */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compileCacheFolder } from '../../src/process/compile-cache.ts';

let base: string;
let folder: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  folder = join(base, 'sluice');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

test('in the cache folder of this user, made for nobody else', () => {
  expect(compileCacheFolder({ XDG_CACHE_HOME: base })).toBe(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(compileCacheFolder({ HOME: base })).toBe(join(base, '.cache', 'sluice'));
  expect(compileCacheFolder({ HOME: base, XDG_CACHE_HOME: 'relative' })).toBe(join(base, '.cache', 'sluice'));
});

test('nowhere, when others may write there, or it leads elsewhere', () => {
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  expect(compileCacheFolder({ XDG_CACHE_HOME: base })).toBeUndefined();
  rmSync(folder, { recursive: true });
  symlinkSync(tmpdir(), folder);
  expect(compileCacheFolder({ XDG_CACHE_HOME: base })).toBeUndefined();
  writeFileSync(join(base, 'file'), '');
  expect(compileCacheFolder({ XDG_CACHE_HOME: join(base, 'file') })).toBeUndefined();
});

test.skipIf(process.getuid?.() !== 0)('nowhere, when it is another user’s (needs root)', () => {
  mkdirSync(folder, { mode: 0o700 });
  chownSync(folder, 65_534, 65_534);
  expect(compileCacheFolder({ XDG_CACHE_HOME: base })).toBeUndefined();
});
