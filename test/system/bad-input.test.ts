/**
 * What a gateway is never to be impressed by: bodies that are no messages, too much of everything, people who
 * have no business here, and clients that leave in the middle.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EventClient } from '../support/event-client.ts';
import { type HttpWhere, httpRequest, type Reply, TestGateway } from '../support/gateway.ts';
import { childrenOf, storeRows } from '../support/home-files.ts';
import { polled } from '../support/polling.ts';

const CONFIG = `agents: { cat: { type: command, command: [cat] } }
quick_commands:
  up: { type: exec, command: "echo up", concurrency: 4 }
  hold: { type: exec, command: "cat hold", concurrency: 2, timeout: 600 }`;

/** Most of it is what 10,000 requests left to the collector; what lives at the same time is a tenth. */
const RESIDENT_MB_MAX = 768;

let gateway: TestGateway;
let overHttp: HttpWhere;
let overSocket: HttpWhere;

beforeAll(async () => {
  gateway = await TestGateway.start({ config: CONFIG });
  overSocket = { socketPath: join(gateway.folder.home, 'control.sock') };
  const { url, token } = await gateway.http();
  const { hostname, port } = new URL(url);
  overHttp = { host: hostname, port: Number(port), headers: { authorization: `Bearer ${token}` } };
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
});

const withHeaders = (headers: Readonly<Record<string, string>>): HttpWhere => ({ ...overHttp, headers });

describe('a body that is no message', () => {
  const cases: readonly [string, unknown, string][] = [
    ['empty text', { text: '' }, 'text is empty'],
    ['white space', { text: ' \n\t' }, 'text is empty'],
    ['no text', {}, 'text must be a string'],
    ['a number for the text', { text: 5 }, 'text must be a string'],
    ['a list', [], 'the body must be a JSON object'],
    ['an unknown key near a known one', { text: 'x', converstion: 'a' }, 'did you mean "conversation"?'],
    ['an unknown key near none', { text: 'x', zzzzzz: 1 }, 'there is no key "zzzzzz": known are text, id, '],
    ['an empty id', { text: 'x', id: '' }, 'id must not be empty'],
    ['an endless id', { text: 'x', id: 'i'.repeat(201) }, 'id must be at most 200 characters long'],
    [
      'a busy mode nobody knows',
      { text: 'x', whenBusy: 'shout' },
      'whenBusy must be one of interrupt, queue, steer',
    ],
    [
      'attachments',
      { text: 'x', attachments: ['a'] },
      'attachments must be empty: this version takes no attachments',
    ],
    ['half a document', '{"text":', 'the body is not JSON'],
    ['nothing', '', 'the body is not JSON'],
    ['bytes that are no UTF-8', Buffer.from('{"text":"\xff"}', 'latin1'), 'the body is not valid UTF-8'],
  ];
  test.each(cases)('%s is answered with 400 and what is wrong', async (_, body, message) => {
    const reply = await gateway.request('POST', '/v1/messages', body);
    expect(reply.status).toBe(400);
    expect(reply.json.error).toMatchObject({
      code: 'MESSAGE_INVALID',
      message: expect.stringContaining(message),
    });
  });

  test.each(['true', '2', '', 'bogus', '1%1b[31m'])(
    'wait=%s is answered with 400, and nothing is done',
    async (wait) => {
      const reply = await gateway.request('POST', `/v1/messages?wait=${wait}`, {
        text: 'hello',
        id: `wait-${wait}`,
      });
      expect(reply).toMatchObject({
        status: 400,
        json: {
          error: {
            code: 'MESSAGE_INVALID',
            message: expect.stringMatching(/^wait must be 1, or be left out, and is "/),
          },
        },
      });
      expect(reply.json.error.message).not.toContain('\x1b');
      expect(
        (await gateway.request('GET', `/v1/messages/${encodeURIComponent(`wait-${wait}`)}`)).status,
      ).toBe(404);
    },
  );

  test('what is said back of a message holds nothing that a terminal obeys', async () => {
    for (const text of ['/agent \x1b[31mX\x07', '/cancel \x1b[31mX\x07']) {
      const { json } = await gateway.send(text);
      for (const obeyed of ['\x07', '\x1b']) expect(json.replies.join('')).not.toContain(obeyed);
    }
  });

  test('the lifecycle names the key that was meant, too', async () => {
    const reply = await gateway.request('POST', '/v1/lifecycle', { intent: 'drain', hury: true });
    expect(reply).toMatchObject({
      status: 400,
      json: { error: { message: 'there is no key "hury": did you mean "hurry"?' } },
    });
    expect((await gateway.status()).state).toBe('running.healthy');
  });

  test('a thousand unknown keys are answered in a few lines', async () => {
    const body = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`${'k'.repeat(200)}${n}`, n]));
    const { status, json } = await gateway.request('POST', '/v1/messages', { ...body, text: 'x' });
    expect(status).toBe(400);
    expect(JSON.stringify(json).length).toBeLessThan(2000);
  });
});

