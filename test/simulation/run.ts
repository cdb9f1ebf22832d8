/**
 * Runs the simulation by hand: `npm run test:simulation -- --seeds N [--seed S] [--calm]` runs N seeds from S on, side by
 * side on all cores, prints what was met and exits 1 when a seed fails, 2 when it is told something else. One seed alone is printed event by event.
 */
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { ProgramArguments } from '../support/program-arguments.ts';
import type { Weather } from './profile.ts';
import { runSeed } from './seed.ts';
import { numbered, reportOf, runSeeds, type Tally } from './seeds.ts';

const SEEDS = 2000;

/** Seeds that a worker gets at a time. */
const SHARE = 100;

/** Reports that are printed; a defect that meets every seed needs no more. */
const REPORTS_MAX = 5;

interface Work {
  readonly first: number;
  readonly count: number;
  readonly weather: Weather;
}

/** What a worker says of its work. */
interface Done extends Omit<Tally, 'failed'> {
  readonly reports: readonly string[];
}

if (isMainThread) await main();
else parentPort?.on('message', (work: Work) => void run(work).then((done) => parentPort?.postMessage(done)));

async function run(work: Work): Promise<Done> {
  const { failed, ...sums } = await runSeeds({ ...work, failuresMax: REPORTS_MAX });
  return { ...sums, reports: failed.map(reportOf) };
}

async function main(): Promise<void> {
  const given = new ProgramArguments(
    { seeds: { type: 'string' }, seed: { type: 'string' }, calm: { type: 'boolean' } },
    'npm run test:simulation -- [--seeds N] [--seed S] [--calm]',
  );
  const first = given.count('seed', 0, 0);
  const count = given.count('seeds', SEEDS, 1);
  const weather = given.values.calm ? 'calm' : 'rough';
  const isWell = count === 1 ? await one(first, weather) : await many(first, count, weather);
  process.exitCode = isWell ? 0 : 1;
}

/** One seed, with all that happened in it. */
async function one(seed: number, weather: Weather): Promise<boolean> {
  const result = await runSeed(seed, weather);
  const isWell = result.violations.length === 0;
  console.log(numbered(result.lines()).join('\n'));
  console.log(isWell ? `seed ${seed}: nothing is wrong` : reportOf(result));
  return isWell;
}

async function many(first: number, count: number, weather: Weather): Promise<boolean> {
  const began = performance.now();
  const works: Work[] = [];
  for (let from = first; from < first + count; from += SHARE) {
    works.push({ first: from, count: Math.min(SHARE, first + count - from), weather });
  }
  const done: Done[] = [];
  const workers = Math.min(availableParallelism(), works.length);
  await Promise.all(Array.from({ length: workers }, () => work(works, done)));
  tell(done, (performance.now() - began) / 1000);
  return done.every(({ reports }) => reports.length === 0);
}

/** Works off what is left in a thread of its own; failures are told as they come. */
async function work(works: Work[], done: Done[]): Promise<void> {
  const worker = new Worker(new URL(import.meta.url));
  for (let next = works.shift(); next !== undefined; next = works.shift()) {
    const answer = new Promise<Done>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    worker.postMessage(next);
    const share = await answer;
    done.push(share);
    for (const report of share.reports) console.log(`${report}\n`);
  }
  await worker.terminate();
}

function tell(done: readonly Done[], seconds: number): void {
  const sum = (of: (share: Done) => number) => done.reduce((total, share) => total + of(share), 0);
  const pairs = new Set(done.flatMap((share) => [...share.pairs]));
  const counts = new Map<string, number>();
  for (const [what, times] of done.flatMap((share) => [...share.counts])) {
    counts.set(what, (counts.get(what) ?? 0) + times);
  }
  const seeds = sum((share) => share.seeds);
  const events = sum((share) => share.events);
  console.log(
    `${seeds} seeds in ${seconds.toFixed(1)} s: ${events} events, ${sum((share) => share.crashes)} crashes,`,
  );
  console.log(
    `${sum((share) => share.faults)} faults, ${pairs.size} distinct pairs of a fault and what it met`,
  );
  for (const [what, times] of [...counts].sort((a, b) => b[1] - a[1])) console.log(`  ${what}: ${times}`);
  console.log(`${sum((share) => share.reports.length)} seeds failed`);
}
