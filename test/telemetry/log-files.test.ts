/** The log on disk: real files in a folder of their own, and a disk that is really full. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  EARLY_BYTES_MAX,
  LOG_BYTES_MAX,
  LOG_FILE_BYTES_MAX,
  LOG_LINE_BYTES_MAX,
  LogFiles,
  readLogLines,
} from '../../src/telemetry/log-files.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { mountSmallDisk, SMALL_DISK_MISSING } from '../support/small-disk.ts';

let home: string;
let logs: string;
let clock: FakeClock;
let problems: string[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  logs = join(home, 'logs');
  clock = new FakeClock();
  problems = [];
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

const newLog = () => new LogFiles({ clock, onProblem: (message) => problems.push(message) });

/** A line whose number tells it from the others; `bytes` long with its line break. */
function lineOf(number: number, bytes = 0): string {
  const line = JSON.stringify({ number, msg: '' });
  return `${JSON.stringify({ number, msg: 'x'.repeat(Math.max(0, bytes - line.length - 1)) })}\n`;
}

const numbersIn = (folder: string, life: 'current' | 'last') =>
  readLogLines(folder, life).map((line) => JSON.parse(line).number);

describe('a life’s log', () => {
  test('touches nothing before it is opened, and has the lines from before then', () => {
    using log = newLog();
    log.write(lineOf(1));
    log.write(lineOf(2));
    expect(existsSync(logs)).toBe(false);
    log.open(logs);
    log.write(lineOf(3));
    expect(numbersIn(logs, 'current')).toEqual([1, 2, 3]);
    expect(statSync(logs).mode & 0o777).toBe(0o700);
    expect(statSync(join(logs, 'current.log')).mode & 0o777).toBe(0o600);
  });

  test('keeps the newest of the lines from before it is opened, and says how many it left out', () => {
    using log = newLog();
    const count = EARLY_BYTES_MAX / 1024 + 5;
    for (let number = 1; number <= count; number += 1) log.write(lineOf(number, 1024));
    log.open(logs);
    const lines = readLogLines(logs, 'current').map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ leftOut: 5, msg: 'log lines left out' });
    expect(lines.slice(1).map(({ number }) => number)).toEqual(
      Array.from({ length: count - 5 }, (_, i) => i + 6),
    );
  });

  test('has between half and all of its bound of the last lines, in order, however much was written', () => {
    using log = newLog();
    log.open(logs);
    const bytes = 4096;
    const count = (3 * LOG_BYTES_MAX) / bytes;
    for (let number = 1; number <= count; number += 1) {
      log.write(lineOf(number, bytes));
      const kept = readdirSync(logs).reduce((sum, name) => sum + statSync(join(logs, name)).size, 0);
      expect(kept).toBeLessThanOrEqual(LOG_BYTES_MAX);
      expect(kept).toBeGreaterThanOrEqual(Math.min(number * bytes, LOG_FILE_BYTES_MAX));
    }
    const numbers = numbersIn(logs, 'current');
    expect(numbers.at(-1)).toBe(count);
    expect(numbers).toEqual(Array.from(numbers, (_, i) => count - numbers.length + 1 + i));
    expect(numbers.length * bytes).toBeGreaterThanOrEqual(512 * 1024);
  });

  test('becomes the last life’s at the next start, and is forgotten at the one after', () => {
    for (const life of [1, 2, 3]) {
      using log = newLog();
      log.open(logs);
      log.hasRun();
      for (let i = 0; i < 200; i += 1) log.write(lineOf(life * 1000 + i, 4096));
    }
    expect(numbersIn(logs, 'current').at(-1)).toBe(3199);
    expect(numbersIn(logs, 'last')).toEqual(Array.from({ length: 200 }, (_, i) => 2000 + i));
    expect(readdirSync(logs).toSorted()).toEqual([
      ...['current.1.log', 'current.log', 'current.ran', 'last.1.log', 'last.log'],
    ]);
  });

  test('is kept over any number of starts that fail, whose lines stand above those of the next life', () => {
    const began = (life: number, hasRun: boolean) => {
      using log = newLog();
      log.write(lineOf(life));
      log.open(logs);
      if (hasRun) log.hasRun();
      log.write(lineOf(life * 10));
    };
    began(1, true);
    began(2, true);
    for (const failed of [3, 4, 5, 6]) began(failed, false);
    expect(numbersIn(logs, 'last')).toEqual([2, 20]);
    expect(numbersIn(logs, 'current')).toEqual([3, 30, 4, 40, 5, 50, 6, 60]);
    began(7, true);
    expect(numbersIn(logs, 'last')).toEqual([2, 20]);
    expect(numbersIn(logs, 'current').slice(-2)).toEqual([7, 70]);
    began(8, true);
    expect(numbersIn(logs, 'last').slice(-2)).toEqual([7, 70]);
    expect(numbersIn(logs, 'current')).toEqual([8, 80]);
  });

  test('of starts that fail is bounded as any other, however many there are', () => {
    for (let life = 0; life < 2; life += 1) {
      using log = newLog();
      log.open(logs);
      log.hasRun();
      for (let i = 0; i < 300; i += 1) log.write(lineOf(i, 4096));
    }
    for (let start = 0; start < 30; start += 1) {
      using log = newLog();
      log.open(logs);
      for (let i = 0; i < 20; i += 1) log.write(lineOf(start * 100 + i, 4096));
      const kept = readdirSync(logs).reduce((sum, name) => sum + statSync(join(logs, name)).size, 0);
      expect(kept).toBeLessThanOrEqual(2 * LOG_BYTES_MAX);
    }
    expect(numbersIn(logs, 'current').at(-1)).toBe(2919);
    expect(numbersIn(logs, 'last').at(-1)).toBe(299);
  });

  test('goes on below the last whole line of a start that was killed', () => {
    mkdirSync(logs);
    writeFileSync(join(logs, 'current.log'), `${lineOf(1)}${lineOf(2).slice(0, 9)}`);
    using log = newLog();
    log.open(logs);
    log.write(lineOf(3));
    expect(numbersIn(logs, 'current')).toEqual([1, 3]);
  });

  test('that was being made the last life’s when its start was killed is still there', () => {
    for (const life of [1, 2]) {
      using log = newLog();
      log.open(logs);
      log.hasRun();
      for (let i = 0; i < 200; i += 1) log.write(lineOf(life * 1000 + i, 4096));
    }
    // Cut off between the mark and the first file.
    rmSync(join(logs, 'current.ran'));
    using log = newLog();
    log.open(logs);
    log.write(lineOf(3));
    expect(numbersIn(logs, 'current').slice(-2)).toEqual([2199, 3]);
  });

  test('of a few lines leaves nothing behind of the longer one before it', () => {
    for (const count of [200, 1]) {
      using log = newLog();
      log.open(logs);
      log.hasRun();
      for (let i = 0; i < count; i += 1) log.write(lineOf(i, 4096));
    }
    using log = newLog();
    log.open(logs);
    log.write(lineOf(7));
    expect(readdirSync(logs).toSorted()).toEqual(['current.log', 'last.log']);
  });

  test('leaves a line out that is too long, and goes on', () => {
    using log = newLog();
    log.open(logs);
    log.write(lineOf(1, LOG_LINE_BYTES_MAX + 1));
    log.write(lineOf(2));
    expect(readLogLines(logs, 'current').map((line) => JSON.parse(line))).toMatchObject([
      { leftOut: 1 },
      { number: 2 },
    ]);
  });

  test('is whole where a kill cut off its last line', () => {
    mkdirSync(logs);
    writeFileSync(join(logs, 'current.log'), `${lineOf(1)}${lineOf(2).slice(0, 9)}`);
    expect(numbersIn(logs, 'current')).toEqual([1]);
  });

  test('is written by nobody once it is closed', () => {
    const log = newLog();
    log.open(logs);
    log.write(lineOf(1));
    log[Symbol.dispose]();
    log.write(lineOf(2));
    expect(numbersIn(logs, 'current')).toEqual([1]);
  });

  test('is made again when somebody removes its folder', async () => {
    using log = newLog();
    log.open(logs);
    log.write(lineOf(1));
    rmSync(logs, { recursive: true });
    // What is written to a file without a name is lost; the next file has one.
    for (let i = 2; i <= 140; i += 1) log.write(lineOf(i, 4096));
    await clock.advance(1000);
    log.write(lineOf(141));
    expect(numbersIn(logs, 'current').at(-1)).toBe(141);
  });
});

