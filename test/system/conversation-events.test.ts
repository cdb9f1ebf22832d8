/** A conversation's events from a real gateway: live, resumed over restarts and kills, to slow clients and many. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MISSED_MESSAGES_MAX } from '../../src/control/conversation-events.ts';
import { EVENT_STREAMS_MAX } from '../../src/control/event-stream.ts';
import { EventClient, type ServerEvent } from '../support/event-client.ts';
import { httpRequest, TestFolder, TestGateway } from '../support/gateway.ts';
import { PATIENCE_MS } from '../support/polling.ts';

const QUICK = `display: { busy_input_mode: queue }
quick_commands:
  up: { type: exec, command: "echo up" }`;

const pathOf = (key: string) => `/v1/conversations/${encodeURIComponent(key)}/events`;

function listen(gateway: TestGateway, key = 'default', lastEventId?: string): Promise<EventClient> {
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  return EventClient.open({ socketPath: join(gateway.folder.home, 'control.sock'), headers }, pathOf(key));
}

const is =
  (event: string, data: Record<string, unknown> = {}) =>
  (one: ServerEvent) =>
    one.event === event && Object.entries(data).every(([name, value]) => one.data[name] === value);

/** Names and texts, in order, without what is of the moment. */
const lasting = ({ events }: EventClient): string[] =>
  events
    .filter(({ event }) => !['delta', 'typing'].includes(event))
    .map(({ event, data }) => [event, data.text ?? data.outcome].filter(Boolean).join(' '));

const lastId = ({ events }: EventClient): string => events.findLast(({ id }) => id !== undefined)?.id ?? '';

describe('live', () => {
  test('a turn is its message, typing, deltas, the reply and its outcome, under the key it was sent with', async () => {
    await using gateway = await TestGateway.start({ config: QUICK });
    const keys = ['default', 'a/b', 'größe 日本/?#&%', 'x:y', 'local:named', '100%25', 'k'.repeat(200)];
    for (const key of keys) {
      using client = await listen(gateway, key);
      await client.next(is('connected'));
      await gateway.send('hi', { conversation: key, id: `to ${key}`.slice(0, 200) });
      await client.next(is('settled'));
      expect(client.events.map(({ event }) => event)).toEqual([
        'connected',
        'message',
        'typing',
        'delta',
        'typing',
        'reply',
        'settled',
      ]);
      expect(lasting(client)).toEqual(['connected', 'message hi', 'reply echo: hi\n', 'settled answered']);
      const [, message, begins, delta, ends] = client.events;
      expect(message?.data).toMatchObject({ sender: 'local:owner', kind: 'turn', admission: 'dispatch' });
      expect(delta?.data).toEqual({ messageId: message?.data.messageId, text: 'echo: hi\n', offset: 0 });
      expect([begins?.data.on, ends?.data.on]).toEqual([true, false]);
    }
  });

  test('a client that comes in the middle of a turn is told that an agent answers, and hears nothing of before', async () => {
    await using gateway = await TestGateway.start({ config: QUICK });
    await gateway.send('before');
    gateway.folder.fifo('one');
    const turn = gateway.send('wait one');
    await gateway.inFlight('turns', 1);
    using client = await listen(gateway);
    await client.next(is('typing', { on: true }));
    await gateway.folder.release('one');
    await turn;
    await client.next(is('settled'));
    expect(lasting(client)).toEqual(['connected', 'reply started one\nfinished one\n', 'settled answered']);
  });

  test('a name that is none is refused, and so is whoever has no token', async () => {
    await using gateway = await TestGateway.start({ config: QUICK });
    for (const key of [' ', 'k'.repeat(201)]) {
      expect(await gateway.request('GET', pathOf(key))).toMatchObject({
        status: 400,
        json: { error: { code: 'MESSAGE_INVALID' } },
      });
    }
    for (const path of [
      '/v1/conversations/%zz/events',
      '/v1/conversations/a/b/events',
      pathOf('k'.repeat(9000)),
    ])
      expect((await gateway.request('GET', path)).status).toBe(404);
    expect((await gateway.request('POST', pathOf('a'), {})).status).toBe(405);
    const { url, token } = await gateway.http();
    const { hostname: host, port } = new URL(url);
    const where = { host, port: Number(port) };
    expect((await httpRequest(where, 'GET', pathOf('a'))).status).toBe(401);
    const headers = { authorization: `Bearer ${token}` };
    using client = await EventClient.open({ ...where, headers }, pathOf('a'));
    expect(client.status).toBe(200);
  });
});

