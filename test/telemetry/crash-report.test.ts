/** Reports of ends that should not have been: what stands in them, how many are kept, and what never gets in. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  CRASH_LINES_CHARS_MAX,
  CRASH_LINES_MAX,
  CRASH_REPORTS_MAX,
  type Crash,
  reportsIn,
  STACK_CHARS_MAX,
  writeCrashReport,
} from '../../src/telemetry/crash-report.ts';
import { Secrets } from '../../src/telemetry/log.ts';

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

const same = (text: string) => text;

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

test('no known secret gets into a report, wherever it stood', () => {
  const secrets = new Secrets();
  secrets.add('s3cr3t-token');
  const path = writeCrashReport(
    folder,
    crash({
      message: 'failed with s3cr3t-token',
      stack: 'at s3cr3t-token',
      status: { warnings: ['s3cr3t-token'] },
      lines: ['{"msg":"s3cr3t-token"}', 'no JSON s3cr3t-token'],
    }),
    (text) => secrets.redact(text),
  );
  const text = readFileSync(path, 'utf8');
  expect(text).not.toContain('s3cr3t');
  expect(text.match(/\[redacted\]/g)).toHaveLength(5);
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

test('a report that finds no folder says so', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => writeCrashReport(join(folder, 'file', 'below'), crash(), same)).toThrow(/ENOTDIR|EEXIST/);
});
