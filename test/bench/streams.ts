/**
 * Answers of a model as they stream through the gateway: how long a first token stays in it, and what it takes to pass
 * on 200 answers at the same time. The model server, the bare pipe and the gateway are processes of their own; all
 * times are of the machine's one monotonic clock.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { EVENT_STREAMS_MAX } from '../../src/control/event-stream.ts';
import { TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { BUILT } from './daemon.ts';
import { EventReader, type ReaderOptions } from './event-reader.ts';
import { type Bench, quantile } from './measure.ts';

const FIRST_TOKENS = 100;
const STREAMS = 200;
/** Of each stream: four seconds. */
const TOKENS = 200;

type Where = Pick<ReaderOptions, 'where' | 'headers'>;

interface Stage {
  readonly gateway: TestGateway;
  /** The gateway, and the pipe beside it. */
  readonly ours: Where;
  readonly pipe: Where;
  readonly children: readonly ChildProcess[];
}

let stage: Stage | undefined;

export const streams: Bench = {
  title: 'Streams',
  about: `A model server’s tokens on their way to the client. First tokens one at a time, from being sent to being received, over a conversation’s event stream and through a bare pipe of two HTTP connections in turn; a first token comes in one packet with the head of its answer. Then ${STREAMS} answers at 50 tokens a second, those of all at the same instant, each to a client of its own: ${EVENT_STREAMS_MAX - 1} watch their conversation, as many as are allowed, the others their message. The delay of the gateway’s event loop is the time between two timers of 1 ms; memory is the most that one gateway had by the end of each round.`,
  rows: {
    'first token through the gateway, p95': { unit: 'ms', digits: 2 },
    'first token through a bare pipe, p95': { unit: 'ms', digits: 2 },
    'added to a first token, p50': { unit: 'ms', digits: 2 },
    'added to a first token, p95': { unit: 'ms', digits: 2, limit: { atMost: 2 } },
    [`tokens of ${STREAMS} streams`]: { unit: '/s' },
    'processor time a token': { unit: 'µs', digits: 1 },
    'event loop delay, p99': { unit: 'ms', digits: 1, limit: { atMost: 20 } },
    'event loop delay, longest': { unit: 'ms', digits: 1 },
    'first token beside them, p95': { unit: 'ms', digits: 1 },
    'resident memory, most': { unit: 'MB', digits: 1, limit: { atMost: 140 } },
  },
  async round() {
    stage ??= await setStage();
    const { gateway, ours, pipe } = stage;
    const [through, bare] = await firstTokens(ours, pipe);
    await loopDelay(gateway);
    const { tokensPerSecond, beside } = await load(ours);
    const { p99, max, processorMs } = await loopDelay(gateway);
    const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))?.[1];
    return {
      'first token through the gateway, p95': quantile(through, 0.95),
      'first token through a bare pipe, p95': quantile(bare, 0.95),
      'added to a first token, p50': quantile(through, 0.5) - quantile(bare, 0.5),
      'added to a first token, p95': quantile(through, 0.95) - quantile(bare, 0.95),
      [`tokens of ${STREAMS} streams`]: tokensPerSecond,
      'processor time a token': (processorMs * 1000) / (STREAMS * TOKENS),
      'event loop delay, p99': p99,
      'event loop delay, longest': max,
      'first token beside them, p95': quantile(beside, 0.95),
      'resident memory, most': Number(kilobytes) / 1024,
    };
  },
  async dispose() {
    await stage?.gateway[Symbol.asyncDispose]();
    stage?.gateway.folder[Symbol.dispose]();
    for (const child of stage?.children ?? []) child.disconnect();
  },
};

async function setStage(): Promise<Stage> {
  const [server, serverPort] = await program('token-server.ts');
  const [pipe, pipePort] = await program('bare-pipe.ts', String(serverPort));
  const folder = new TestFolder();
  const agent = `{ type: openai, base_url: "http://127.0.0.1:${serverPort}/v1", model: m, max_turns: ${STREAMS + 1} }`;
  const gateway = await TestGateway.start({
    entry: BUILT,
    folder,
    configText: testConfig(`agent: ${agent}`),
    nodeArgs: ['--import', fileURLToPath(new URL('programs/loop-delay.mjs', import.meta.url))],
    env: { BENCH_LOOP_SOCKET: join(folder.path, 'loop.sock') },
  });
  const { url, token } = await gateway.http();
  const port = Number(new URL(url).port);
  return {
    gateway,
    ours: at(port, `authorization: Bearer ${token}\r\n`),
    pipe: at(pipePort),
    children: [server, pipe],
  };
}

