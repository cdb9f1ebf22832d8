import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { readStatusFile } from '../../src/process/runtime-status.ts';
import { HEARTBEAT_PERIOD_MS, StatusFile } from '../../src/process/status-file.ts';
import { startProgram } from '../support/line-process.ts';
import { mountSmallDisk, SMALL_DISK_MISSING } from '../support/small-disk.ts';

let home: string;
let path: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sluice-status-'));
  path = join(home, 'status.json');
});
afterEach(() => rmSync(home, { recursive: true }));

/** A clock whose seconds pass when told; only what the status file uses of it does anything. */
function handClock(startMs = 1_800_000_000_000) {
  let nowMs = startMs;
  const beats = new Set<() => void>();
  const unused = () => {
    throw new Error('not used here');
  };
  const clock: Clock = {
    wallMs: () => nowMs,
    monotonicMs: unused,
    timer: unused,
    delay: unused,
    every(periodMs, fire) {
      expect(periodMs).toBe(HEARTBEAT_PERIOD_MS);
      beats.add(fire);
      return { [Symbol.dispose]: () => beats.delete(fire) };
    },
  };
  const second = () => {
    nowMs += HEARTBEAT_PERIOD_MS;
    for (const beat of beats) beat();
  };
  return { clock, second, beats };
}

function statusFile(epoch = 7, file = path, isOurs = () => true) {
  const time = handClock();
  const problems: Error[] = [];
  const status = new StatusFile({
    path: file,
    isOurs,
    epoch: () => epoch,
    clock: time.clock,
    onProblem: (problem) => problems.push(problem),
  });
  const read = () => readStatusFile(file, time.clock);
  return { status, problems, read, ...time };
}

const changed = { changed: true };
const counters = { changed: false };

describe('the status file', () => {
  test('is written at once when the state changes, for its owner alone, and carries the epoch', () => {
    const { status, read } = statusFile();
    status.update({ state: 'running', held: 1 }, changed);
    expect(read()?.status).toEqual({ state: 'running', held: 1, epoch: 7 });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(home)).toEqual(['status.json']);
    status[Symbol.dispose]();
  });

  test('takes counters once a second, the newest ones', () => {
    const { status, read, second } = statusFile();
    status.update({ held: 0 }, changed);
    for (const held of [1, 2, 3]) status.update({ held }, counters);
    expect(read()?.status.held).toBe(0);
    second();
    expect(read()?.status.held).toBe(3);
    status[Symbol.dispose]();
  });

  test('is not rewritten while nothing changes, and its time goes on', () => {
    const { status, read, second } = statusFile();
    status.update({ held: 0 }, changed);
    const { ino } = statSync(path);
    for (let beat = 0; beat < 3; beat += 1) {
      second();
      status.update({ held: 0 }, changed);
      expect(read()?.heartbeatAgeMs).toBeLessThan(1);
    }
    expect(statSync(path).ino).toBe(ino);
    status[Symbol.dispose]();
  });

  test('tells the age of the last heartbeat, which is never below zero', () => {
    const { status, clock } = statusFile();
    status.update({}, changed);
    status[Symbol.dispose]();
    utimesSync(path, 1_000, 1_000);
    expect(readStatusFile(path, { wallMs: () => 1_004_500 })?.heartbeatAgeMs).toBe(4_500);
    expect(readStatusFile(path, { wallMs: () => 999_000 })?.heartbeatAgeMs).toBe(0);
    expect(clock.wallMs()).toBeGreaterThan(0);
  });

  test('that somebody deleted is there again with the next heartbeat', () => {
    const { status, read, second, problems } = statusFile();
    status.update({ state: 'running' }, changed);
    rmSync(path);
    second();
    expect(read()?.status.state).toBe('running');
    expect(problems).toEqual([]);
    status[Symbol.dispose]();
  });

  test('of a dead daemon does not look alive before the new one has written', () => {
    writeFileSync(path, '{"state":"running","epoch":6}');
    utimesSync(path, 1_000, 1_000);
    const { status, second } = statusFile();
    second();
    expect(statSync(path).mtimeMs).toBe(1_000_000);
    status[Symbol.dispose]();
  });

  test('gets a last word at closing and is left alone from then on', () => {
    const { status, read, second, beats } = statusFile();
    status.update({ state: 'running' }, changed);
    status.update({ held: 9 }, counters);
    status.close({ state: 'exited' });
    expect(read()?.status).toEqual({ state: 'exited', epoch: 7 });
    expect(beats.size).toBe(0);
    const { mtimeMs } = statSync(path);
    status.update({ state: 'running' }, changed);
    status.close({ state: 'running' });
    second();
    expect(read()?.status.state).toBe('exited');
    expect(statSync(path).mtimeMs).toBe(mtimeMs);
  });

  test('of another daemon is not touched by one that has lost the home, whatever the epochs', () => {
    let ours = true;
    const old = statusFile(7, path, () => ours);
    old.status.update({ state: 'running' }, changed);
    ours = false;
    const next = statusFile(1);
    next.status.update({ state: 'starting' }, changed);
    const { mtimeMs } = statSync(path);
    old.status.update({ state: 'draining' }, changed);
    old.second();
    old.status.close({ state: 'exited' });
    expect(next.read()?.status).toEqual({ state: 'starting', epoch: 1 });
    expect(statSync(path).mtimeMs).toBe(mtimeMs);
    next.status[Symbol.dispose]();
  });

  test('is never seen in part, by a reader as fast as can be while a writer does its worst', async () => {
    const documents = 2_000;
    await using writer = startProgram('write-status', [path, String(documents)]);
    await writer.nextLine();
    let reads = 0;
    let number: unknown = 0;
    while (number !== documents && reads < 1_000_000) {
      reads += 1;
      const text = readFileSync(path, 'utf8');
      const document = JSON.parse(text);
      expect(document.filling.length).toBe(document.filled);
      number = document.number;
    }
    expect(number).toBe(documents);
    expect(await writer.ended).toEqual({ code: 0, signal: null });
    expect(readdirSync(home)).toEqual(['status.json']);
  });
});

