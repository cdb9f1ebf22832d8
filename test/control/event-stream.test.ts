/** Server-sent events to one client, which may read at its own pace, or not at all. */
import { describe, expect, test } from 'vitest';
import {
  EVENTS_BEHIND_BYTES_MAX,
  EVENTS_BEHIND_MAX,
  type EventSink,
  EventStream,
} from '../../src/control/event-stream.ts';

/** A client that takes so many texts and then no more until it is told to. */
class Client implements EventSink {
  text = '';
  ended = 0;
  room: number;

  constructor(room = Number.POSITIVE_INFINITY) {
    this.room = room;
  }

  write(text: string): boolean {
    expect(this.room).toBeGreaterThan(0);
    this.text += text;
    this.room -= 1;
    return this.room > 0;
  }

  end(): void {
    this.ended += 1;
  }
}

describe('a client that reads', () => {
  test('gets each event once, in order, with its id, and the end when all is read', async () => {
    const stream = new EventStream();
    const client = new Client();
    stream.send('a', { n: 1 }, '1.1');
    stream.connect(client);
    stream.send('b', { text: 'two\nlines' });
    stream.end(500);
    stream.send('late', {});
    expect(client.text).toBe(
      'id: 1.1\nevent: a\ndata: {"n":1}\n\nevent: b\ndata: {"text":"two\\nlines"}\n\nretry: 500\n\n',
    );
    await stream.closed;
    expect(client.ended).toBe(1);
  });

  test('gets all of it and the end, when both came before it did', async () => {
    const stream = new EventStream();
    stream.send('a', {});
    stream.end();
    const client = new Client();
    stream.connect(client);
    await stream.closed;
    expect(client).toMatchObject({ text: 'event: a\ndata: {}\n\n', ended: 1 });
  });

  test('is kept alive while nothing happens', () => {
    const stream = new EventStream();
    const client = new Client();
    stream.connect(client);
    stream.keepAlive();
    stream.end();
    expect(client.text).toBe(': \n\n');
  });
});

describe('a client that does not read', () => {
  test('is handed no more than it takes, and goes on where it was', async () => {
    const stream = new EventStream();
    const client = new Client(2);
    stream.connect(client);
    for (let n = 0; n < 5; n += 1) stream.send('n', { n });
    stream.end();
    expect(numbersIn(client.text)).toEqual([0, 1]);
    expect(client.ended).toBe(0);
    client.room = 3;
    stream.drained();
    expect(numbersIn(client.text)).toEqual([0, 1, 2, 3, 4]);
    expect(client.ended).toBe(1);
    await stream.closed;
  });

  test('is at most so many events behind, and told how many it missed before it goes on', () => {
    const stream = new EventStream();
    const client = new Client(1);
    stream.connect(client);
    const sent = EVENTS_BEHIND_MAX + 500;
    for (let n = 0; n < sent; n += 1) stream.send('n', { n });
    stream.end();
    expect(client.text).toBe('event: n\ndata: {"n":0}\n\n');
    client.room = Number.POSITIVE_INFINITY;
    stream.drained();
    const numbers = numbersIn(client.text);
    expect(client.text).toContain('\n\nevent: dropped\ndata: {"count":499}\n\nevent: n\ndata: {"n":500}');
    expect(numbers).toHaveLength(EVENTS_BEHIND_MAX + 1);
    expect(numbers.at(-1)).toBe(sent - 1);
    expect(client.ended).toBe(1);
  });

  test('misses what is of the moment before anything else', () => {
    const stream = new EventStream();
    const client = new Client(1);
    stream.connect(client);
    stream.send('first', {});
    for (let n = 0; n < EVENTS_BEHIND_MAX - 10; n += 1) stream.sendPassing('delta', { text: 'x' });
    for (let n = 0; n < 30; n += 1) stream.send('n', { n });
    stream.sendPassing('delta', { text: 'last' });
    stream.end();
    client.room = Number.POSITIVE_INFINITY;
    stream.drained();
    expect(numbersIn(client.text)).toEqual(Array.from({ length: 30 }, (_, n) => n));
    expect(client.text).toContain('event: dropped\ndata: {"count":21}');
    expect(client.text.match(/event: delta/g)).toHaveLength(EVENTS_BEHIND_MAX - 30);
    expect(client.text).toContain('last');
  });

  test('is at most so many bytes behind, but gets a single event whatever its length', () => {
    const stream = new EventStream();
    const client = new Client(1);
    stream.connect(client);
    stream.send('first', {});
    const half = 'x'.repeat(EVENTS_BEHIND_BYTES_MAX / 2);
    stream.sendPassing('delta', { text: half });
    stream.send('n', { n: 1, half });
    stream.send('n', { n: 2, half });
    stream.send('whole', { text: `${half}${half}` });
    stream.end();
    client.room = Number.POSITIVE_INFINITY;
    stream.drained();
    expect(client.text).toContain('event: dropped\ndata: {"count":3}\n\nevent: whole');
    expect(client.ended).toBe(1);
  });

  test('costs nothing once it has gone', async () => {
    const stream = new EventStream();
    const client = new Client();
    stream.connect(client);
    stream.send('a', {});
    const { text } = client;
    stream.gone();
    await stream.closed;
    stream.send('b', {});
    stream.keepAlive();
    stream.end();
    stream.drained();
    expect(client).toMatchObject({ text, ended: 0 });
  });
});

function numbersIn(text: string): number[] {
  return [...text.matchAll(/data: \{"n":(\d+)\}/g)].map(([, n]) => Number(n));
}
