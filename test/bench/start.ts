/** How fast it starts and answers, and what it weighs while it does nothing; beside `node -e 0`. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/clock.ts';
import { COLLECT_AFTER_MS } from '../../src/process/heap-bounds.ts';
import { BUILT, builtGateway, TestFolder } from './daemon.ts';
import { type Bench, median, timed } from './measure.ts';

const RUNS = 8;
/** From its collection to a weight that stays. */
const SETTLES_MS = 2000;
const QUICKSTART = fileURLToPath(new URL('../../config/quickstart.yaml', import.meta.url));

const ends = (args: readonly string[]): Promise<number> =>
  timed(
    () => new Promise((resolve) => spawn(process.execPath, args, { stdio: 'ignore' }).once('close', resolve)),
  );

export const start: Bench = {
  title: 'Start, status, weight',
  about:
    'A second start in the same home until the gateway runs; `sluice status` against it from start to exit; resident memory of the quickstart when it has been idle for 3 s. The baseline is `node -e 0` from start to exit.',
  rows: {
    'second start to running': { unit: 'ms' },
    'sluice status': { unit: 'ms' },
    'node -e 0': { unit: 'ms' },
    'start to node -e 0': { unit: '×', digits: 2, limit: { atMost: 6 } },
    'status to node -e 0': { unit: '×', digits: 2, limit: { atMost: 3 } },
    'resident memory, idle': { unit: 'MB', digits: 1, limit: { atMost: 90 } },
  },
  async round() {
    using folder = new TestFolder();
    await (await builtGateway(folder)).stop();
    const starts: number[] = [];
    const statuses: number[] = [];
    const bare: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      const from = performance.now();
      const gateway = await builtGateway(folder);
      starts.push(performance.now() - from);
      bare.push(await ends(['-e', '0']));
      statuses.push(await ends([BUILT, 'status', '--home', folder.home]));
      await gateway.stop();
    }
    folder.writeConfig(readFileSync(QUICKSTART, 'utf8').replace(/127\.0\.0\.1:7171/, '127.0.0.1:0'));
    const memory = await idleMemory(folder);
    return {
      'second start to running': median(starts),
      'sluice status': median(statuses),
      'node -e 0': median(bare),
      'start to node -e 0': median(starts) / median(bare),
      'status to node -e 0': median(statuses) / median(bare),
      'resident memory, idle': memory,
    };
  },
};

/** Megabytes of the running gateway once it has collected what its start left. */
async function idleMemory(folder: TestFolder): Promise<number> {
  const { TestGateway } = await import('../support/gateway.ts');
  await using gateway = await TestGateway.start({ entry: BUILT, folder });
  await gateway.status();
  await systemClock.delay(COLLECT_AFTER_MS + SETTLES_MS);
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}
