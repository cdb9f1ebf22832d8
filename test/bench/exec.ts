/**
 * What the gateway adds to an exec quick command: from the request on the control socket to the reply, beside
 * execa with the same options and two commits as durable as the gateway's, and beside a bare spawn.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { TestGateway, testConfig } from '../support/gateway.ts';
import { BUILT, builtGateway, EXEC_CONFIG } from './daemon.ts';
import { type Bench, quantile, timed } from './measure.ts';
import { Connection } from './sockets.ts';

const RUNS = 60;

/** Turns that stream while commands run, each with a client of its own, at 50 tokens a second. */
const STREAMS = 50;
/** Of each: four seconds, longer than the commands beside them take. */
const TOKENS = 200;

let running: TestGateway | undefined;
let streaming: Streaming | undefined;
let draining: TestGateway | undefined;
let database: DatabaseSync | undefined;

async function gateways(): Promise<{
  running: Connection;
  draining: Connection;
  db: DatabaseSync;
  close: () => void;
}> {
  running ??= await builtGateway();
  if (draining === undefined) {
    draining = await builtGateway();
    await draining.request('POST', '/v1/lifecycle', { intent: 'drain' });
  }
  if (database === undefined) {
    database = new DatabaseSync(join(running.folder.path, 'bare.db'));
    database.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)',
    );
  }
  const socketOf = (gateway: TestGateway) => ({ path: join(gateway.folder.home, 'control.sock') });
  const connections = {
    running: new Connection(socketOf(running)),
    draining: new Connection(socketOf(draining)),
  };
  return {
    ...connections,
    db: database,
    close: () => {
      connections.running.close();
      connections.draining.close();
    },
  };
}

/** The same options as `src/process/exec.ts` gives execa. */
async function execaAndCommits(db: DatabaseSync): Promise<void> {
  const insert = db.prepare('INSERT INTO t (text) VALUES (?)');
  const commit = () => {
    db.exec('BEGIN IMMEDIATE');
    insert.run('nothing');
    db.exec('COMMIT');
  };
  commit();
  const env = { PATH: process.env.PATH ?? '' };
  await execa('/bin/sh', ['-c', 'true'], {
    env,
    extendEnv: false,
    stdin: 'ignore',
    detached: true,
    buffer: false,
    reject: false,
    cleanup: false,
  });
  commit();
}

const bareSpawn = (): Promise<void> =>
  new Promise((resolve) => {
    spawn('/bin/sh', ['-c', 'true'], { stdio: ['ignore', 'pipe', 'pipe'] }).once('close', () => resolve());
  });

const viaGateway = async (connection: Connection): Promise<void> => {
  const { outcome } = await connection.post('/v1/messages?wait=1', { text: '/nothing' });
  if (outcome !== 'ran') throw new Error(String(outcome));
};

/** A gateway whose agent is a model server in a process of its own. */
interface Streaming {
  readonly gateway: TestGateway;
  readonly server: ChildProcess;
}

async function startStreaming(): Promise<Streaming> {
  const server = fork(fileURLToPath(new URL('programs/token-server.ts', import.meta.url)));
  const [port] = await once(server, 'message');
  const agent = `agent: { type: openai, base_url: "http://127.0.0.1:${port}/v1", model: m, max_turns: ${STREAMS} }`;
  const gateway = await TestGateway.start({
    entry: BUILT,
    configText: testConfig(`${agent}\n${EXEC_CONFIG}`),
  });
  return { gateway, server };
}

/** Milliseconds of commands while so many turns stream. */
async function besideStreams({ gateway }: Streaming): Promise<number[]> {
  const { url, token } = await gateway.http();
  const clients = fork(fileURLToPath(new URL('programs/stream-clients.ts', import.meta.url)), [
    ...[new URL(url).port, token, STREAMS, TOKENS].map(String),
  ]);
  const over = once(clients, 'exit');
  await once(clients, 'message');
  const connection = new Connection({ path: join(gateway.folder.home, 'control.sock') });
  const samples: number[] = [];
  for (let run = 0; run < RUNS; run += 1) samples.push(await timed(() => viaGateway(connection)));
  const turns = (await gateway.status()).inFlight.turns.length;
  if (turns !== STREAMS) throw new Error(`${turns} turns were streaming at the end`);
  connection.close();
  await over;
  return samples;
}

export const exec: Bench = {
  title: 'Exec quick command `true`',
  about:
    'Request on the control socket to reply, over a kept-alive connection, one after the other; samples of all four interleaved. The baseline is execa with the gateway’s options and two FULL commits of one small row, in the bench’s own process. Then the same over the socket of a gateway through which 50 answers of a model stream, 50 tokens a second each, to clients in another process.',
  rows: {
    'gateway p50': { unit: 'ms', digits: 2 },
    'execa + two commits p50': { unit: 'ms', digits: 2 },
    'p50 to execa + two commits': { unit: '×', digits: 2, limit: { atMost: 1.3 } },
    'p95 to execa + two commits': { unit: '×', digits: 2, limit: { atMost: 1.6 } },
    'p50 to a bare spawn': { unit: '×', digits: 2 },
    'beside 50 streams, p50': { unit: 'ms', digits: 2 },
    'p50 beside 50 streams to execa + two commits at idle': { unit: '×', digits: 2, limit: { atMost: 1.3 } },
    'p95 beside 50 streams to execa + two commits at idle': { unit: '×', digits: 2, limit: { atMost: 1.6 } },
    'draining to running, p50': { unit: '×', digits: 2, limit: { atMost: 1.1 } },
  },
  async round() {
    const { running: idle, draining: leaving, db, close } = await gateways();
    const samples = {
      idle: [] as number[],
      leaving: [] as number[],
      baseline: [] as number[],
      bare: [] as number[],
    };
    for (let run = 0; run < RUNS; run += 1) {
      samples.idle.push(await timed(() => viaGateway(idle)));
      samples.baseline.push(await timed(() => execaAndCommits(db)));
      samples.leaving.push(await timed(() => viaGateway(leaving)));
      samples.bare.push(await timed(bareSpawn));
    }
    close();
    streaming ??= await startStreaming();
    const beside = await besideStreams(streaming);
    const p50 = (values: readonly number[]) => quantile(values, 0.5);
    const p95 = (values: readonly number[]) => quantile(values, 0.95);
    return {
      'gateway p50': p50(samples.idle),
      'execa + two commits p50': p50(samples.baseline),
      'p50 to execa + two commits': p50(samples.idle) / p50(samples.baseline),
      'p95 to execa + two commits': p95(samples.idle) / p95(samples.baseline),
      'p50 to a bare spawn': p50(samples.idle) / p50(samples.bare),
      'beside 50 streams, p50': p50(beside),
      'p50 beside 50 streams to execa + two commits at idle': p50(beside) / p50(samples.baseline),
      'p95 beside 50 streams to execa + two commits at idle': p95(beside) / p95(samples.baseline),
      'draining to running, p50': p50(samples.leaving) / p50(samples.idle),
    };
  },
  async dispose() {
    database?.close();
    await running?.[Symbol.asyncDispose]();
    await draining?.[Symbol.asyncDispose]();
    await streaming?.gateway[Symbol.asyncDispose]();
    streaming?.server.disconnect();
  },
};