describe('too much text', () => {
  test('256 KB is a message, one byte more is refused with the limit named', async () => {
    const most = 'ä'.repeat(128 * 1024);
    const whole = await gateway.send(most, { agent: 'cat' });
    expect(whole.json).toMatchObject({ outcome: 'answered', replies: [most] });
    expect((await gateway.send(`${most}.`)).json).toMatchObject({
      admission: 'refuse',
      reason: 'limit',
      replies: ['Not taken: a message may be 256 KB long at most. Send a shorter one.'],
    });
  });

  test.each([
    ['announced', (body: string) => ({ 'content-length': String(body.length) })],
    ['sent in pieces', () => ({ 'transfer-encoding': 'chunked' })],
  ])('more than 1 MB, %s, is answered with 413', async (_, headersOf) => {
    const body = JSON.stringify({ text: 'x'.repeat(1024 * 1024) });
    const where = { ...overSocket, headers: headersOf(body) };
    expect(await httpRequest(where, 'POST', '/v1/messages', body)).toMatchObject({
      status: 413,
      json: { error: { code: 'REQUEST_TOO_LARGE', message: 'the request is larger than 1048576 bytes' } },
    });
  });

  test('a word without end is not said back whole', async () => {
    for (const text of [
      `/${'x'.repeat(200_000)}`,
      `/up ${'y'.repeat(200_000)}`,
      `/cancel ${'z'.repeat(200_000)}`,
    ]) {
      const { json } = await gateway.send(text);
      expect(json.replies).toHaveLength(1);
      expect(json.replies[0].length).toBeLessThan(300);
    }
  });
});

