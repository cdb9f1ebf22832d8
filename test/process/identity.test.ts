import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import {
  isAlive,
  type ProcessIdentity,
  parseProcStat,
  parsePsLine,
  processIdentity,
} from '../../src/process/identity.ts';
import { startCommand, startProgram } from '../support/line-process.ts';
import { PATIENCE_MS } from '../support/polling.ts';

const LINUX = process.platform === 'linux';
const CAN_UNSHARE = LINUX && canUnshare();

function canUnshare(): boolean {
  try {
    execFileSync('unshare', ['--pid', '--fork', '--mount-proc', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const identityFrom = (line: string) => JSON.parse(line) as ProcessIdentity;

test('this process is alive and always the same', () => {
  expect(processIdentity()).toEqual(processIdentity());
  expect(processIdentity().pid).toBe(process.pid);
  expect(isAlive(processIdentity())).toBe(true);
});

test.each(['plain', 'odd'])('another process with a name that is %s is alive until it ends', async (kind) => {
  await using other = startProgram('print-identity', [kind]);
  const identity = identityFrom(await other.nextLine());
  expect(identity.pid).toBe(other.pid);
  expect(isAlive(identity)).toBe(true);
  await other[Symbol.asyncDispose]();
  expect(isAlive(identity)).toBe(false);
});

test('a recycled pid, another boot and a pid of nobody are dead', () => {
  const own = processIdentity();
  expect(isAlive({ ...own, startTime: `${own.startTime}0` })).toBe(false);
  expect(isAlive({ ...own, bootId: 'the boot before' })).toBe(false);
  for (const pid of [0, -1, -process.pid, 1.5, Number.NaN, 4_194_305]) {
    expect(isAlive({ ...own, pid }), String(pid)).toBe(false);
  }
});

test('a restart in place keeps the identity', async () => {
  await using program = startProgram('print-identity', ['again']);
  const first = identityFrom(await program.nextLine());
  expect(identityFrom(await program.nextLine())).toEqual(first);
  expect(isAlive(first)).toBe(true);
});

test.skipIf(!LINUX)('a zombie is dead though its pid still takes signals (needs /proc)', async () => {
  // `sleep` takes the shell's place and never asks for the child, which ends only when that is done.
  const script = 'exec 3<&0; (read line <&3) & echo $!; exec sleep 1000';
  await using parent = startCommand('/bin/sh', ['-c', script]);
  const pid = Number(await parent.nextLine());
  const patience = { timeout: PATIENCE_MS, interval: 5 };
  await vi.waitFor(() => expect(readFileSync(`/proc/${parent.pid}/comm`, 'utf8')).toBe('sleep\n'), patience);
  const stat = () => parseProcStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  expect(stat()?.zombie).toBe(false);
  parent.write('end');
  await vi.waitFor(() => expect(stat()?.zombie).toBe(true), patience);
  expect(process.kill(pid, 0)).toBe(true);
  const startTime = stat()?.startTime ?? '';
  expect(isAlive({ ...processIdentity(), pid, startTime })).toBe(false);
});

test.skipIf(!CAN_UNSHARE)('a process of another container is dead here (needs root on Linux)', async () => {
  const program = new URL('../support/programs/print-identity.ts', import.meta.url).pathname;
  const inContainer = ['--pid', '--fork', '--kill-child', '--mount-proc', process.execPath, program];
  await using container = startCommand('unshare', inContainer);
  const identity = identityFrom(await container.nextLine());
  expect(identity.pid).toBe(1);
  expect(identity.bootId).not.toBe(processIdentity().bootId);
  // Even where the start time fits: the pid is that of another process, in another place.
  const startTime = parseProcStat(readFileSync('/proc/1/stat', 'utf8'))?.startTime ?? '';
  expect(isAlive({ ...processIdentity(), pid: 1, startTime })).toBe(true);
  expect(isAlive({ ...identity, startTime })).toBe(false);
});

describe('the text of a stat file', () => {
  const fields = (state: string) => `${state} 1 7 7 0 -1 4194560 1 0 0 0 1 0 0 0 20 0 11 0 48213 1 2 3`;

  test.each(['node', 'a b', 'a) Z 1 (b', ')', '((', 'x) S 1 2\n3', ''])(
    'is read with the name %j',
    (name) => {
      expect(parseProcStat(`812 (${name}) ${fields('S')}\n`)).toEqual({ startTime: '48213', zombie: false });
    },
  );

  test.each([
    ['Z', true],
    ['X', true],
    ['T', false],
    ['D', false],
  ])('in state %s is a zombie: %s', (state, zombie) => {
    expect(parseProcStat(`812 (node) ${fields(state)}`)?.zombie).toBe(zombie);
  });

  test.each(['', '812', '812 (node', '812 (node) S 1 7', `812 (node) ${fields('S').replace('48213', 'x')}`])(
    'that is not one, %j, says nothing',
    (text) => expect(parseProcStat(text)).toBeUndefined(),
  );
});

describe('a line of ps', () => {
  test('gives the date as one word, whatever its spaces', () => {
    expect(parsePsLine('Ss+  Mon Nov  2 03:34:10 2026    \n')).toEqual({
      startTime: 'Mon Nov 2 03:34:10 2026',
      zombie: false,
    });
    expect(parsePsLine('Z    Mon Nov  2 03:34:10 2026')?.zombie).toBe(true);
  });

  test.each(['', 'S', 'S Mon Nov 2'])('that is not one, %j, says nothing', (text) => {
    expect(parsePsLine(text)).toBeUndefined();
  });
});