describe('resumed', () => {
  test('a stream ends with the time to come back when the gateway restarts, and goes on in its next life', async () => {
    await using gateway = await TestGateway.start({ config: QUICK });
    gateway.folder.fifo('one');
    using client = await listen(gateway);
    const turn = gateway.send('wait one');
    await client.next(is('delta'));
    await gateway.request('POST', '/v1/lifecycle', { intent: 'restart' });
    await gateway.entered('draining.waiting');
    await gateway.post('kept', { id: 'kept' });
    await gateway.folder.release('one');
    await turn;
    await client.ended;
    expect(client.text.endsWith('retry: 500\n\n')).toBe(true);
    expect(client.events.at(-1)).toMatchObject({
      event: 'gone',
      data: { reexecute: true, cause: 'restart' },
    });
    await gateway.ready(2);
    await gateway.outcome('kept');
    using again = await listen(gateway, 'default', lastId(client));
    await again.next(is('settled'));
    expect(lasting(again)).toEqual(['connected', 'message kept', 'reply echo: kept\n', 'settled answered']);
    expect(again.events[0]?.data).toMatchObject({ epoch: 2, resumed: true });
    expect(again.text).not.toContain('event: delta');
    using late = await listen(gateway, 'default', lastId(again));
    await gateway.send('/up');
    await late.next(is('settled'));
    expect(lasting(late)).toEqual(['connected', 'message /up', 'reply up', 'settled ran']);
  });

  test('after kill -9 the next life says what became of the turn, to whoever comes before it knows as well', async () => {
    using folder = new TestFolder();
    folder.fifo('lost');
    let id = '';
    {
      await using gateway = await TestGateway.start({ config: QUICK, folder });
      using client = await listen(gateway);
      void gateway.post('wait lost');
      await client.next(is('delta'));
      id = lastId(client);
      await gateway.kill9();
      await client.ended;
    }
    await using gateway = await TestGateway.start({ folder, early: true });
    const early = await comesBack(() => listen(gateway, 'default', id));
    using _ = early;
    await early.next(is('notice'));
    using late = await listen(gateway, 'default', id);
    await late.next(is('notice'));
    for (const client of [early, late]) {
      expect(lasting(client)).toEqual([
        'connected',
        'message wait lost',
        expect.stringMatching(/The gateway went down while this was being answered\. Send \/resume/),
      ]);
    }
    void gateway.post('/resume');
    await late.next(is('delta', { text: 'started lost\n' }));
    await folder.release('lost');
    await late.next(is('settled', { outcome: 'answered' }));
    using after = await listen(gateway, 'default', id);
    await after.next(is('settled', { outcome: 'answered' }));
    // What was said while it had no outcome is none of its answer.
    expect(lasting(after).filter((line) => line.startsWith('reply'))).toEqual(
      lasting(late).filter((line) => line.startsWith('reply')),
    );
  });

  test('between two replies the rest comes, and an id that says nothing begins anew', async () => {
    await using gateway = await TestGateway.start({ config: QUICK });
    gateway.folder.fifo('two');
    using client = await listen(gateway);
    void gateway.post('wait two');
    await client.next(is('delta'));
    await gateway.send('/interrupt');
    await client.next(is('settled', { outcome: 'interrupted' }));
    const replies = client.events.filter(is('reply'));
    const [, first, second] = replies;
    using rest = await listen(gateway, 'default', first?.id);
    await rest.next(is('settled', { outcome: 'interrupted' }));
    expect(lasting(rest).slice(-2)).toEqual([`reply ${second?.data.text}`, 'settled interrupted']);
    expect(lasting(rest)).not.toContain(`reply ${first?.data.text}`);
    using anew = await listen(gateway, 'default', 'junk');
    await gateway.send('/up');
    await anew.next(is('settled'));
    expect(lasting(anew)).toEqual(['connected', 'message /up', 'reply up', 'settled ran']);
  });

  test('who was away for too much gets the newest and is told; a clock that was set back hides nothing', async () => {
    await using gateway = await TestGateway.start({ config: QUICK });
    const sent = MISSED_MESSAGES_MAX + 20;
    for (let n = 0; n < sent; n += 1) await gateway.send(`/up${n}`, { conversation: 'many' });
    await gateway.send('/up', { conversation: 'few' });
    using many = await listen(gateway, 'many', '0');
    await many.next(is('message', { text: `/up${sent - 1}` }));
    expect(many.events.filter(is('message'))).toHaveLength(MISSED_MESSAGES_MAX);
    expect(many.events[1]).toMatchObject({ event: 'dropped', data: { count: null } });
    using future = await listen(gateway, 'few', `${Date.now() + 3_600_000}.m_x`);
    await future.next(is('settled'));
    expect(lasting(future)).toEqual(['connected', 'message /up', 'reply up', 'settled ran']);
  });
});