describe('over HTTP', () => {
  test('without the token, or with another, nothing is shown', async () => {
    for (const headers of [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: `Basic ${'a'.repeat(64)}` },
    ]) {
      for (const path of ['/v1/status', '/v1/inspect', '/', '/nothing', '/?token=wrong']) {
        const reply = await httpRequest(withHeaders(headers as Record<string, string>), 'GET', path);
        expect(reply).toMatchObject({ status: 401, json: { error: { code: 'UNAUTHORIZED' } } });
      }
    }
    expect(await httpRequest(overHttp, 'GET', '/v1/status')).toMatchObject({ status: 200 });
  });

  test('livez and readyz need no token', async () => {
    expect(await httpRequest(withHeaders({}), 'GET', '/livez')).toEqual({
      status: 200,
      json: { alive: true },
    });
    expect(await httpRequest(withHeaders({}), 'GET', '/readyz')).toMatchObject({
      status: 200,
      json: { ready: true, state: 'running.healthy', degraded: [] },
    });
  });

  test('readyz names why it is not ready by the first word of the state, and the state', async () => {
    await gateway.request('POST', '/v1/lifecycle', { intent: 'drain' });
    expect(await httpRequest(withHeaders({}), 'GET', '/readyz')).toEqual({
      status: 503,
      json: { ready: false, reason: 'draining', state: 'draining.drained' },
    });
    await gateway.request('POST', '/v1/lifecycle', { intent: 'cancel-drain' });
  });

  test('the names of hosts and of the scheme of a token know no case', async () => {
    const { headers, port } = overHttp;
    const { token } = await gateway.http();
    const from = (more: Record<string, string>) =>
      httpRequest(withHeaders({ ...headers, ...more }), 'GET', '/v1/status');
    const named = { host: `LOCALHOST:${port}`, origin: `http://LocalHost:${port}` };
    expect(await from(named)).toMatchObject({ status: 200 });
    expect(await from({ authorization: `bearer ${token}` })).toMatchObject({ status: 200 });
    expect(await from({ authorization: `bearer ${token.toUpperCase()}x` })).toMatchObject({ status: 401 });
  });

  test('another Host or Origin is kept out, even with the token', async () => {
    const { headers, port } = overHttp;
    const from = (more: Record<string, string>) =>
      httpRequest(withHeaders({ ...headers, ...more }), 'GET', '/v1/status');
    for (const foreign of [
      { host: 'evil.example' },
      { host: `evil.example:${port}` },
      { host: '127.0.0.1' },
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { origin: `https://127.0.0.1:${port}` },
    ]) {
      expect(await from(foreign), JSON.stringify(foreign)).toMatchObject({
        status: 403,
        json: { error: { code: 'FORBIDDEN_ORIGIN' } },
      });
    }
    expect(await from({ host: `localhost:${port}`, origin: `http://localhost:${port}` })).toMatchObject({
      status: 200,
    });
  });

  test('/?token= sets a cookie that works instead of the header, and leaves the address', async () => {
    const { token } = await gateway.http();
    const answer = await new Promise<{
      status: number | undefined;
      cookie: string;
      location: string | undefined;
    }>((resolve, reject) => {
      request({ ...withHeaders({}), path: `/?token=${token}`, agent: false }, (response) => {
        response.resume();
        const [cookie = ''] = response.headers['set-cookie'] ?? [];
        resolve({ status: response.statusCode, cookie, location: response.headers.location });
      })
        .once('error', reject)
        .end();
    });
    expect(answer).toMatchObject({ status: 303, location: '/' });
    expect(answer.cookie).toMatch(/; HttpOnly; SameSite=Strict$/);
    const [pair = ''] = answer.cookie.split(';');
    expect(await httpRequest(withHeaders({ cookie: pair }), 'GET', '/v1/status')).toMatchObject({
      status: 200,
    });
    const other = withHeaders({ cookie: pair.replace(/.$/, 'x') });
    expect(await httpRequest(other, 'GET', '/v1/status')).toMatchObject({ status: 401 });
  });

  test('an unknown path is 404 and another method 405, in words', async () => {
    expect(await httpRequest(overHttp, 'GET', '/v2/status')).toMatchObject({
      status: 404,
      json: { error: { code: 'NOT_FOUND', message: 'there is nothing at /v2/status' } },
    });
    expect(await httpRequest(overHttp, 'DELETE', '/v1/messages')).toMatchObject({
      status: 405,
      json: {
        error: { code: 'METHOD_NOT_ALLOWED', message: '/v1/messages takes GET, HEAD, POST, not DELETE' },
      },
    });
  });
});

describe('a client that leaves', () => {
  test('in the middle of its body is not heard of again', async () => {
    const before = (await gateway.status()).inFlight;
    await new Promise<void>((resolve) => {
      const half = request({
        ...overSocket,
        method: 'POST',
        path: '/v1/messages',
        agent: false,
        headers: { 'content-length': '100' },
      });
      half.once('error', () => resolve());
      half.once('socket', (socket) =>
        socket.once('connect', () => half.write('{"text":"never', () => half.destroy(new Error('gone')))),
      );
    });
    expect((await gateway.status()).inFlight).toEqual(before);
  });

  test.each(['text/event-stream', 'application/json'])(
    'while its turn runs (%s) loses nothing: the same id has the outcome',
    async (accept) => {
      const name = `left-${accept.length}`;
      gateway.folder.fifo(name);
      const sent = request({
        ...overSocket,
        method: 'POST',
        path: '/v1/messages?wait=1',
        agent: false,
        headers: { accept, 'content-type': 'application/json' },
      });
      sent.on('error', () => {});
      sent.end(JSON.stringify({ text: `wait ${name}`, id: name }));
      await gateway.inFlight('turns', 1);
      sent.destroy();
      await gateway.folder.release(name);
      expect(await gateway.outcome(name)).toMatchObject({
        outcome: 'answered',
        replies: [`started ${name}\nfinished ${name}\n`],
      });
    },
  );
});

