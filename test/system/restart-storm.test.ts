/**
 * Commands that come while the gateway restarts again and again, at every face: each either runs, once, or was not
 * taken at all and is sent again under its id. None is refused for the state the gateway is in.
 */
import { request } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { TestGateway } from '../support/gateway.ts';
import { polled } from '../support/polling.ts';
import { BundledGateway } from '../support/stand-in/gateway.ts';

/** Few enough that the gateway is sometimes idle: in-flight commands hold a drain, and a restart would take its whole time. */
const SENDERS = 4;

/** A long form is asked for by the environment. */
const RESTARTS = Number(process.env.SLUICE_TEST_RESTARTS ?? 3);

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads of a reply is what it asserts on.
  readonly json: any;
}

type Face = { readonly socketPath: string } | { readonly port: string; readonly token: string };

/** One message over a connection that is kept for the next; undefined when the connection was refused or cut. */
function post(face: Face, body: object): Promise<Answer | undefined> {
  const { socketPath, port, token } = { socketPath: undefined, port: undefined, token: '', ...face };
  return new Promise((resolve) => {
    const sent = request({
      ...(socketPath === undefined ? { host: '127.0.0.1', port } : { socketPath }),
      method: 'POST',
      path: '/v1/messages?wait=1',
      headers: {
        host: `127.0.0.1:${port}`,
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
      },
    });
    sent.on('error', () => resolve(undefined));
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      response.on('error', () => resolve(undefined));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, json: JSON.parse(text) }));
    });
    sent.end(JSON.stringify(body));
  });
}

/** Where the gateway is: its address changes with each life, and between two of them there is none to be asked. */
interface Whereabouts {
  url: URL;
  readonly token: string;
  /** Resolved while a life runs. */
  running: PromiseWithResolvers<void>;
}

/** The answer to this message, sent under one id until it has one: a gateway that left has done nothing. */
async function answered(where: Whereabouts, face: () => Face, id: string): Promise<Answer> {
  for (;;) {
    const answer = await post(face(), { text: '/up', id });
    if (answer !== undefined && answer.status !== 503) return answer;
    if (answer === undefined) {
      await where.running.promise;
      continue;
    }
    expect(answer.json.error.code).toBe('GATEWAY_LEFT');
  }
}

test(`through ${RESTARTS} restarts every command runs once, and none is refused for the state`, async () => {
  using bundle = await BundledGateway.build();
  await using gateway = await TestGateway.start({
    entry: bundle.entry,
    config: 'quick_commands: { up: { type: exec, command: ["true"], concurrency: 20 } }',
  });
  const { url, token } = await gateway.http();
  const where: Whereabouts = { url: new URL(url), token, running: Promise.withResolvers() };
  where.running.resolve();
  const overHttp = () => ({ port: where.url.port, token });
  const overSocket = () => ({ socketPath: join(gateway.folder.home, 'control.sock') });
  const answers: Answer[] = [];
  let isOver = false;
  const senders = Array.from({ length: SENDERS }, async (_, sender) => {
    for (let count = 0; !isOver; count += 1) {
      answers.push(await answered(where, sender % 2 === 0 ? overSocket : overHttp, `s${sender}-${count}`));
    }
  });
  for (let life = 2; life <= RESTARTS + 1; life += 1) {
    where.running = Promise.withResolvers();
    await gateway.request('POST', '/v1/lifecycle', { intent: 'restart' });
    await gateway.ready(life);
    where.url = new URL((await gateway.http()).url);
    where.running.resolve();
    await polled(() => answers.length >= life * SENDERS * 2 || undefined, 'every life to be busy');
  }
  isOver = true;
  await Promise.all(senders);
  expect(await gateway.stop()).toMatchObject({ code: 0 });

  const not = answers.filter(({ json }) => json.outcome !== 'ran' || json.admission !== 'dispatch');
  expect(not).toEqual([]);
  using database = new DatabaseSync(join(gateway.folder.home, 'sluice.db'), { readOnly: true });
  const rows = database.prepare("SELECT count(*) AS rows FROM inbox WHERE kind = 'exec'").get();
  expect(rows).toEqual({ rows: answers.length });
  const others = "SELECT admission, reason, outcome FROM inbox WHERE kind = 'exec' AND outcome IS NOT 'ran'";
  expect(database.prepare(others).all()).toEqual([]);
});