/** A program of this folder, with the port that it says it listens on. */
async function program(name: string, ...args: readonly string[]): Promise<[ChildProcess, number]> {
  const child = fork(fileURLToPath(new URL(`programs/${name}`, import.meta.url)), args);
  const [port] = await once(child, 'message');
  return [child, Number(port)];
}

const at = (port: number, headers = ''): Where => ({
  where: { host: '127.0.0.1', port },
  headers: `host: 127.0.0.1:${port}\r\n${headers}`,
});

/** What the gateway says of its event loop and its processor time since it was last asked, in milliseconds. */
async function loopDelay({
  folder,
}: TestGateway): Promise<{ p99: number; max: number; processorMs: number }> {
  return JSON.parse(await text(createConnection(join(folder.path, 'loop.sock'))));
}

/** Milliseconds of first tokens through the gateway and through the pipe, in turn. */
async function firstTokens(ours: Where, pipe: Where): Promise<[number[], number[]]> {
  const [through, bare]: [number[], number[]] = [[], []];
  using watching = await watch(ours, 'first');
  for (let n = 0; n < FIRST_TOKENS; n += 1) {
    through.push(await firstToken(ours, watching));
    using piped = new EventReader({
      ...pipe,
      path: '/v1/chat/completions',
      body: { messages: [{ role: 'user', content: 'first' }] },
    });
    const took = sentAgo(piped);
    await piped.until('[DONE]');
    bare.push(await took);
  }
  return [through, bare];
}

/** A client that watches a conversation, once it is connected. */
async function watch(ours: Where, conversation: string): Promise<EventReader> {
  const reader = new EventReader({ ...ours, path: `/v1/conversations/${conversation}/events` });
  await reader.until('event: connected');
  return reader;
}

/** Milliseconds of the first token of one turn, which a watcher gets; resolves when the turn is over. */
async function firstToken(ours: Where, watching: EventReader): Promise<number> {
  const took = sentAgo(watching);
  const over = watching.until('event: settled');
  using _ = new EventReader({
    ...ours,
    path: '/v1/messages',
    body: { text: 'first', conversation: 'first' },
  });
  await over;
  return took;
}

/** How long ago the time that comes in a first token was, in milliseconds. */
function sentAgo(reader: EventReader): Promise<number> {
  return new Promise((resolve) => {
    const listener = (came: string) => {
      const now = process.hrtime.bigint();
      const sent = /at (\d+)\./.exec(came)?.[1];
      if (sent === undefined) return;
      reader.listeners.delete(listener);
      resolve(Number(now - BigInt(sent)) / 1e6);
    };
    reader.listeners.add(listener);
  });
}

/** All streams from their beginning to their end, and first tokens of another turn beside them. */
async function load(ours: Where): Promise<{ tokensPerSecond: number; beside: number[] }> {
  using open = new DisposableStack();
  const watchers: EventReader[] = [];
  for (let n = 0; n < EVENT_STREAMS_MAX - 1; n += 1) watchers.push(open.use(await watch(ours, `c${n}`)));
  let tokens = 0;
  const count = (came: string) => {
    // The whole answer comes once more at the end, as the reply.
    if (!came.includes('event: reply')) tokens += came.split(' token').length - 1;
  };
  const from = performance.now();
  const readers = Array.from({ length: STREAMS }, (_, n) => {
    const body = { text: `tokens ${TOKENS}`, conversation: `c${n}` };
    const sender = open.use(new EventReader({ ...ours, path: '/v1/messages', body }));
    const reader = watchers[n] ?? sender;
    reader.listeners.add(count);
    return reader;
  });
  const over = Promise.all(readers.map((reader) => reader.until('event: settled')));
  let running = true;
  void over.finally(() => {
    running = false;
  });
  using watching = await watch(ours, 'first');
  const beside: number[] = [];
  while (running) beside.push(await firstToken(ours, watching));
  await over;
  return { tokensPerSecond: tokens / ((performance.now() - from) / 1000), beside };
}
