/** The long runs are refused where they are told what they cannot do: a typing error is no run of nothing. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const PROGRAMS = {
  crash: fileURLToPath(new URL('./long.ts', import.meta.url)),
  simulation: fileURLToPath(new URL('../simulation/run.ts', import.meta.url)),
};

test.for<[keyof typeof PROGRAMS, string]>([
  ['crash', '--kills abc'],
  ['crash', '--kills 12x'],
  ['crash', '--kills 0'],
  ['crash', '--kills=-5'],
  ['crash', '--chapter last'],
  ['crash', '--lives 5'],
  ['simulation', '--seeds abc'],
  ['simulation', '--seeds 0'],
  ['simulation', '--seeds 1.5'],
  ['simulation', '--seed first'],
])('npm run test:%s -- %s says how it is used, and leaves with 2', ([program, words]) => {
  const args = [PROGRAMS[program], ...words.split(' ')];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(new RegExp(`\nUsage: npm run test:${program} -- \\[--`));
});