describe('slow clients and many', () => {
  test('a client that is stuck holds nobody up, and is told what it missed', async () => {
    await using gateway = await TestGateway.start({ config: QUICK });
    using stuck = await listen(gateway);
    using reader = await listen(gateway);
    stuck.pause();
    for (let round = 0; round < 30; round += 1)
      await Promise.all(Array.from({ length: 50 }, () => gateway.send('/help')));
    await gateway.send('/up', { id: 'last' });
    await reader.next(is('settled', { id: 'last' }));
    expect(reader.events.filter(is('settled'))).toHaveLength(1501);
    stuck.resume();
    await stuck.next(is('settled', { id: 'last' }));
    const dropped = stuck.events.filter(is('dropped')).map(({ data }) => data.count);
    const missed = 3 * 1501 - stuck.events.filter(({ event }) => /message|reply|settled/.test(event)).length;
    expect(dropped.reduce((sum, count) => sum + count, 0)).toBe(missed);
    expect(missed).toBeGreaterThan(0);
  });

  test(`client number ${EVENT_STREAMS_MAX + 1} is sent away, and let in when another has left`, async () => {
    await using gateway = await TestGateway.start({ config: QUICK });
    const socketPath = join(gateway.folder.home, 'control.sock');
    const half = EVENT_STREAMS_MAX / 2;
    const clients = await Promise.all([
      ...Array.from({ length: half }, (_, n) => listen(gateway, `conversation ${n}`)),
      ...Array.from({ length: half }, () => EventClient.open({ socketPath }, '/v1/inspect')),
    ]);
    expect(clients.map(({ status }) => status)).toEqual(Array(EVENT_STREAMS_MAX).fill(200));
    expect(await gateway.request('GET', pathOf('a'))).toMatchObject({
      status: 503,
      json: { error: { code: 'TOO_MANY_STREAMS' } },
    });
    expect(await gateway.send('hi')).toMatchObject({ status: 200 });
    clients.pop()?.[Symbol.dispose]();
    const late = await comesBack(() => listen(gateway, 'late'));
    expect(late.status).toBe(200);
    for (const client of [...clients, late]) client[Symbol.dispose]();
  });
});

/** Tries until there is a stream: a gateway that starts, or one that has just lost a client. */
async function comesBack(open: () => Promise<EventClient>): Promise<EventClient> {
  const limit = AbortSignal.timeout(PATIENCE_MS);
  for (;;) {
    const client = await open().catch(() => undefined);
    if (client?.status === 200) return client;
    client?.[Symbol.dispose]();
    if (limit.aborted) throw new Error('no stream');
    await new Promise(setImmediate);
  }
}
