/** Which folders lie on another machine's disk, by what the system tells of them. */
import { mkdtempSync, realpathSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { networkFileSystemOf } from '../../src/process/file-system.ts';

const FUSE = 0x65735546;

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice home-')));
});
afterEach(() => rmdirSync(folder));

/** As /proc/self/mounts has it. */
const mount = (point: string, kind: string) =>
  `somewhere ${point.replaceAll(' ', '\\040')} ${kind} rw,nosuid 0 0\n`;
const fuse = (...mounts: string[]) =>
  networkFileSystemOf(folder, { typeOf: () => FUSE, mounts: () => mounts.join('') });

describe('a folder made in user space', () => {
  test.each(['fuse.sshfs', 'fuse.glusterfs', 'fuse.s3fs', 'fuse.rclone'])('as %s is on a network', (kind) => {
    expect(fuse(mount('/', 'ext4'), mount(folder, kind))).toBe(kind);
  });

  test.each(['fuseblk', 'fuse.lxcfs', 'fuse.gocryptfs', 'virtiofs'])('as %s is on this machine', (kind) => {
    expect(fuse(mount('/', 'fuse.sshfs'), mount(folder, kind))).toBeUndefined();
  });

  test('belongs to the deepest mount above it, whatever the order, and to no neighbour', () => {
    const above = tmpdir();
    expect(fuse(mount(above, 'fuse.sshfs'), mount('/', 'ext4'))).toBe('fuse.sshfs');
    expect(fuse(mount('/', 'ext4'), mount(folder.slice(0, -1), 'fuse.sshfs'))).toBeUndefined();
    expect(fuse(mount('/', 'ext4'), mount(`${folder}/deeper`, 'fuse.sshfs'))).toBeUndefined();
  });

  test('belongs to the last mount where one covers another', () => {
    expect(fuse(mount(folder, 'fuse.sshfs'), mount(folder, 'fuse.gocryptfs'))).toBeUndefined();
    expect(fuse(mount(folder, 'fuse.gocryptfs'), mount(folder, 'fuse.sshfs'))).toBe('fuse.sshfs');
  });
});

test('a folder that nobody can be asked about is taken for one of this machine', () => {
  const mounts = () => {
    throw new Error('no /proc here');
  };
  expect(networkFileSystemOf(folder, { typeOf: () => FUSE, mounts })).toBeUndefined();
  expect(networkFileSystemOf(join(folder, 'missing'))).toBeUndefined();
});

test('the folder for temporary files is one of this machine', () => {
  expect(networkFileSystemOf(folder)).toBeUndefined();
});
