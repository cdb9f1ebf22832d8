/** The lines that are printed to be typed: by which name the program is called, and how a shell reads the words. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lineOf, pathFrom, programName, shellWord } from '../../src/cli/command-line.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-name-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A package at this path in the folder, with these files. */
function packageAt(path: string, ...files: string[]): string {
  const root = join(folder, path);
  for (const file of ['package.json', ...files]) {
    mkdirSync(join(root, file, '..'), { recursive: true });
    writeFileSync(join(root, file), '');
  }
  return `${root}/`;
}

describe('the program is called', () => {
  test('sluice where it is installed for every folder', () => {
    const root = packageAt('usr/lib/node_modules/sluice', 'dist/main.js');
    expect(programName(join(folder, 'home/ada'), root)).toBe('sluice');
    expect(programName('/', root)).toBe('sluice');
  });

  test('npx sluice in a checkout', () => {
    const root = packageAt('checkout', 'dist/main.js', 'src/main.ts');
    expect(programName(root, root)).toBe('npx sluice');
    expect(lineOf(['stop'], import.meta.dirname)).toBe('npx sluice stop');
  });

  test('npx sluice in a project that depends on it and below, and sluice elsewhere', () => {
    const root = packageAt('bot/node_modules/sluice', 'dist/main.js');
    for (const cwd of ['bot', 'bot/config/deep']) {
      expect(programName(join(folder, cwd), root)).toBe('npx sluice');
    }
    expect(programName(folder, root)).toBe('sluice');
  });

  test('npx sluice where npx fetched it', () => {
    const root = packageAt('.npm/_npx/0a1b2c/node_modules/sluice', 'dist/main.js');
    expect(programName('/', root)).toBe('npx sluice');
  });
});

describe('a word of a line', () => {
  test.each(['./a', '/srv/my bot', "it's", '$HOME', 'a;b', '', '*', '~/x', 'a\nb', '-x', 'größe'])(
    'is read by a shell as it was: %j',
    (word) => {
      expect(execFileSync('/bin/sh', ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' })).toBe(
        word,
      );
    },
  );

  test('stays as it is where that is safe', () => {
    expect(shellWord('./my-bot/sluice.yaml')).toBe('./my-bot/sluice.yaml');
  });
});

test.each([
  ['/bot', '/bot/config/a.yaml', 'config/a.yaml'],
  ['/bot', '/bot/.sluice/token', '.sluice/token'],
  ['/bot', '/bot/..a/token', '..a/token'],
  ['/', '/bot/a.yaml', '/bot/a.yaml'],
  [undefined, '/bot/a.yaml', '/bot/a.yaml'],
  ['/bot', '/bot2/a.yaml', '/bot2/a.yaml'],
  ['/bot/config', '/bot/a.yaml', '/bot/a.yaml'],
  ['/bot', '/bot', '/bot'],
])('a person in %s is shown the path %s as %s', (cwd, path, shown) => {
  expect(pathFrom(cwd, path)).toBe(shown);
});
