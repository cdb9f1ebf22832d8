/** Server-sent events to one client, which may read at its own pace, or not at all. */
import { describe, expect, test } from 'vitest';
import { EVENTS_BEHIND_MAX, EventStream } from '../../src/control/event-stream.ts';

async function readAll(stream: EventStream): Promise<string> {
  return new Response(stream.body).text();
}

describe('a client that reads', () => {
  test('gets each event once, in order, with its id, and the end when all is read', async () => {
    const stream = new EventStream();
    stream.send('a', { n: 1 }, '1.1');
    stream.send('b', { text: 'two\nlines' });
    stream.end(500);
    stream.send('late', {});
    expect(await readAll(stream)).toBe(
      'id: 1.1\nevent: a\ndata: {"n":1}\n\nevent: b\ndata: {"text":"two\\nlines"}\n\nretry: 500\n\n',
    );
    await stream.closed;
  });

  test('is kept alive while nothing happens', async () => {
    const stream = new EventStream();
    stream.keepAlive();
    stream.end();
    expect(await readAll(stream)).toBe(': \n\n');
  });
});

describe('a client that does not read', () => {
  test('is at most so many events behind, and told how many it missed before it goes on', async () => {
    const stream = new EventStream();
    const sent = EVENTS_BEHIND_MAX + 500;
    for (let n = 0; n < sent; n += 1) stream.send('n', { n });
    stream.end();
    const text = await readAll(stream);
    const numbers = [...text.matchAll(/data: \{"n":(\d+)\}/g)].map(([, n]) => Number(n));
    const count = Number(/event: dropped\ndata: \{"count":(\d+)\}/.exec(text)?.[1]);
    expect(numbers.length + count).toBe(sent);
    expect(numbers.length).toBeLessThanOrEqual(EVENTS_BEHIND_MAX + 1);
    expect(numbers.at(-1)).toBe(sent - 1);
  });

  test('costs nothing once it has gone', async () => {
    const stream = new EventStream();
    const reader = stream.body.getReader();
    stream.send('a', {});
    await reader.cancel();
    await stream.closed;
    stream.send('b', {});
    stream.keepAlive();
    stream.end();
    expect(await reader.read()).toEqual({ done: true, value: undefined });
  });
});
