/** What was written in chats before: kept for the owner alone, bounded, and never in the way. */
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HISTORY_BYTES_MAX, HISTORY_ENTRIES_MAX, History } from '../../../src/cli/chat/history.ts';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  path = join(folder, 'chat-history');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('it is there in the next chat, each text as it was, for the owner alone', () => {
  const history = new History(path);
  for (const text of ['one', 'two\nlines', 'größe 日本', 'größe 日本', ' secret']) history.add(text);
  expect(new History(path).entries).toEqual(['one', 'two\nlines', 'größe 日本']);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('a file that others may read is closed to them', () => {
  writeFileSync(path, '"one"\n');
  chmodSync(path, 0o644);
  expect(new History(path).entries).toEqual(['one']);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('half a line, another JSON or a missing folder is no error', () => {
  writeFileSync(path, '"one"\n{"a":1}\n"two"\n"thr');
  expect(new History(path).entries).toEqual(['one', 'two']);
  const nowhere = new History(join(folder, 'gone', 'chat-history'));
  nowhere.add('kept in memory');
  expect(nowhere.entries).toEqual(['kept in memory']);
});

test('it holds the newest, and its file does not grow for ever', () => {
  const history = new History(path);
  const added = 3 * HISTORY_ENTRIES_MAX;
  for (let n = 0; n < added; n += 1) history.add(`entry ${n}`);
  expect(history.entries.length).toBeLessThanOrEqual(HISTORY_ENTRIES_MAX);
  expect(readFileSync(path, 'utf8').split('\n').length).toBeLessThanOrEqual(HISTORY_ENTRIES_MAX + 1);
  expect(new History(path).entries.at(-1)).toBe(`entry ${added - 1}`);
});

test('a file that is too large is written anew with the newest', () => {
  const history = new History(path);
  const long = 'x'.repeat(10_000);
  for (let n = 0; n < 200; n += 1) history.add(`${n} ${long}`);
  expect(statSync(path).size).toBeLessThan(HISTORY_BYTES_MAX + 20_000);
  expect(new History(path).entries.at(-1)).toBe(`199 ${long}`);
});

test('a file that something else has filled is left alone', () => {
  appendFileSync(path, 'x'.repeat(3 * HISTORY_BYTES_MAX));
  expect(new History(path).entries).toEqual([]);
});

test('what is no file is left alone', () => {
  mkdirSync(path);
  const history = new History(path);
  history.add('kept in memory');
  expect(history.entries).toEqual(['kept in memory']);
  expect(statSync(path).isDirectory()).toBe(true);
});
