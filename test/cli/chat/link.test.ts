/** A chat's connection: resumed where it ended, messages under one id until they are decided, and limits to both. */
import { expect, test } from 'vitest';
import { Link, UNSENT_MAX } from '../../../src/cli/chat/link.ts';
import type { ControlReply, StreamOptions } from '../../../src/control/client.ts';
import { SluiceError } from '../../../src/errors.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';

const TAKEN: ControlReply = { status: 202, json: { admission: 'dispatch' } };
const away = () => new SluiceError('NO_GATEWAY', 'no gateway is running here');

/** A gateway that is there or not, as the test says. */
class Control {
  present = true;
  readonly bodies: Record<string, unknown>[] = [];
  readonly streams: { path: string; options: StreamOptions; end: (error?: Error) => void }[] = [];

  async request(_method: string, _path: string, body?: unknown): Promise<ControlReply> {
    this.bodies.push({ ...(body as object) });
    if (!this.present) throw away();
    return TAKEN;
  }

  stream(path: string, _body: unknown, options: StreamOptions): Promise<ControlReply | undefined> {
    if (!this.present) return Promise.reject(away());
    return new Promise((resolve, reject) => {
      const end = (error?: Error) => (error === undefined ? resolve(undefined) : reject(error));
      options.signal?.addEventListener('abort', () => resolve(undefined));
      this.streams.push({ path, options, end });
    });
  }

  tell(event: string, id?: string): void {
    this.streams.at(-1)?.options.onEvent({ event, id, data: {} });
  }
}

function connect(comesBack = false, isOwned = () => true) {
  const control = new Control();
  const clock = new FakeClock();
  const heard: string[] = [];
  const link = new Link({
    control,
    clock,
    conversation: 'a/b',
    onEvent: ({ event }) => heard.push(event),
    onAway: () => heard.push('(away)'),
    onGone: () => heard.push('(gone)'),
    comesBack: () => comesBack,
    isOwned,
  });
  return { control, clock, heard, link };
}

test('a stream that ends or breaks is opened again after the last event that had an id', async () => {
  const { control, clock, heard, link } = connect();
  const followed = link.follow();
  expect(control.streams[0]?.path).toBe('/v1/conversations/a%2Fb/events');
  expect(control.streams[0]?.options.lastEventId).toBeUndefined();
  control.tell('connected', '7');
  control.tell('reply', '8.m.1');
  control.tell('delta');
  expect(link.connected).toBe(true);
  control.streams[0]?.end();
  await settled();
  expect(link.connected).toBe(false);
  control.present = false;
  await clock.advance(60_000);
  control.present = true;
  await clock.advance(1000);
  expect(control.streams).toHaveLength(2);
  expect(control.streams[1]?.options.lastEventId).toBe('8.m.1');
  control.tell('connected', '8.m.1');
  control.streams[1]?.end(new SluiceError('NO_ANSWER', 'the gateway cut the connection'));
  await clock.advance(1000);
  expect(heard).toEqual(['connected', 'reply', 'delta', '(away)', 'connected', '(away)']);
  link[Symbol.dispose]();
  await followed;
});

test('where there is none to begin with it is said, unless one lives that only has no socket yet', async () => {
  const nobody = connect();
  nobody.control.present = false;
  await expect(nobody.link.follow()).rejects.toMatchObject({ code: 'NO_GATEWAY' });
  const between = connect(true);
  between.control.present = false;
  const followed = between.link.follow();
  await between.clock.advance(1000);
  between.control.present = true;
  await between.clock.advance(1000);
  expect(between.control.streams).toHaveLength(1);
  between.link[Symbol.dispose]();
  await followed;
});

test('a message is sent until the gateway has decided, each time under the same id, and in order', async () => {
  const { control, clock, link } = connect();
  control.present = false;
  const ids: string[] = [];
  const writtenMs = clock.wallMs();
  const sent = ['first', 'second'].map((text) => link.send(text, (id) => ids.push(id)));
  await clock.advance(1000);
  control.present = true;
  await clock.advance(1000);
  expect(await Promise.all(sent)).toEqual([TAKEN, TAKEN]);
  const [first, second] = ids;
  expect(new Set(control.bodies.map(({ id }) => id))).toEqual(new Set([first, second]));
  expect(control.bodies.filter(({ text }) => text === 'first').length).toBeGreaterThan(2);
  expect(control.bodies.at(-1)).toEqual({
    ...{ text: 'second', id: second, conversation: 'a/b' },
    // When its writer is told to send it again no gateway may begin it any more.
    deadlineAt: writtenMs + 120_000,
  });
});

test('messages do not wait for ever, and not without number', async () => {
  const { control, clock, link } = connect();
  control.present = false;
  const sent = Array.from({ length: UNSENT_MAX }, (_, n) => link.send(`${n}`, () => {}));
  const results = Promise.allSettled(sent);
  await expect(link.send('one too many', () => {})).rejects.toMatchObject({ code: 'NO_ANSWER' });
  await clock.advance(UNSENT_MAX * 125_000);
  expect((await results).map(({ status }) => status)).toEqual(Array(UNSENT_MAX).fill('rejected'));
  control.present = true;
  expect(await link.send('now', () => {})).toBe(TAKEN);
});