describe('a log that cannot be written', () => {
  test('says so once, counts what it leaves out, and tells it as soon as there is room', async () => {
    writeFileSync(logs, 'a file in the place of the folder');
    using log = newLog();
    log.open(logs);
    log.write(lineOf(1));
    log.write(lineOf(2));
    await clock.advance(1000);
    log.write(lineOf(3));
    expect(problems).toEqual([expect.stringMatching(/^the log in .*logs cannot be written: /)]);

    rmSync(logs);
    log.write(lineOf(4));
    expect(existsSync(logs)).toBe(false);
    await clock.advance(1000);
    log.write(lineOf(5));
    expect(readLogLines(logs, 'current').map((line) => JSON.parse(line))).toMatchObject([
      { level: 40, leftOut: 4 },
      { number: 5 },
    ]);
    expect(problems).toHaveLength(1);
  });

  test.skipIf(SMALL_DISK_MISSING)('on a full disk keeps every line that it has whole', async () => {
    using disk = mountSmallDisk();
    const folder = join(disk.path, 'logs');
    using log = newLog();
    log.open(folder);
    log.write(lineOf(1));
    disk.fill();
    // The last page of the file takes some more.
    for (let number = 2; number <= 30; number += 1) log.write(lineOf(number, 1000));
    expect(problems).toEqual([expect.stringMatching(/no space left/i)]);
    const kept = numbersIn(folder, 'current');
    expect(readFileSync(join(folder, 'current.log'), 'utf8').endsWith('\n')).toBe(true);

    disk.empty();
    await clock.advance(1000);
    log.write(lineOf(31));
    const lines = readLogLines(folder, 'current').map((line) => JSON.parse(line));
    expect(lines.slice(kept.length)).toMatchObject([{ leftOut: 30 - kept.length }, { number: 31 }]);
  });
});

test('there are no lines where there is no log', () => {
  expect(readLogLines(logs, 'current')).toEqual([]);
  expect(readLogLines(logs, 'last')).toEqual([]);
});

test('of a log that something else has made too large the newest lines are read, each whole', () => {
  mkdirSync(logs);
  const count = 5000;
  const lines = Array.from({ length: count }, (_, number) => lineOf(number, 1000));
  writeFileSync(join(logs, 'current.log'), lines.join(''));
  const numbers = numbersIn(logs, 'current');
  expect(numbers.length).toBeGreaterThan(4000);
  expect(numbers).toEqual(Array.from(numbers, (_, at) => count - numbers.length + at));
});
