/** Reports of ends that should not have been: what stands in them, how many are kept, and what never gets in. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  CRASH_LINES_CHARS_MAX,
  CRASH_LINES_MAX,
  CRASH_REPORT_BYTES_MAX,
  CRASH_REPORTS_MAX,
  type Crash,
  type CrashDocument,
  reportsIn,
  STACK_CHARS_MAX,
  writeCrashReport,
} from '../../src/telemetry/crash-report.ts';
import { Secrets } from '../../src/telemetry/secrets.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const crash = (more: Partial<Crash> = {}): Crash => ({
  reason: 'fault',
  message: 'it broke',
  stack: 'Error: it broke\n    at there',
  at: Date.UTC(2026, 10, 21, 7, 31, 2, 123),
  status: { state: 'running.healthy' },
  versions: { sluice: '0.1.0' },
  memory: { rss: 1 },
  uptimeMs: 5000,
  lines: ['{"level":30,"msg":"before"}'],
  ...more,
});

const same = (document: CrashDocument) => document;

test('a report has its time as its name, and says what was known', () => {
  const path = writeCrashReport(folder, crash(), same);
  expect(path).toBe(join(folder, 'crash-2026-11-21T07-31-02.123Z.json'));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
    reason: 'fault',
    message: 'it broke',
    stack: 'Error: it broke\n    at there',
    at: '2026-11-21T07:31:02.123Z',
    status: { state: 'running.healthy' },
    versions: { sluice: '0.1.0' },
    memory: { rss: 1 },
    uptimeMs: 5000,
    lines: [{ level: 30, msg: 'before' }],
  });
});

test('the newest reports are kept, and what is no report is left alone', () => {
  writeFileSync(join(folder, 'current.log'), '');
  const paths = Array.from({ length: CRASH_REPORTS_MAX + 3 }, (_, i) =>
    writeCrashReport(folder, crash({ at: 1_700_000_000_000 + i * 1000 }), same),
  );
  expect(reportsIn(folder).map((name) => join(folder, name))).toEqual(paths.slice(-CRASH_REPORTS_MAX));
  expect(readdirSync(folder)).toContain('current.log');
});

test.each([
  ['plain', 's3cr3t-token'],
  ['with a quote and a backslash', 's3"cr\\3t-token'],
  ['with a line break', 's3cr3t\ntoken'],
  ['all of digits', '90817263'],
])('no known secret gets into a report, wherever it stood: one %s', (_, secret) => {
  const secrets = new Secrets();
  secrets.add(secret);
  const number = Number(secret);
  const path = writeCrashReport(
    folder,
    crash({
      message: `failed with ${secret}`,
      stack: `at ${secret}`,
      status: {
        warnings: [secret],
        [secret]: JSON.stringify({ said: secret }),
        number,
        deep: [[{ number }]],
      },
      lines: [`${JSON.stringify({ msg: secret, number })}`, `no JSON ${secret}`],
    }),
    (document) => secrets.redactIn(document),
  );
  const text = readFileSync(path, 'utf8');
  const hidden = '[redacted]';
  const shown = Number.isNaN(number) ? null : hidden;
  expect(JSON.parse(text)).toMatchObject({
    message: `failed with ${hidden}`,
    stack: `at ${hidden}`,
    status: {
      warnings: [hidden],
      [hidden]: `{"said":"${hidden}"}`,
      number: shown,
      deep: [[{ number: shown }]],
    },
    lines: [{ msg: hidden, number: shown }, `no JSON ${hidden}`],
  });
  for (const form of [secret, JSON.stringify(secret).slice(1, -1)]) expect(text).not.toContain(form);
});

test('a report is bounded: the newest lines, and the beginning of the stack', () => {
  const many = Array.from({ length: CRASH_LINES_MAX + 50 }, (_, i) => `{"number":${i}}`);
  const path = writeCrashReport(folder, crash({ lines: many, stack: 'x'.repeat(STACK_CHARS_MAX * 2) }), same);
  const { lines, stack } = JSON.parse(readFileSync(path, 'utf8'));
  expect(lines).toHaveLength(CRASH_LINES_MAX);
  expect(lines.at(-1)).toEqual({ number: CRASH_LINES_MAX + 49 });
  expect(stack).toHaveLength(STACK_CHARS_MAX);

  const long = Array.from({ length: 10 }, (_, i) => `${i}`.repeat(CRASH_LINES_CHARS_MAX / 4));
  const other = writeCrashReport(folder, crash({ lines: long, at: 1 }), same);
  expect(JSON.parse(readFileSync(other, 'utf8')).lines).toHaveLength(4);
});

test('a report has room for the disk in all cases: lines are left out, then the status', () => {
  // Each number takes a line of its own.
  const lines = Array.from({ length: 100 }, (_, i) => JSON.stringify({ i, all: Array(1000).fill(1) }));
  const path = writeCrashReport(folder, crash({ lines }), same);
  expect(statSync(path).size).toBeLessThanOrEqual(CRASH_REPORT_BYTES_MAX);
  const kept: { i: number }[] = JSON.parse(readFileSync(path, 'utf8')).lines;
  expect(kept.map(({ i }) => i)).toEqual(Array.from(kept, (_, i) => 100 - kept.length + i));
  expect(kept.length).toBeGreaterThan(20);

  const huge = { text: 'x'.repeat(CRASH_REPORT_BYTES_MAX) };
  const other = writeCrashReport(folder, crash({ status: huge, at: 1 }), same);
  expect(JSON.parse(readFileSync(other, 'utf8'))).toMatchObject({ message: 'it broke', status: null });
});

test('a report that finds no folder says so', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => writeCrashReport(join(folder, 'file', 'below'), crash(), same)).toThrow(/ENOTDIR|EEXIST/);
});
