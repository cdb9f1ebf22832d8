/**
 * How long a drained gateway is still there once its last turn has settled: from the settled event at the
 * client to the exit of the process, beside a bare process that says a line and calls `process.exit`.
 */
import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { join } from 'node:path';
import { builtGateway } from './daemon.ts';
import { type Bench, quantile } from './measure.ts';

const RUNS = 12;

const BARE =
  "process.stdin.once('data', () => { process.stdout.write('settled'); process.exit(0); }); process.stdout.write('ready');";

/** Milliseconds from the line to the exit of a bare process. */
function bareExit(): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['-e', BARE], { stdio: ['pipe', 'pipe', 'ignore'] });
    let at = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('ready')) child.stdin.write('x');
      if (chunk.toString().includes('settled')) at = performance.now();
    });
    child.once('exit', () => resolve(performance.now() - at));
  });
}

/** Milliseconds from the last turn's settled event to the exit of the gateway. */
async function gatewayExit(): Promise<number> {
  await using gateway = await builtGateway();
  gateway.folder.fifo('last');
  const settled = Promise.withResolvers<number>();
  const sent = request({
    socketPath: join(gateway.folder.home, 'control.sock'),
    method: 'POST',
    path: '/v1/messages',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
  });
  sent.on('response', (response) => {
    response.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('event: settled')) settled.resolve(performance.now());
    });
  });
  sent.end(JSON.stringify({ text: 'wait last' }));
  await gateway.inFlight('turns', 1);
  await gateway.request('POST', '/v1/lifecycle', { intent: 'stop' });
  const gone = new Promise<number>((resolve) => gateway.child.once('exit', () => resolve(performance.now())));
  await gateway.folder.release('last');
  return (await gone) - (await settled.promise);
}

export const leaving: Bench = {
  title: 'Last turn settled to process gone',
  about:
    'A gateway drains for a stop and one turn is left. From the client’s settled event to the exit event of the process; the flush, closing of platforms and servers, the end of the life on disk and the release of the lock lie between. Beside it a bare process that writes a line and calls `process.exit`.',
  rows: {
    'gateway p50': { unit: 'ms', digits: 1 },
    'bare process.exit p50': { unit: 'ms', digits: 1 },
    'p50 to bare': { unit: '×', digits: 2, limit: { atMost: 3 } },
    'p95 to bare': { unit: '×', digits: 2, limit: { atMost: 5 } },
  },
  async round() {
    const ours: number[] = [];
    const bare: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      ours.push(await gatewayExit());
      bare.push(await bareExit());
    }
    return {
      'gateway p50': quantile(ours, 0.5),
      'bare process.exit p50': quantile(bare, 0.5),
      'p50 to bare': quantile(ours, 0.5) / quantile(bare, 0.5),
      'p95 to bare': quantile(ours, 0.95) / quantile(bare, 0.95),
    };
  },
};
