/** Whether a program could be started anew in its process, by what lies on the disk and by the system's own word. */
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { missingFor, obstacleTo, type Program, thisProgram, wordsOf } from '../../src/process/in-place.ts';

let folder = '';
let program: Program = thisProgram([]);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-in-place-'));
  const [node, script] = [join(folder, 'node'), join(folder, 'main.js')];
  symlinkSync(process.execPath, node);
  writeFileSync(script, '');
  program = { node, options: [], script, argv: ['run'] };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ENVIRONMENT = { PATH: '/usr/bin:/bin' };

/** Something else where Node was. */
const instead = (bytes: string | Buffer, mode = 0o755): void => {
  rmSync(program.node);
  writeFileSync(program.node, bytes);
  chmodSync(program.node, mode);
};

/** The first half of a binary. */
const half = (): void => {
  rmSync(program.node);
  copyFileSync(process.execPath, program.node);
  truncateSync(program.node, Math.floor(statSync(program.node).size / 2));
};

/** Its first bytes. */
const fragment = (bytes: number): void => instead(readFileSync(process.execPath).subarray(0, bytes));

/** A binary whose header names another processor. */
const foreign = (): void => {
  const head = Buffer.from(readFileSync('/bin/true'));
  head.writeUInt16LE(0x1234, 18);
  instead(head);
};

test('nothing is missing where all is there', () => {
  expect(missingFor(program)).toBeNull();
  expect(obstacleTo(program, ENVIRONMENT)).toBeNull();
});

test('the words are those that this process was started by', () => {
  const mine = thisProgram(['run', '--home', 'h']);
  expect(wordsOf(mine)).toEqual([
    process.execPath,
    ...process.execArgv,
    process.argv[1],
    ...['run', '--home', 'h'],
  ]);
});

test('a script is also found by its name without the extension, as Node finds it', () => {
  expect(missingFor({ ...program, script: join(folder, 'main') })).toBeNull();
});

test.each<[what: string, change: () => void, says: RegExp]>([
  ['Node is gone', () => rmSync(program.node), /node is not there any more$/],
  [
    'a folder lies where it was',
    () => {
      rmSync(program.node);
      mkdirSync(program.node);
    },
    /node is no file any more$/,
  ],
  ['it may not be executed', () => instead('', 0o644), /node cannot be executed: EACCES/],
  ['the script is gone', () => rmSync(program.script), /main\.js is not there any more$/],
])('%s: that is seen on the disk', (_, change, says) => {
  change();
  expect(missingFor(program)).toMatch(says);
  expect(obstacleTo(program, ENVIRONMENT)).toBe(missingFor(program));
});

test.each<[what: string, change: () => Partial<Program> | undefined, says: RegExp]>([
  ['Node is half written', () => void half(), /does not start: it ended with SIG/],
  ['hardly any of it is written', () => void instead(Buffer.from('\x7fELF')), /node is no program$/],
  ['no more than its header is', () => void fragment(4095), /node is no program$/],
  ['it is of another machine', () => void foreign(), /node is a program for another machine$/],
  ['a text lies there', () => void instead('touch ran\n'), /node is no program$/],
  ['nothing is in it', () => void instead(''), /node is no program$/],
  [
    'another program lies there',
    () => void instead('#!/bin/sh\nexit 3\n'),
    /does not start: it ended with exit 3/,
  ],
  ['its interpreter is gone', () => void instead('#!/nowhere/sh\n'), /node cannot be started: .*ENOENT/],
  [
    'it has not that option',
    () => ({ options: ['--no-such-option'] }),
    /does not start: it ended with exit 9/,
  ],
  ['its words are too long', () => ({ argv: ['x'.repeat(200_000)] }), /node cannot be started: .*E2BIG/],
])('%s: that the system says', (_, change, says) => {
  const changed = { ...program, ...change() };
  expect(missingFor(changed)).toBeNull();
  expect(obstacleTo(changed, ENVIRONMENT)).toMatch(says);
});

test('an environment that is too large is said, too', () => {
  expect(obstacleTo(program, { ...ENVIRONMENT, HUGE: 'x'.repeat(200_000) })).toMatch(/E2BIG/);
});

test('a binary that is being written cannot be started', async () => {
  rmSync(program.node);
  copyFileSync('/bin/true', program.node);
  const { open } = await import('node:fs/promises');
  await using _ = await open(program.node, 'r+');
  expect(obstacleTo(program, ENVIRONMENT)).toMatch(/ETXTBSY/);
});