describe('a folder that cannot be written', () => {
  test('is told once until writing works again, and never thrown', () => {
    const folder = join(home, 'gone');
    const { status, problems, second, read } = statusFile(7, join(folder, 'status.json'));
    status.update({ state: 'running' }, changed);
    second();
    second();
    expect(problems).toMatchObject([
      { code: 'STORE_UNAVAILABLE', message: expect.stringContaining('ENOENT') },
    ]);
    mkdirSync(folder);
    second();
    expect(read()?.status.state).toBe('running');
    rmSync(folder, { recursive: true });
    second();
    second();
    expect(problems).toHaveLength(2);
    status.close({ state: 'exited' });
  });
});

describe(`on a full disk${SMALL_DISK_MISSING ? ` (skipped: ${SMALL_DISK_MISSING})` : ''}`, () => {
  test.skipIf(SMALL_DISK_MISSING)(
    'the heartbeat goes on and the status stays true in the room it has',
    () => {
      using disk = mountSmallDisk();
      const { status, problems, second, read } = statusFile(7, join(disk.path, 'status.json'));
      status.update({ state: 'running', filling: 'x'.repeat(500) }, changed);
      disk.fill();
      status.update({ state: 'draining' }, changed);
      expect(read()?.status).toEqual({ state: 'draining', epoch: 7 });
      second();
      expect(read()?.heartbeatAgeMs).toBeLessThan(1);
      expect(problems).toEqual([]);
      status.close({ state: 'exited' });
      expect(read()?.status.state).toBe('exited');
      expect(readdirSync(disk.path).toSorted()).toEqual(['filler', 'status.json']);
    },
  );

  test.skipIf(SMALL_DISK_MISSING)('the last word is said in brief where all of it has no room', () => {
    using disk = mountSmallDisk();
    const { status, read } = statusFile(7, join(disk.path, 'status.json'));
    status.update({ state: 'running' }, changed);
    disk.fill();
    const brief = { state: 'exited', exit: { code: 0, cause: 'stop', at: 1 } };
    status.close({ ...brief, filling: 'x'.repeat(9_000) }, brief);
    expect(read()?.status).toEqual({ ...brief, epoch: 7 });
  });

  test.skipIf(SMALL_DISK_MISSING)(
    'a status without room keeps the old one, is told once, and comes when there is room',
    () => {
      using disk = mountSmallDisk();
      const { status, problems, second, read } = statusFile(7, join(disk.path, 'status.json'));
      status.update({ state: 'running' }, changed);
      disk.fill();
      status.update({ state: 'draining', filling: 'x'.repeat(9_000) }, changed);
      for (let beat = 0; beat < 3; beat += 1) {
        second();
        expect(read()).toMatchObject({ status: { state: 'running' } });
        expect(read()?.heartbeatAgeMs).toBeLessThan(1);
      }
      expect(problems).toMatchObject([{ message: expect.stringContaining('ENOSPC') }]);
      disk.empty();
      second();
      expect(read()?.status.state).toBe('draining');
      status[Symbol.dispose]();
    },
  );
});
