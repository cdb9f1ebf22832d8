/**
 * What the gateway adds to an exec quick command: from the request on the control socket to the reply, beside
 * execa with the same options and two commits as durable as the gateway's, and beside a bare spawn.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { execa } from 'execa';
import type { TestGateway } from '../support/gateway.ts';
import { builtGateway } from './daemon.ts';
import { type Bench, quantile, timed } from './measure.ts';
import { Connection } from './sockets.ts';

const RUNS = 60;

let running: TestGateway | undefined;
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

export const exec: Bench = {
  title: 'Exec quick command `true`',
  about:
    'Request on the control socket to reply, over a kept-alive connection, one after the other; samples of all four interleaved. The baseline is execa with the gateway’s options and two FULL commits of one small row, in the bench’s own process.',
  rows: {
    'gateway p50': { unit: 'ms', digits: 2 },
    'execa + two commits p50': { unit: 'ms', digits: 2 },
    'p50 to execa + two commits': { unit: '×', digits: 2, limit: { atMost: 1.3 } },
    'p95 to execa + two commits': { unit: '×', digits: 2, limit: { atMost: 1.6 } },
    'p50 to a bare spawn': { unit: '×', digits: 2 },
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
    const p50 = (values: readonly number[]) => quantile(values, 0.5);
    const p95 = (values: readonly number[]) => quantile(values, 0.95);
    return {
      'gateway p50': p50(samples.idle),
      'execa + two commits p50': p50(samples.baseline),
      'p50 to execa + two commits': p50(samples.idle) / p50(samples.baseline),
      'p95 to execa + two commits': p95(samples.idle) / p95(samples.baseline),
      'p50 to a bare spawn': p50(samples.idle) / p50(samples.bare),
      'draining to running, p50': p50(samples.leaving) / p50(samples.idle),
    };
  },
  async dispose() {
    database?.close();
    await running?.[Symbol.asyncDispose]();
    await draining?.[Symbol.asyncDispose]();
  },
};
