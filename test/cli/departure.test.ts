/** Whether somebody has a home, or will: by its files alone, written by hand here. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Context } from '../../src/cli/context.ts';
import { isOwned } from '../../src/cli/departure.ts';
import { homePaths } from '../../src/config/paths.ts';
import { processIdentity } from '../../src/process/identity.ts';
import { TestFolder } from '../support/gateway.ts';

const here = processIdentity();
/** Of this machine and boot, with a time of start that its pid does not have. */
const dead = { ...here, startTime: '1' };
const restarted = { code: 75, cause: 'restart', at: 1 };

test.each([
  ['nobody was ever there', undefined, false],
  ['a gateway lives, whether it can be reached or not', here, true],
  ['it was killed', { ...dead, supervisor: 'systemd' }, false],
  ['it was stopped', { ...dead, supervisor: 'systemd', exit: { ...restarted, code: 0 } }, false],
  ['it left for its supervisor to start the next', { ...dead, supervisor: 'systemd', exit: restarted }, true],
  [
    'it could not restart in place, and nobody looks after it',
    { ...dead, supervisor: 'none', exit: restarted },
    false,
  ],
  [
    'the next one failed to start',
    { ...dead, supervisor: 'systemd', exit: { code: 78, cause: 'config-invalid', at: 2, message: 'no' } },
    false,
  ],
])('a home: %s', (_, status, expected) => {
  using folder = new TestFolder();
  mkdirSync(folder.home);
  const paths = homePaths(folder.home, {});
  if (status !== undefined)
    writeFileSync(join(folder.home, 'status.json'), JSON.stringify({ epoch: 3, ...status }));
  expect(isOwned({ paths } as Context)).toBe(expected);
});
