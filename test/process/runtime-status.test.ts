import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { processIdentity } from '../../src/process/identity.ts';
import {
  noteFailedStart,
  type PidRecord,
  readLivingRecord,
  readOwner,
  readPidFile,
  readStatusFile,
  removePidFile,
  writePidFile,
} from '../../src/process/runtime-status.ts';
import { DOCUMENT_BYTES_MAX } from '../../src/process/whole-file.ts';
import { mountSmallDisk, SMALL_DISK_MISSING } from '../support/small-disk.ts';

let home: string;
let path: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sluice-status-'));
  path = join(home, 'status.json');
});
afterEach(() => rmSync(home, { recursive: true }));

function pidRecord(epoch = 7): PidRecord {
  return { ...processIdentity(), epoch, argv: ['sluice', 'run'], config: null, socket: '/run/control.sock' };
}

describe('the pid file', () => {
  beforeEach(() => {
    path = join(home, 'sluice.pid');
  });

  test('is read as it was written, for its owner alone', () => {
    for (const config of [null, '/etc/sluice.yaml']) {
      writePidFile(path, { ...pidRecord(), config });
      expect(readPidFile(path)).toEqual({ ...pidRecord(), config });
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(home)).toEqual(['sluice.pid']);
  });

  test('tells of a gateway that runs, and of none whose process is gone or is another one by now', () => {
    expect(readLivingRecord(path)).toBeUndefined();
    writePidFile(path, pidRecord());
    expect(readLivingRecord(path)).toEqual(pidRecord());
    for (const other of [{ startTime: '1' }, { bootId: 'another boot' }, { pid: 2 ** 30 }]) {
      writePidFile(path, { ...pidRecord(), ...other });
      expect(readPidFile(path)).toMatchObject(other);
      expect(readLivingRecord(path)).toBeUndefined();
    }
  });

  const whole = JSON.stringify({
    pid: 812,
    startTime: '48213',
    bootId: 'b',
    epoch: 7,
    argv: ['sluice'],
    config: null,
    socket: 's',
  });

  test.each([
    ['empty', ''],
    ['half-written', whole.slice(0, 40)],
    ['of another program', '812\n'],
    ['no object', '["812"]'],
    ['null', 'null'],
    ['binary', '\u0000\u0001\u0002'],
    ['with a pid that is a word', whole.replace('812', '"812"')],
    ['with a pid of zero', whole.replace('812', '0')],
    ['with an epoch below zero', whole.replace('7', '-7')],
    ['with a start time that is a number', whole.replace('"48213"', '48213')],
    ['without a boot id', whole.replace('bootId', 'boot')],
    ['with arguments that are no words', whole.replace('["sluice"]', '[1]')],
    ['with a configuration of another type', whole.replace('null', 'false')],
    ['without a socket', whole.replace('socket', 'wire')],
  ])('that is %s is read as none and stays', (_, text) => {
    writeFileSync(path, whole);
    expect(readPidFile(path)?.pid).toBe(812);
    writeFileSync(path, text);
    expect(readPidFile(path)).toBeUndefined();
    removePidFile(path, 7);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  test('that is missing, a folder or too large is read as none', () => {
    expect(readPidFile(path)).toBeUndefined();
    expect(readPidFile(home)).toBeUndefined();
    expect(readStatusFile(home, { wallMs: () => 0 })).toBeUndefined();
    writeFileSync(path, `${whole}${' '.repeat(100)}`);
    expect(readPidFile(path)?.pid).toBe(812);
    writeFileSync(path, `${whole}${' '.repeat(DOCUMENT_BYTES_MAX)}`);
    expect(readPidFile(path)).toBeUndefined();
    truncateSync(path, 0);
    expect(readStatusFile(path, { wallMs: () => 0 })).toBeUndefined();
  });

  test('is removed by the process and epoch that wrote it, and by no other', () => {
    writePidFile(path, pidRecord(8));
    removePidFile(path, 7);
    expect(readPidFile(path)?.epoch).toBe(8);
    writePidFile(path, { ...pidRecord(7), pid: process.ppid });
    removePidFile(path, 7);
    expect(readPidFile(path)?.epoch).toBe(7);
    writePidFile(path, pidRecord(7));
    removePidFile(path, 7);
    expect(existsSync(path)).toBe(false);
    removePidFile(path, 7);
  });
});

describe(`on a full disk${SMALL_DISK_MISSING ? ` (skipped: ${SMALL_DISK_MISSING})` : ''}`, () => {
  test.skipIf(SMALL_DISK_MISSING)('the pid file of a dead daemon becomes that of the new one', () => {
    using disk = mountSmallDisk();
    const file = join(disk.path, 'sluice.pid');
    writePidFile(file, { ...pidRecord(), argv: ['a longer', 'command line'] });
    disk.fill();
    writePidFile(file, pidRecord(8));
    expect(readPidFile(file)).toEqual(pidRecord(8));
    expect(() => writePidFile(join(disk.path, 'none'), pidRecord())).toThrowError(
      expect.objectContaining({ code: 'STORE_UNAVAILABLE' }),
    );
    expect(existsSync(join(disk.path, 'none'))).toBe(false);
  });
});

describe('whoever the files say runs here', () => {
  const paths = () => ({ pid: join(home, 'sluice.pid'), status: path });
  const own = processIdentity();

  test('is the pid file’s process; where that is gone or dead, the one that wrote the status', () => {
    expect(readOwner(paths())).toBeUndefined();
    writeFileSync(paths().status, JSON.stringify({ state: 'running.healthy', epoch: 3, ...own }));
    expect(readOwner(paths())).toMatchObject({ pid: process.pid, epoch: 3 });
    writePidFile(paths().pid, { ...pidRecord(2), ...own, startTime: '1' });
    expect(readOwner(paths())).toMatchObject({ pid: process.pid, epoch: 3 });
    writePidFile(paths().pid, { ...pidRecord(4), ...own });
    expect(readOwner(paths())).toMatchObject({ pid: process.pid, epoch: 4 });
  });

  test('is nobody by a status alone that a dead process wrote, or another of the same pid', () => {
    for (const wrong of [{ startTime: '1' }, { bootId: 'of another machine' }, { startTime: undefined }]) {
      writeFileSync(paths().status, JSON.stringify({ epoch: 3, ...own, ...wrong }));
      expect(readOwner(paths())).toBeUndefined();
    }
  });
});

describe('a start that failed', () => {
  test('says why in the status, which keeps the epoch of the life before', () => {
    const file = join(home, 'status.json');
    const exit = { code: 78, cause: 'config-invalid', at: 5, message: 'what is wrong' };
    writeFileSync(file, JSON.stringify({ state: 'running.healthy', epoch: 9 }));
    noteFailedStart(file, exit);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ state: 'exited', epoch: 9, exit });
    expect(readdirSync(home)).toEqual(['status.json']);
    noteFailedStart(join(home, 'missing', 'status.json'), exit);
  });
});
