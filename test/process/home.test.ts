/** The folder of a gateway: this user's alone, as ssh looks at its own; and the token in it. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FAILURE_CODES } from '../../machines/exit.ts';
import { failureOf } from '../../src/errors.ts';
import type { FileSystems } from '../../src/process/file-system.ts';
import { keepToken, prepareHome, readToken } from '../../src/process/home.ts';

let folder: string;
let home: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  home = join(folder, 'home');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const modeOf = (path: string) => statSync(path).mode & 0o777;

function refusalOf(act: () => void): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** A system whose folders all lie on this file system. */
const onType = (type: number): FileSystems => ({ typeOf: () => type, mounts: () => '' });

describe('a home', () => {
  test.each([
    [0x6969, 'nfs'],
    [0xff534d42 | 0, 'cifs'],
    [0xfe534d42, 'smb2'],
    [0x01021997, '9p'],
  ])('on a network file system (%d) is refused as such, with 77', (type, name) => {
    const refused = refusalOf(() => prepareHome(home, onType(type)));
    expect(refused).toMatchObject({
      code: 'HOME_ON_NETWORK',
      message: `the home ${home} is on a network file system (${name})`,
    });
    expect(failureOf(refused).kind).toBe('no-permission');
    expect(FAILURE_CODES['no-permission']).toBe(77);
  });

  test.each([
    ['ext4', 0xef53],
    ['btrfs', 0x9123683e],
    ['tmpfs', 0x01021994],
    ['overlay', 0x794c7630],
  ])('on %s is none of that', (_, type) => {
    expect(() => prepareHome(home, onType(type))).not.toThrow();
  });

  test('that is missing is made for its owner alone', () => {
    prepareHome(join(home, 'deeper'));
    expect(modeOf(join(home, 'deeper'))).toBe(0o700);
  });

  test.skipIf(!existsSync('/proc'))(
    'in a place where nothing can be made is refused, and nobody waits',
    () => {
      expect(() => prepareHome('/proc/sluice/home')).toThrow(
        /the home \/proc\/sluice\/home cannot be used: ENOENT/,
      );
    },
  );

  test.each([0o777, 0o770, 0o1777, 0o702])('of mode %o is refused, and what to do is said', (mode) => {
    mkdirSync(home);
    chmodSync(home, mode);
    expect(() => prepareHome(home)).toThrow(
      expect.objectContaining({
        code: 'HOME_NO_PERMISSION',
        message: expect.stringContaining('may be written by other users'),
        hint: expect.stringContaining(`chmod go-w ${home}`),
      }),
    );
  });

  test.each([0o700, 0o755, 0o750])('of mode %o is taken as it is', (mode) => {
    mkdirSync(home);
    chmodSync(home, mode);
    prepareHome(home);
    expect(modeOf(home)).toBe(mode);
  });

  test.skipIf(process.getuid?.() !== 0)('of another user is refused, to root too (needs root)', () => {
    mkdirSync(home, { mode: 0o700 });
    chownSync(home, 65_534, 65_534);
    expect(() => prepareHome(home)).toThrow(/belongs to another user \(uid 65534\)/);
  });
});

describe('the token', () => {
  const problems: string[] = [];
  const read = () => readToken(join(folder, 'token'), (problem) => problems.push(problem));

  test('is made once and for its owner alone', () => {
    const token = read();
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(modeOf(join(folder, 'token'))).toBe(0o600);
    expect(read()).toBe(token);
  });

  test('that others may read is closed to them', () => {
    const token = read();
    chmodSync(join(folder, 'token'), 0o644);
    expect(read()).toBe(token);
    expect(modeOf(join(folder, 'token'))).toBe(0o600);
  });

  test('that somebody deleted is put back, and one that lies there is left alone', () => {
    const path = join(folder, 'token');
    keepToken(path, 'of this life');
    expect(readFileSync(path, 'utf8')).toBe('of this life\n');
    expect(modeOf(path)).toBe(0o600);
    writeFileSync(path, 'of the next one');
    keepToken(path, 'of this life');
    expect(readFileSync(path, 'utf8')).toBe('of the next one');
    keepToken(join(folder, 'missing', 'token'), 'of this life');
    expect(existsSync(join(folder, 'missing'))).toBe(false);
  });
});
