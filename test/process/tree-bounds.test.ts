/**
 * When the result of an overdue command comes: within its timeout, its grace and what ending a tree takes, for every
 * shape of tree, with nobody left. `npm run bench -- tree-end` prints how long that last part is.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createProcesses } from '../../src/process/exec.ts';
import { inSession, survivors } from './survivors.ts';
import { TREES } from './trees.ts';

const TIMEOUT_MS = 600;
const GRACE_MS = 400;
/** The contract is 200 ms; a machine that runs other tests meanwhile may take ten times as long. */
const ENDING_MS = 2_000;

const processes = createProcesses(systemClock);
let workId = '';

afterEach(() => {
  for (const pid of survivors(workId)) process.kill(pid, 'SIGKILL');
});

describe.skipIf(process.platform !== 'linux')(
  'an overdue command is over in time, with all it started',
  () => {
    test.for(Object.entries(TREES))('%s', async ([name, command]) => {
      workId = `bounds-${process.pid}-${name.replaceAll(' ', '-')}`;
      const running = processes.start({
        ...{ command, cwd: '/', env: { PATH: process.env.PATH ?? '' }, workId },
        ...{ timeoutMs: TIMEOUT_MS, graceMs: GRACE_MS, outputBytesMax: 10_000 },
      });
      const pid = running.pid ?? 0;
      const result = await running.result;
      expect(result).toMatchObject({ started: true, ended: 'timeout' });
      expect([...survivors(workId), ...inSession(pid)]).toEqual([]);
      expect(result.durationMs).toBeGreaterThanOrEqual(TIMEOUT_MS - 1);
      expect(result.durationMs).toBeLessThan(TIMEOUT_MS + GRACE_MS + ENDING_MS);
    });
  },
);
