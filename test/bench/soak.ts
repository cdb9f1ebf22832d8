/**
 * Many quick commands for a long time: how many a second there may be at most, what is left after a minute at half of
 * that, and what the memory of a process has to do with it.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMMANDS_RUNNING_MAX } from '../../src/gateway/quick-commands.ts';
import { TestGateway, testConfig } from '../support/gateway.ts';
import { polled } from '../support/polling.ts';
import { BUILT } from './daemon.ts';
import { type Bench, median } from './measure.ts';
import { Connection } from './sockets.ts';

const CEILING_MS = 4000;
/** Each ceiling is measured so often, in turns with the other. */
const CEILINGS = 3;
const SOAK_MS = 60_000;
/** Memory is compared between the end and the time when everything has been used for a while. */
const WARM_MS = 20_000;
const WINDOW_MS = 10_000;
const SAMPLE_MS = 500;
const BALLAST_MB = [0, 200, 1000] as const;

const heldRow = (megabytes: number) => `a call of spawn, ${megabytes} MB more resident`;

let gateway: TestGateway | undefined;

export const soak: Bench = {
  title: 'Soak',
  about: `The ceiling: as many \`true\` as the gateway runs over its control socket with ${COMMANDS_RUNNING_MAX} at the same time, beside a bare process that spawns as many at the same time and does nothing else; the median of ${CEILINGS} times ${CEILING_MS / 1000} s, in turns. Then ${SOAK_MS / 1000} s of commands that come evenly at half of that, whatever becomes of those before. One round. A spawn copies the tables of the memory that is resident, and so keeps the event loop for longer the more there is: hence a bare process that holds as much more as the gateway does, and the median of one call of spawn with more memory yet.`,
  rounds: 1,
  rows: {
    'ceiling of the gateway': { unit: '/s' },
    'ceiling of a bare spawn': { unit: '/s' },
    'gateway to bare spawn': { unit: '×', digits: 2, limit: { atLeast: 0.6 } },
    'gateway to a bare spawn of its memory': { unit: '×', digits: 2 },
    'resident memory beside a bare process': { unit: 'MB' },
    'commands in the soak': { unit: '' },
    'of them lost': { unit: '', limit: { atMost: 0 } },
    'longest reply': { unit: 'ms' },
    'resident at its end': { unit: 'MB', digits: 1 },
    'memory, end to warm': { unit: '×', digits: 2, limit: { atMost: 1.1 } },
    'zombies and children left': { unit: '', limit: { atMost: 0 } },
    'descriptors left': { unit: '', limit: { atMost: 0 } },
    ...Object.fromEntries(BALLAST_MB.map((megabytes) => [heldRow(megabytes), { unit: 'ms', digits: 2 }])),
  },
  async round() {
    gateway ??= await TestGateway.start({
      entry: BUILT,
      configText: testConfig('quick_commands: { nothing: { type: exec, command: "true", concurrency: 64 } }'),
    });
    // Whatever is opened at the first command, and stays, is open by then.
    await gateway.send('/nothing');
    const before = descriptors(gateway.pid);
    const connection = new Connection({ path: join(gateway.folder.home, 'control.sock') });
    const { pid } = gateway;
    const ceilings: { ours: number; bare: number; large: number; moreMb: number }[] = [];
    for (let n = 0; n < CEILINGS; n += 1) {
      const reached = await ceiling(connection);
      const { perSecond: bare, residentMb: bareMb } = await bareSpawn(0);
      const moreMb = Math.max(0, Math.round(residentMb(pid) - bareMb));
      ceilings.push({ ours: reached, bare, large: (await bareSpawn(moreMb)).perSecond, moreMb });
    }
    const ours = median(ceilings.map((each) => each.ours));
    const soaked = await soakAt(gateway, connection, ours / 2);
    connection.close();
    const left = () => descriptors(pid) - before;
    await polled(() => left() <= 0, 'the end of the connections').catch(() => {});
    const held: Record<string, number> = {};
    for (const megabytes of BALLAST_MB) held[heldRow(megabytes)] = (await bareSpawn(megabytes, 1)).blockedMs;
    return {
      'ceiling of the gateway': ours,
      'ceiling of a bare spawn': median(ceilings.map((each) => each.bare)),
      'gateway to bare spawn': median(ceilings.map((each) => each.ours / each.bare)),
      'gateway to a bare spawn of its memory': median(ceilings.map((each) => each.ours / each.large)),
      'resident memory beside a bare process': median(ceilings.map((each) => each.moreMb)),
      ...soaked,
      'zombies and children left': children(pid),
      'descriptors left': Math.max(0, left()),
      ...held,
    };
  },
  async dispose() {
    await gateway?.[Symbol.asyncDispose]();
  },
};

async function ceiling(connection: Connection): Promise<number> {
  const from = performance.now();
  const lines = Array.from({ length: COMMANDS_RUNNING_MAX }, async () => {
    let runs = 0;
    while (performance.now() - from < CEILING_MS) {
      await connection.post('/v1/messages?wait=1', { text: '/nothing' });
      runs += 1;
    }
    return runs;
  });
  const runs = (await Promise.all(lines)).reduce((sum, each) => sum + each, 0);
  return (runs * 1000) / (performance.now() - from);
}

async function bareSpawn(
  megabytes: number,
  parallel = COMMANDS_RUNNING_MAX,
): Promise<{ perSecond: number; blockedMs: number; residentMb: number }> {
  const program = fileURLToPath(new URL('programs/bare-spawn.mjs', import.meta.url));
  const child = fork(program, [String(parallel), String(CEILING_MS), String(megabytes)]);
  const [told] = await once(child, 'message');
  return told;
}

async function soakAt({ pid }: TestGateway, connection: Connection, perSecond: number) {
  const warm: number[] = [];
  const end: number[] = [];
  const sampling = setInterval(() => {
    const atMs = performance.now() - from;
    if (atMs > WARM_MS && atMs < WARM_MS + WINDOW_MS) warm.push(residentMb(pid));
    if (atMs > SOAK_MS - WINDOW_MS) end.push(residentMb(pid));
  }, SAMPLE_MS);
  let [sent, ran, longest] = [0, 0, 0];
  const open = new Set<Promise<void>>();
  const from = performance.now();
  for (let now = from; now - from < SOAK_MS; now = performance.now()) {
    for (const due = ((now - from) * perSecond) / 1000; sent < due; sent += 1) {
      const sentAt = performance.now();
      const one = connection.post('/v1/messages?wait=1', { text: '/nothing' }).then(({ outcome }) => {
        if (outcome === 'ran') ran += 1;
        longest = Math.max(longest, performance.now() - sentAt);
        open.delete(one);
      });
      open.add(one);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(open);
  clearInterval(sampling);
  return {
    'commands in the soak': sent,
    'of them lost': sent - ran,
    'longest reply': longest,
    'resident at its end': median(end),
    'memory, end to warm': median(end) / median(warm),
  };
}

/** Those that are over and were not taken leave of are among them. */
const children = (pid: number): number =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).length;

const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
