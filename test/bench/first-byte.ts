/**
 * What the gateway adds to an agent program: from the request on the control socket to the first byte of the answer at
 * whoever waits, beside the same program started by execa as the gateway starts it, up to its first byte.
 */
import { join } from 'node:path';
import { execa } from 'execa';
import { TestGateway, testConfig } from '../support/gateway.ts';
import { BUILT } from './daemon.ts';
import { EventReader } from './event-reader.ts';
import { type Bench, quantile, timed } from './measure.ts';

const RUNS = 60;

/** Prints one line and ends: the fastest answer that a program can give. */
const AGENT = 'echo first';

let gateway: TestGateway | undefined;

async function throughGateway({ folder }: TestGateway): Promise<void> {
  using reader = new EventReader({
    where: { path: join(folder.home, 'control.sock') },
    headers: 'host: localhost\r\n',
    path: '/v1/messages',
    body: { text: 'hello' },
  });
  await reader.until('first');
}

function bare(cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execa('/bin/sh', ['-c', AGENT], {
      cwd,
      env: { PATH: process.env.PATH ?? '' },
      extendEnv: false,
      input: 'hello',
      detached: true,
      buffer: false,
      reject: false,
      cleanup: false,
    });
    child.stdout.once('data', () => resolve());
    child.catch(reject);
  });
}

export const firstByte: Bench = {
  title: 'First byte of a local agent',
  about:
    'A message on the control socket, each on a connection of its own, to the first byte of the answer of an agent program (`echo`), beside the same program under execa with the gateway’s options, to its first byte. In between stand two durable commits: the message with its turn, before the program is started.',
  rows: {
    'gateway p50': { unit: 'ms', digits: 2 },
    'execa alone p50': { unit: 'ms', digits: 2 },
    'added, p50': { unit: 'ms', digits: 2 },
    'added, p95': { unit: 'ms', digits: 2, limit: { atMost: 5 } },
  },
  async round() {
    gateway ??= await TestGateway.start({
      entry: BUILT,
      configText: testConfig(`agent: { type: command, command: "${AGENT}", max_turns: 64 }`),
    });
    const samples = { through: [] as number[], alone: [] as number[] };
    const running = gateway;
    for (let run = 0; run < RUNS; run += 1) {
      samples.through.push(await timed(() => throughGateway(running)));
      samples.alone.push(await timed(() => bare(running.folder.path)));
    }
    const at = (values: readonly number[], q: number) => quantile(values, q);
    return {
      'gateway p50': at(samples.through, 0.5),
      'execa alone p50': at(samples.alone, 0.5),
      'added, p50': at(samples.through, 0.5) - at(samples.alone, 0.5),
      'added, p95': at(samples.through, 0.95) - at(samples.alone, 0.95),
    };
  },
  async dispose() {
    await gateway?.[Symbol.asyncDispose]();
  },
};