describe('the live chart', () => {
  test('the chart and a snapshot come first, then events, edges and what they led to, and no text', async () => {
    using client = await EventClient.open(overSocket, '/v1/inspect');
    const { data: snapshot } = await client.next((one) => one.event === 'snapshot');
    expect(client.events.map((one) => one.event).slice(0, 2)).toEqual(['definition', 'snapshot']);
    const { states, edges } = client.events[0]?.data ?? {};
    const paths = states.map(({ path }: { path: string }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(['', 'starting', 'draining.drained', 'exited', snapshot.state]),
    );
    expect(edges).toContainEqual(
      expect.objectContaining({ event: 'started', from: 'starting', to: 'running.healthy', guard: null }),
    );
    await gateway.send('a secret word', { id: 'seen' });
    const event = await client.next((one) => one.event === 'event' && one.data.event.type === 'message.turn');
    expect(event.data).toMatchObject({ actor: 'gateway', admission: 'dispatch' });
    expect(event.id).toMatch(/^\d+\.\d+$/);
    const edge = await client.next((one) => one.event === 'edge');
    expect(edges.map(({ id }: { id: string }) => id)).toContain(edge.data.transition);
    const settled = await client.next(
      (one) => one.event === 'event' && one.data.event.type === 'work.settled',
    );
    expect(settled.data).not.toHaveProperty('admission');
    const numbers = client.events.filter((one) => one.event === 'event').map((one) => one.data.number);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(client.text).not.toContain('secret word');
  });

  test('the 33rd client is refused, and a place that came free is given again', async () => {
    using stack = new DisposableStack();
    for (let count = 0; count < 32; count += 1) stack.use(await EventClient.open(overSocket, '/v1/inspect'));
    expect(await gateway.request('GET', '/v1/inspect')).toMatchObject({
      status: 503,
      json: { error: { code: 'TOO_MANY_STREAMS', message: '32 clients are connected already' } },
    });
    // A sender who follows its own message is no client of the chart.
    using sender = await EventClient.open(overSocket, '/v1/messages', { text: 'hello' });
    await sender.next((one) => one.event === 'settled');
    stack.dispose();
    await untilTaken(() => EventClient.open(overSocket, '/v1/inspect'));
  });

  test('a client that reads nothing is left behind, and told how many events it missed', async () => {
    using client = await EventClient.open(overSocket, '/v1/inspect');
    const { data: snapshot } = await client.next((one) => one.event === 'snapshot');
    client.pause();
    await flood(1500, (n) => ({ text: '/nothing', id: `stalled-${n}` }));
    client.resume();
    const dropped = await client.next((one) => one.event === 'dropped');
    expect(dropped.data.count).toBeGreaterThan(0);
    await gateway.send('/status', { id: 'after-the-flood' });
    const behind = client.events.indexOf(dropped);
    const later = await client.next((one) => one.event === 'event' && client.events.indexOf(one) > behind);
    expect(later.data.number).toBeGreaterThan(snapshot.number);
  });
});

describe('10,000 messages at once', () => {
  test('each gets one decision, limits refuse with their count, and the gateway goes on answering', async () => {
    await using busy = await TestGateway.start({ config: `${CONFIG}\nshutdown: { kill_grace: 1 }` });
    busy.folder.fifo('hold');
    const kinds = ['wait hold', '/hold', '/status'];
    const target = { socketPath: join(busy.folder.home, 'control.sock') };
    const answered = flood(
      10_000,
      (n) => ({ text: kinds[n % 3], id: `m-${n}`, conversation: `c-${n % 50}` }),
      target,
    );
    let asked = 0;
    let done = false;
    void answered.then(() => (done = true));
    while (!done) {
      expect((await busy.status()).state).toBe('running.healthy');
      asked += 1;
    }
    const replies = await answered;
    expect(asked).toBeGreaterThan(5);

    expect(replies.filter(({ status }) => status !== 202)).toEqual([]);
    expect(new Set(replies.map(({ json }) => json.messageId)).size).toBe(10_000);
    const count = (kind: string, admission: string) =>
      replies.filter(({ json }) => json.kind === kind && json.admission === admission).length;
    expect(count('control', 'dispatch')).toBe(3333);
    expect(count('turn', 'dispatch')).toBe(1008);
    expect(count('turn', 'refuse')).toBe(3334 - 1008);
    expect(count('exec', 'dispatch')).toBe(1002);
    expect(count('exec', 'refuse')).toBe(3333 - 1002);
    const texts = new Set(replies.flatMap(({ json }) => (json.admission === 'refuse' ? [json.text] : [])));
    expect([...texts].sort()).toEqual([
      'Not run: 1000 commands wait for a free place already. Send it again in a moment, or see /ps.',
      'Not taken: 1000 turns wait for a free place already. Send it again in a while.',
    ]);
    expect(residentMb(busy.pid)).toBeLessThan(RESIDENT_MB_MAX);

    expect((await busy.send('/stop now', { id: 'leave' })).json).toMatchObject({ outcome: 'done' });
    expect((await busy.exited).code).toBe(0);
    const rows = storeRows(
      busy.folder.home,
      "SELECT kind, phase, count(*) AS n FROM inbox WHERE id <> '' GROUP BY 1, 2",
    );
    expect(rows.reduce((sum, row) => sum + Number(row.n), 0)).toBe(10_001);
    expect(rows.filter((row) => row.phase !== 'settled')).toEqual([
      { kind: 'turn', phase: 'awaiting-resume', n: 8 },
      { kind: 'turn', phase: 'held', n: 1000 },
    ]);
  });
});

test('no reply and no log line shows the token, a stack or a path of the source', async () => {
  const { token } = await gateway.http();
  const shown: unknown[] = [await gateway.status()];
  for (const text of ['/status', '/help', '/ps', 'fail loudly', '/up', '/nothing', '/cancel x']) {
    shown.push(await gateway.send(text));
  }
  for (const body of ['{', { text: 5 }, { text: 'x', token }]) {
    shown.push(await gateway.request('POST', '/v1/messages', body));
  }
  const leaks = new RegExp(`${token}|\\.[tj]s:\\d+|node_modules|\\bat [\\w.]+ \\(.{0,80}`, 'g');
  expect(JSON.stringify(shown).match(leaks)).toBeNull();
  expect(gateway.stderr.match(leaks)).toBeNull();
});

test('after 200 messages of every kind no child, no descriptor and no stream is left', async () => {
  await flood(1, () => ({ text: '/up', id: 'warm' }));
  await gateway.statusWhere(({ inFlight }) => inFlight.turns.length + inFlight.commands.length === 0);
  const before = descriptors(gateway.pid);
  const kinds = ['hello', '/up', '/status', 'fail it', '/nobody', 'silent'];
  const streams = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      EventClient.open(
        overSocket,
        n % 2 === 0 ? '/v1/inspect' : '/v1/messages',
        n % 2 === 0 ? undefined : { text: 'hello' },
      ),
    ),
  );
  await flood(200, (n) => ({ text: kinds[n % 6], id: `mixed-${n}`, conversation: `c-${n % 20}` }));
  for (const stream of streams) stream[Symbol.dispose]();
  await gateway.statusWhere(({ inFlight }) => inFlight.turns.length + inFlight.commands.length === 0);
  expect(await gateway.outcome('mixed-197')).toMatchObject({ outcome: 'failed' });
  expect(childrenOf(gateway.pid)).toEqual([]);
  // A connection that its client has closed is closed here a moment later.
  await gateway.statusWhere(() => descriptors(gateway.pid) <= before);
});

/** Sends so many messages over connections that are kept open, and gives the replies in the order of sending. */
async function flood(
  count: number,
  message: (n: number) => Readonly<Record<string, unknown>>,
  where: HttpWhere = overSocket,
): Promise<Reply[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  const post = (n: number) =>
    new Promise<Reply>((resolve, reject) => {
      const sent = request({ ...where, agent, method: 'POST', path: '/v1/messages' }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, json: JSON.parse(text) }));
      });
      sent.once('error', reject);
      sent.end(JSON.stringify(message(n)));
    });
  try {
    return await Promise.all(Array.from({ length: count }, (_, n) => post(n)));
  } finally {
    agent.destroy();
  }
}

const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** Opens a stream as soon as one may be opened. */
const untilTaken = (open: () => Promise<EventClient>): Promise<boolean> =>
  polled(async () => {
    using client = await open();
    return client.status === 200;
  }, 'a place for one more client');
