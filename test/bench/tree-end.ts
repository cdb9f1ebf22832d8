/**
 * How much longer than its timeout and grace an overdue command takes until its result is there and none of its
 * processes is left, for every shape of tree that the tests know. Those that heed TERM need no grace and come early.
 */
import { systemClock } from '../../src/clock.ts';
import { createProcesses } from '../../src/process/exec.ts';
import { inSession, survivors } from '../process/survivors.ts';
import { TREES } from '../process/trees.ts';
import { type Bench, quantile } from './measure.ts';

const TIMEOUT_MS = 400;
const GRACE_MS = 200;

const processes = createProcesses(systemClock);
let number = 0;

/** Milliseconds after timeout and grace at which the result came; throws when somebody is left. */
async function overrun(command: string): Promise<number> {
  number += 1;
  const workId = `bench-tree-end-${process.pid}-${number}`;
  const running = processes.start({
    ...{ command, cwd: '/', env: { PATH: process.env.PATH ?? '' }, workId },
    ...{ timeoutMs: TIMEOUT_MS, graceMs: GRACE_MS, outputBytesMax: 10_000 },
  });
  const { durationMs, ended } = await running.result;
  const left = [...survivors(workId), ...inSession(running.pid ?? 0)];
  if (left.length > 0 || ended !== 'timeout')
    throw new Error(`${command}: ${ended}, left ${left.join(', ')}`);
  return durationMs - TIMEOUT_MS - GRACE_MS;
}

export const treeEnd: Bench = {
  title: 'The end of a tree',
  about: `A command that outlives its timeout (${TIMEOUT_MS} ms) and, where it ignores TERM, its grace (${GRACE_MS} ms): how much later than both its result comes, with none of its processes left. One run of each shape of tree a round, one after the other; negative is before the grace was over.`,
  rows: {
    'fastest shape': { unit: 'ms' },
    'median of the shapes': { unit: 'ms' },
    'slowest shape': { unit: 'ms', limit: { atMost: 200 } },
  },
  async round() {
    const overruns: number[] = [];
    for (const command of Object.values(TREES)) overruns.push(await overrun(command));
    return {
      'fastest shape': Math.min(...overruns),
      'median of the shapes': quantile(overruns, 0.5),
      'slowest shape': Math.max(...overruns),
    };
  },
};
