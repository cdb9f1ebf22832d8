/** How messages leave: in order, each conversation by itself, and what becomes of those that do not leave at once. */
import { describe, expect, test } from 'vitest';
import { possiblyTwice } from '../../src/messages/replies.ts';
import { outboundRow } from '../store/sample-rows.ts';
import { settled } from '../support/fake-clock.ts';
import { Outbox } from '../support/outbox.ts';

const MARK = `\n${possiblyTwice()}`;
const A = 'chat:a';
const B = 'chat:b';

const ops = ({ store }: Outbox) => store.units.flat().flatMap(({ op }) => (op === 'reply' ? [] : [op]));

/** One message in each of these conversations is being sent; `arrives`: all of them have. */
async function beingSent(conversations: readonly string[]) {
  const outbox = new Outbox();
  const arrival = Promise.withResolvers<void>();
  for (const conversation of conversations) {
    outbox.platform.answers(conversation, arrival.promise);
    await outbox.send(conversation, conversation);
  }
  await settled();
  return { outbox, arrives: () => arrival.resolve() };
}

describe('in order', () => {
  test('a message that fails is tried again before what came after it, and keeps no other conversation back', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, 'not-sent', 'not-sent');
    for (const text of ['a1', 'a2']) await outbox.send(A, text);
    await outbox.send(B, 'b1');
    await settled();
    expect(outbox.platform.texts).toEqual(['a1', 'b1']);
    await outbox.clock.advance(999);
    expect(outbox.platform.texts).toEqual(['a1', 'b1']);
    await outbox.clock.advance(1);
    expect(outbox.platform.texts).toEqual(['a1', 'b1', 'a1']);
    await outbox.clock.advance(2000);
    expect(outbox.platform.texts).toEqual(['a1', 'b1', 'a1', 'a1', 'a2']);
    expect(await outbox.row('o1')).toMatchObject({
      state: 'delivered',
      attempts: 3,
      possibleDuplicate: false,
    });
  });

  test('it is claimed on disk before it is sent, and marked when it has arrived', async () => {
    const outbox = new Outbox();
    const arrival = Promise.withResolvers<void>();
    outbox.platform.answers(A, arrival.promise);
    await outbox.send(A, 'a1');
    await settled();
    expect(outbox.platform.texts).toEqual(['a1']);
    expect(await outbox.row('o1')).toMatchObject({ state: 'sending', attempts: 1 });
    arrival.resolve();
    await settled();
    expect(await outbox.row('o1')).toMatchObject({ state: 'delivered', attempts: 1, error: null });
    expect(outbox.store.units.flat().at(-1)).toMatchObject({ op: 'sent', platformSentId: 's1' });
  });

  test('waits grow to a minute, and after a day the message is dead and says why', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, ...Array.from({ length: 2000 }, () => 'not-sent' as const));
    await outbox.send(A, 'a1');
    await outbox.send(A, 'a2');
    await outbox.clock.advance(24 * 3_600_000);
    expect((await outbox.row('o1')).state).toBe('pending');
    await outbox.clock.advance(60_001);
    expect(await outbox.row('o1')).toMatchObject({
      state: 'dead',
      error: 'it could not be sent for 24 hours',
    });
    expect(await outbox.row('o1')).toMatchObject({ text: 'a1', attempts: expect.any(Number) });
    expect((await outbox.row('o1')).attempts).toBeGreaterThan(1400);
    expect((await outbox.row('o2')).state).toBe('dead');
    expect(outbox.clock.pending).toBe(0);
  });

  test('more than a hundred that wait stay on disk, and are sent in order when there is room', async () => {
    const outbox = new Outbox();
    outbox.platform.capabilities = { messagesPerMinute: 1000 };
    outbox.down();
    const texts = Array.from({ length: 250 }, (_, at) => `a${at}`);
    for (const text of texts) await outbox.send(A, text);
    expect(outbox.platform.texts).toEqual([]);
    outbox.up();
    await outbox.clock.advance(60_000);
    expect(outbox.platform.texts).toEqual(texts);
    await outbox.send(A, 'the last');
    await settled();
    expect(outbox.platform.texts.at(-1)).toBe('the last');
    expect((await outbox.store.openWork([])).outbound).toEqual([]);
  });

  test('one that comes while those on disk are read is sent after them', async () => {
    const outbox = new Outbox();
    outbox.platform.capabilities = { messagesPerMinute: 1000 };
    outbox.down();
    const texts = Array.from({ length: 102 }, (_, at) => `a${at}`);
    for (const text of texts) await outbox.send(A, text);
    const { openWork } = outbox.store;
    let reads = 0;
    outbox.store.openWork = async (living) => {
      const work = await openWork.call(outbox.store, living);
      reads += 1;
      if (reads === 1) await outbox.send(A, 'late');
      return work;
    };
    outbox.up();
    await outbox.clock.advance(60_000);
    expect(outbox.platform.texts).toEqual([...texts, 'late']);
    expect(reads).toBe(2);
  });

  test('those on disk that cannot be read are read a minute later', async () => {
    const outbox = new Outbox();
    outbox.platform.capabilities = { messagesPerMinute: 1000 };
    outbox.down();
    const texts = Array.from({ length: 101 }, (_, at) => `a${at}`);
    for (const text of texts) await outbox.send(A, text);
    const { openWork } = outbox.store;
    outbox.store.openWork = () => Promise.reject(new Error('the disk is gone'));
    outbox.up();
    await outbox.clock.advance(59_000);
    outbox.store.openWork = openWork;
    expect(outbox.platform.texts).toEqual(texts.slice(0, 100));
    await outbox.clock.advance(10_000);
    expect(outbox.platform.texts).toEqual(texts);
  });

  test('what was left by earlier lives and found late goes first, also where not all of it has room', async () => {
    const outbox = new Outbox();
    outbox.platform.capabilities = { messagesPerMinute: 1000 };
    outbox.down();
    const texts = Array.from({ length: 150 }, (_, at) => `left${at}`);
    const about = { platform: 'chat', conversation: A, createdAt: outbox.clock.wallMs() };
    const left = texts.map((text) => outboundRow(text, null, { ...about, text }));
    await outbox.store.commit(left.map((outbound) => ({ op: 'reply', outbound })));
    await outbox.send(A, 'since');
    outbox.delivery.say({ platform: 'chat', conversation: A }, 'on no disk');
    outbox.delivery.recovered(left);
    outbox.up();
    await outbox.clock.advance(60_000);
    // What is nowhere else cannot wait until there is room for those on disk.
    expect(outbox.platform.texts).toEqual([
      ...[...texts.slice(0, 100), 'on no disk'],
      ...[...texts.slice(100), 'since'],
    ]);
  });

  test('messages that are on no disk are lost past the hundred that wait, and the log says so', async () => {
    const outbox = new Outbox();
    outbox.platform.capabilities = { messagesPerMinute: 1000 };
    outbox.down();
    const to = { platform: 'chat', conversation: A };
    for (let count = 0; count < 102; count += 1) outbox.delivery.say(to, `a${count}`);
    outbox.up();
    await outbox.clock.advance(60_000);
    expect(outbox.platform.texts).toHaveLength(100);
    const lost = outbox.lines.filter(({ msg }) => String(msg).startsWith('a message is lost'));
    expect(lost).toHaveLength(2);
  });

  test('a row that is handed in twice is sent once', async () => {
    const outbox = new Outbox();
    outbox.down();
    await outbox.send(A, 'a1');
    outbox.delivery.deliver(await outbox.row('o1'), true);
    outbox.up();
    await settled();
    expect(outbox.platform.texts).toEqual(['a1']);
  });
});

describe('what the platform says', () => {
  test('a wait is kept to, by its conversation alone, and is no attempt', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, { waitMs: 30_000 }, { waitMs: 5000 });
    for (const text of ['a1', 'a2']) await outbox.send(A, text);
    await settled();
    expect(await outbox.row('o1')).toMatchObject({
      state: 'pending',
      attempts: 0,
      nextAt: outbox.clock.wallMs() + 30_000,
      error: 'too many messages',
    });
    await outbox.send(B, 'b1');
    await outbox.clock.advance(29_999);
    expect(outbox.platform.texts).toEqual(['a1', 'b1']);
    await outbox.clock.advance(1);
    expect(outbox.platform.texts).toEqual(['a1', 'b1', 'a1']);
    await outbox.clock.advance(5000);
    expect(outbox.platform.texts).toEqual(['a1', 'b1', 'a1', 'a1', 'a2']);
    expect(await outbox.row('o1')).toMatchObject({ state: 'delivered', attempts: 1, nextAt: null });
  });

  test('a wait that an earlier life was told is kept to, also by a link that is new', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, { waitMs: 30_000 });
    await outbox.send(A, 'a1');
    await settled();
    const next = new Outbox(outbox.store);
    next.delivery.deliver(await outbox.row('o1'), true);
    next.up();
    await next.clock.advance(29_999);
    expect(next.platform.texts).toEqual([]);
    await next.clock.advance(1);
    expect(next.platform.texts).toEqual(['a1']);
  });

  test('formatting that is rejected is sent once more as plain text, at once', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, 'format');
    outbox.platform.answers(B, 'format', 'format');
    await outbox.send(A, '*a1*');
    await outbox.send(B, '*b1*');
    await settled();
    const asked = outbox.platform.asked.map(({ text, plain }) => [text, plain ?? false]);
    expect(asked.toSorted()).toEqual([
      ['*a1*', false],
      ['*a1*', true],
      ['*b1*', false],
      ['*b1*', true],
    ]);
    expect(await outbox.row('o1')).toMatchObject({ state: 'delivered', attempts: 2 });
    expect(await outbox.row('o2')).toMatchObject({ state: 'dead', attempts: 2, error: 'trouble: format' });
  });

  test('what follows in a conversation that is gone is not tried, until somebody writes from there', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, 'gone');
    for (const text of ['a1', 'a2']) await outbox.send(A, text);
    await settled();
    await outbox.send(A, 'a3');
    outbox.up();
    await outbox.clock.advance(3_600_000);
    expect(outbox.platform.texts).toEqual(['a1']);
    expect(await outbox.row('o1')).toMatchObject({ state: 'dead', attempts: 1, error: 'trouble: gone' });
    const parked = {
      state: 'pending',
      attempts: 0,
      error: 'not tried: its conversation is gone (trouble: gone)',
    };
    expect([await outbox.row('o2'), await outbox.row('o3')]).toMatchObject([parked, parked]);
    outbox.delivery.heardFrom(A);
    await settled();
    expect(outbox.platform.texts).toEqual(['a1', 'a2', 'a3']);
    expect(await outbox.row('o3')).toMatchObject({ state: 'delivered', error: null });
  });

  test('any other error counts as not sent', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, new TypeError('a defect'));
    await outbox.send(A, 'a1');
    await settled();
    expect(await outbox.row('o1')).toMatchObject({ state: 'pending', attempts: 1, error: 'a defect' });
  });
});

describe('a send whose end nobody saw', () => {
  test('is sent again with a mark', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, 'unknown');
    await outbox.send(A, 'a1');
    await settled();
    expect(await outbox.row('o1')).toMatchObject({ state: 'unknown', attempts: 1 });
    await outbox.clock.advance(1000);
    expect(outbox.platform.texts).toEqual(['a1', `a1${MARK}`]);
    expect(await outbox.row('o1')).toMatchObject({
      state: 'delivered',
      attempts: 2,
      possibleDuplicate: true,
    });
  });

  test('is sent again without one where the platform recognises it', async () => {
    const outbox = new Outbox();
    outbox.platform.capabilities = { sendsOnce: true };
    outbox.platform.answers(A, 'unknown');
    await outbox.send(A, 'a1');
    await outbox.clock.advance(1000);
    expect(outbox.platform.texts).toEqual(['a1', 'a1']);
    expect(await outbox.row('o1')).toMatchObject({ state: 'delivered', possibleDuplicate: false });
  });

  test('is not given up for attempts that certainly failed before it', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, ...Array(6).fill('not-sent'), 'unknown');
    await outbox.send(A, 'a1');
    await outbox.clock.advance(300_000);
    expect(outbox.platform.texts.slice(-2)).toEqual(['a1', `a1${MARK}`]);
    expect(await outbox.row('o1')).toMatchObject({ state: 'delivered', attempts: 8 });
  });

  test('is asked about where that is possible, again when the question is lost', async () => {
    const outbox = new Outbox();
    outbox.platform.knows(new Error('cut'), 'delivered');
    outbox.platform.answers(A, 'unknown');
    for (const text of ['a1', 'a2']) await outbox.send(A, text);
    await outbox.clock.advance(1000);
    expect(outbox.platform.questions).toEqual(['o1']);
    await outbox.clock.advance(2000);
    expect(outbox.platform.questions).toEqual(['o1', 'o1']);
    expect(outbox.platform.texts).toEqual(['a1', 'a2']);
    expect(await outbox.row('o1')).toMatchObject({
      state: 'delivered',
      attempts: 1,
      possibleDuplicate: false,
    });
  });

  test('and that had not arrived is sent again without a mark, and with one where its platform does not know', async () => {
    const outbox = new Outbox();
    outbox.platform.knows('absent', 'unknown');
    outbox.platform.answers(A, 'unknown');
    await outbox.send(A, 'a1');
    await outbox.clock.advance(1000);
    outbox.platform.answers(B, 'unknown');
    await outbox.send(B, 'b1');
    await outbox.clock.advance(1000);
    expect(outbox.platform.texts).toEqual(['a1', 'a1', 'b1', `b1${MARK}`]);
    expect(await outbox.row('o1')).toMatchObject({ state: 'delivered', possibleDuplicate: false });
    expect(await outbox.row('o2')).toMatchObject({ state: 'delivered', possibleDuplicate: true });
  });

  test('is one that took longer than half a minute, whether its platform gives up then or not', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, Promise.withResolvers<void>().promise);
    const { send } = outbox.platform;
    outbox.platform.send = (outbound, signal) => {
      const sent = send.call(outbox.platform, outbound, signal);
      return outbound.conversation === B && !outbound.text.endsWith(MARK) ? new Promise(() => {}) : sent;
    };
    await outbox.send(A, 'a1');
    await outbox.send(B, 'b1');
    await outbox.clock.advance(29_999);
    expect([(await outbox.row('o1')).state, (await outbox.row('o2')).state]).toEqual(['sending', 'sending']);
    await outbox.clock.advance(2002);
    expect(outbox.platform.texts.toSorted()).toEqual(['a1', `a1${MARK}`, 'b1', `b1${MARK}`]);
  });

  test('is dead after five, with what it was to say, and a person can have it sent', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, 'unknown', 'unknown', 'unknown', 'unknown', 'unknown');
    await outbox.send(A, 'a1');
    await outbox.clock.advance(600_000);
    expect(outbox.platform.texts).toHaveLength(5);
    const dead = await outbox.row('o1');
    expect(dead).toMatchObject({ state: 'dead', attempts: 5, text: 'a1', error: 'trouble: unknown' });
    await outbox.delivery.retry(dead);
    await settled();
    expect(outbox.platform.texts.at(-1)).toBe(`a1${MARK}`);
    expect(await outbox.row('o1')).toMatchObject({ state: 'delivered', attempts: 6 });
  });

  test.for(['sending', 'unknown'] as const)(
    'in a life that is over (%s) is sent again with a mark',
    async (state) => {
      const first = new Outbox();
      first.platform.answers(A, Promise.withResolvers<void>().promise);
      await first.send(A, 'a1');
      await first.send(A, 'a2');
      await settled();
      if (state === 'unknown')
        await first.store.commit([{ op: 'outbound.end', id: 'o1', at: 0, state, error: 'the gateway died' }]);
      const next = new Outbox(first.store);
      for (const id of ['o1', 'o2']) next.delivery.deliver(await first.row(id), true);
      await settled();
      expect(next.platform.texts).toEqual([`a1${MARK}`, 'a2']);
      expect(await next.row('o1')).toMatchObject({
        state: 'delivered',
        attempts: 2,
        possibleDuplicate: true,
      });
      expect(await next.row('o2')).toMatchObject({
        state: 'delivered',
        attempts: 1,
        possibleDuplicate: false,
      });
    },
  );

  test('in a life that is over is asked about, or sent again without a mark, where the platform can do that', async () => {
    const first = new Outbox();
    first.platform.answers(A, Promise.withResolvers<void>().promise);
    first.platform.answers(B, Promise.withResolvers<void>().promise);
    for (const [conversation, text] of [[A, 'a1'] as const, [B, 'b1'] as const])
      await first.send(conversation, text);
    await settled();
    const asking = new Outbox(first.store);
    asking.platform.knows('delivered');
    asking.delivery.deliver(await first.row('o1'), true);
    await settled();
    expect(asking.platform.texts).toEqual([]);
    expect(await asking.row('o1')).toMatchObject({ state: 'delivered', possibleDuplicate: false });
    const recognised = new Outbox(first.store);
    recognised.platform.capabilities = { sendsOnce: true };
    recognised.delivery.deliver(await first.row('o2'), true);
    await settled();
    expect(recognised.platform.texts).toEqual(['b1']);
    expect(await recognised.row('o2')).toMatchObject({
      state: 'delivered',
      possibleDuplicate: false,
      attempts: 2,
    });
  });
});

describe('without a link', () => {
  test('nothing is tried and nothing counted, and all starts at once when it is there', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, ...Array.from({ length: 6 }, () => 'not-sent' as const));
    await outbox.send(A, 'a1');
    await outbox.clock.advance(40_000);
    expect(outbox.platform.texts).toHaveLength(6);
    outbox.down();
    await outbox.send(B, 'b1');
    await outbox.clock.advance(600_000);
    expect(outbox.platform.texts).toHaveLength(6);
    expect(await outbox.row('o2')).toMatchObject({ state: 'pending', attempts: 0 });
    outbox.up();
    await settled();
    expect(outbox.platform.texts.slice(6)).toEqual(['a1', 'b1']);
  });

  test('one that comes back does not wait for the end of a backoff, nor does a message that a person wants sent', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, ...Array.from({ length: 5 }, () => 'not-sent' as const), 'gone', 'not-sent');
    await outbox.send(A, 'a1');
    await outbox.clock.advance(16_000);
    expect(outbox.platform.texts).toHaveLength(5);
    outbox.down();
    outbox.up();
    await settled();
    expect(outbox.platform.texts).toHaveLength(6);
    const dead = await outbox.row('o1');
    outbox.delivery.heardFrom(A);
    await outbox.send(A, 'a2');
    await settled();
    expect(outbox.platform.texts).toHaveLength(7);
    await outbox.delivery.retry(dead);
    await settled();
    expect(outbox.platform.texts.slice(6)).toEqual(['a2', 'a2', 'a1']);
  });

  test('one that is lost while the message is claimed takes the claim back', async () => {
    const outbox = new Outbox();
    outbox.store.beforeCommit = ([write]) => {
      if (write?.op === 'sending') outbox.isUp = false;
    };
    await outbox.send(A, 'a1');
    await settled();
    expect(outbox.platform.texts).toEqual([]);
    expect(await outbox.row('o1')).toMatchObject({ state: 'pending', attempts: 0 });
    outbox.store.beforeCommit = () => {};
    outbox.up();
    await settled();
    expect(await outbox.row('o1')).toMatchObject({
      state: 'delivered',
      attempts: 1,
      possibleDuplicate: false,
    });
  });

  test('a message of a platform that is not configured any more is dead after a day', async () => {
    const outbox = new Outbox();
    await outbox.send('pager:1', 'a1', 'pager');
    await outbox.clock.advance(24 * 3_600_000);
    expect((await outbox.row('o1')).state).toBe('pending');
    await outbox.clock.advance(2);
    expect(await outbox.row('o1')).toMatchObject({ state: 'dead', attempts: 0 });
  });
});

describe('leaving', () => {
  const idle = async ({ delivery }: Outbox) => {
    let is = false;
    void delivery.idle().then(() => (is = true));
    await settled();
    return is;
  };

  test('waits for what is being sent, and for nothing that waits', async () => {
    const outbox = new Outbox();
    const arrival = Promise.withResolvers<void>();
    outbox.platform.answers(A, 'not-sent');
    outbox.platform.answers(B, { waitMs: 10_000 });
    outbox.platform.answers('chat:c', arrival.promise);
    for (const conversation of [A, B, 'chat:c']) await outbox.send(conversation, 'text');
    await outbox.send('pager:1', 'text', 'pager');
    await settled();
    expect(await idle(outbox)).toBe(false);
    arrival.resolve();
    await settled();
    expect(await idle(outbox)).toBe(true);
    outbox.down();
    await outbox.send('chat:d', 'text');
    expect(await idle(outbox)).toBe(true);
    outbox.delivery.stop();
    expect(outbox.clock.pending).toBe(0);
  });

  test('what was being sent at the very end is one whose end nobody saw; the rest is as it was', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, Promise.withResolvers<void>().promise);
    for (const text of ['a1', 'a2']) await outbox.send(A, text);
    await settled();
    outbox.delivery.stop();
    await settled();
    expect(await outbox.row('o1')).toMatchObject({ state: 'unknown', attempts: 1 });
    expect(await outbox.row('o2')).toMatchObject({ state: 'pending', attempts: 0 });
    expect(outbox.clock.pending).toBe(0);
    await outbox.send(B, 'b1');
    await settled();
    expect(outbox.platform.texts).toEqual(['a1']);
  });

  test('what was claimed and not yet sent is no attempt', async () => {
    const outbox = new Outbox();
    outbox.store.beforeCommit = ([write]) => {
      if (write?.op === 'sending') outbox.delivery.stop();
    };
    await outbox.send(A, 'a1');
    await settled();
    expect(outbox.platform.texts).toEqual([]);
    expect(await outbox.row('o1')).toMatchObject({ state: 'pending', attempts: 0 });
  });
});

describe('while the store cannot be written', () => {
  const cannotBeWritten = (outbox: Outbox) => outbox.store.fail();
  const canBeWritten = async (outbox: Outbox) => {
    outbox.store.writable = true;
    await outbox.delivery.catchUp();
    await settled();
  };

  test('a message that has a row waits for its claim, and goes in order as soon as the store is back', async () => {
    const outbox = new Outbox();
    outbox.down();
    for (const text of ['a1', 'a2']) await outbox.send(A, text);
    await outbox.send(B, 'b1');
    cannotBeWritten(outbox);
    outbox.up();
    await outbox.clock.advance(600_000);
    expect(outbox.platform.texts).toEqual([]);
    await canBeWritten(outbox);
    expect(outbox.platform.texts.toSorted()).toEqual(['a1', 'a2', 'b1']);
    expect(outbox.platform.texts.filter((text) => text.startsWith('a'))).toEqual(['a1', 'a2']);
    expect(await outbox.row('o1')).toMatchObject({ state: 'delivered', attempts: 1 });
    expect((await outbox.store.openWork([])).outbound).toEqual([]);
  });

  test('one whose very claim met the failure is not sent, and that was no attempt', async () => {
    const outbox = new Outbox();
    outbox.store.beforeCommit = ([write]) => {
      if (write?.op === 'sending') outbox.store.fail();
    };
    await outbox.send(A, 'a1');
    await outbox.clock.advance(3_600_000);
    expect(outbox.platform.texts).toEqual([]);
    outbox.store.beforeCommit = () => {};
    await canBeWritten(outbox);
    expect(outbox.platform.texts).toEqual(['a1']);
    expect(await outbox.row('o1')).toMatchObject({
      state: 'delivered',
      attempts: 1,
      possibleDuplicate: false,
    });
  });

  test('one that failed meanwhile is tried again when it can be claimed, not before', async () => {
    const outbox = new Outbox();
    const arrival = Promise.withResolvers<void>();
    outbox.platform.answers(A, arrival.promise);
    await outbox.send(A, 'a1');
    await settled();
    cannotBeWritten(outbox);
    arrival.reject(new Error('refused'));
    await outbox.clock.advance(600_000);
    expect(outbox.platform.texts).toEqual(['a1']);
    await canBeWritten(outbox);
    expect(outbox.platform.texts).toEqual(['a1', 'a1']);
    expect(ops(outbox)).toEqual(['sending', 'unsent', 'sending', 'sent']);
  });

  test('what has no row goes before what waits for its claim, in its conversation, too', async () => {
    const outbox = new Outbox();
    outbox.down();
    const texts = Array.from({ length: 100 }, (_, at) => `a${at}`);
    for (const text of texts) await outbox.send(A, text);
    cannotBeWritten(outbox);
    for (const text of ['freed', 'what came next'])
      outbox.delivery.say({ platform: 'chat', conversation: A }, text);
    outbox.up();
    await settled();
    expect(outbox.platform.texts).toEqual(['freed', 'what came next']);
    outbox.platform.capabilities = { messagesPerMinute: 1000 };
    await canBeWritten(outbox);
    await outbox.clock.advance(60_000);
    expect(outbox.platform.texts.slice(2)).toEqual(texts);
  });

  test('what a dead life left under way is sent again with a mark, when that can be claimed', async () => {
    const dead = new Outbox();
    dead.platform.answers(A, Promise.withResolvers<void>().promise);
    await dead.send(A, 'a1');
    await settled();
    const outbox = new Outbox(dead.store);
    cannotBeWritten(outbox);
    outbox.delivery.deliver(await outbox.row('o1'), true);
    await outbox.clock.advance(60_000);
    expect(outbox.platform.texts).toEqual([]);
    await canBeWritten(outbox);
    expect(outbox.platform.texts).toEqual([`a1${MARK}`]);
    expect(await outbox.row('o1')).toMatchObject({ state: 'delivered', possibleDuplicate: true });
  });

  test('a leaving gateway waits for none of them, and the next life has them all', async () => {
    const outbox = new Outbox();
    outbox.down();
    for (const text of ['a1', 'a2']) await outbox.send(A, text);
    cannotBeWritten(outbox);
    outbox.up();
    await settled();
    await outbox.delivery.idle();
    outbox.delivery.stop();
    expect(outbox.clock.pending).toBe(0);
    const next = new Outbox(outbox.store);
    next.store.writable = true;
    for (const row of (await next.store.openWork([])).outbound) next.delivery.deliver(row, true);
    await settled();
    expect([outbox.platform.texts, next.platform.texts]).toEqual([[], ['a1', 'a2']]);
  });

  test('a claim that a store which is well refuses is tried a minute later', async () => {
    const outbox = new Outbox();
    outbox.store.beforeCommit = ([write]) => {
      if (write?.op === 'sending') throw new Error('FOREIGN KEY constraint failed');
    };
    await outbox.send(A, 'a1');
    outbox.delivery.say({ platform: 'chat', conversation: A }, 'aside');
    await outbox.clock.advance(59_000);
    outbox.store.beforeCommit = () => {};
    expect(outbox.platform.texts).toEqual(['aside']);
    await outbox.clock.advance(1000);
    expect(outbox.platform.texts).toEqual(['aside', 'a1']);
  });

  test.each([
    ['of a full disk', false],
    ['of a lock', true],
  ])(
    'past a thousand the oldest that was not written, because %s, is forgotten, and counted',
    async (_, lock) => {
      const outbox = new Outbox();
      outbox.platform.capabilities = { messagesPerMinute: 100_000 };
      for (let count = 0; count < 1002; count += 1) {
        outbox.platform.answers(`chat:${count}`, Promise.withResolvers<void>().promise);
        await outbox.send(`chat:${count}`, 'text');
      }
      await settled();
      outbox.store.fail(lock ? 'lock' : 'disk');
      outbox.delivery.stop();
      await settled();
      outbox.store.writable = true;
      await outbox.delivery.catchUp();
      expect(ops(outbox).filter((op) => op === 'outbound.end')).toHaveLength(1000);
      expect((await outbox.row('o2')).state).toBe('sending');
      expect((await outbox.row('o3')).state).toBe('unknown');
      const forgotten = outbox.lines.filter(({ msg }) => String(msg).includes('is forgotten'));
      expect(forgotten.reduce((sum, { count }) => sum + Number(count), 0)).toBe(2);
      expect(forgotten[0]?.msg).toMatch(lock ? /another program had the store locked/ : /the disk could not/);
    },
  );

  test('what has arrived is not read again as if it had not', async () => {
    const outbox = new Outbox();
    outbox.platform.capabilities = { messagesPerMinute: 1000 };
    outbox.down();
    const texts = Array.from({ length: 102 }, (_, at) => `a${at}`);
    for (const text of texts) await outbox.send(A, text);
    outbox.store.beforeCommit = ([write]) => {
      if (write?.op === 'sent' && write.id === 'o100') outbox.store.fail();
    };
    outbox.up();
    await outbox.clock.advance(60_000);
    expect(outbox.platform.texts).toEqual(texts.slice(0, 100));
    outbox.store.beforeCommit = () => {};
    await canBeWritten(outbox);
    expect(outbox.platform.texts).toEqual(texts);
  });

  test('a mark that the store refuses takes none of the others with it', async () => {
    const { outbox, arrives } = await beingSent([A, B, 'chat:c']);
    outbox.store.fail();
    arrives();
    await settled();
    outbox.store.writable = true;
    outbox.store.beforeCommit = (unit) => {
      if (unit.some((write) => write.op === 'sent' && write.id === 'o2')) throw new Error('a defect');
    };
    await outbox.delivery.catchUp();
    const states = ['o1', 'o2', 'o3'].map(async (id) => (await outbox.row(id)).state);
    expect(await Promise.all(states)).toEqual(['delivered', 'sending', 'delivered']);
  });

  test('a mark that the store refuses is not kept: the next is written without it', async () => {
    const { outbox, arrives } = await beingSent([A]);
    outbox.store.beforeCommit = (unit) => {
      if (unit.some((write) => write.op === 'sent' && write.id === 'o1')) throw new Error('a defect');
    };
    arrives();
    await settled();
    const refused = () => outbox.lines.filter(({ error }) => error === 'a defect').length;
    expect(refused()).toBe(1);
    await outbox.send(B, 'next');
    await settled();
    expect(await outbox.row('o2')).toMatchObject({ state: 'delivered' });
    expect(refused()).toBe(1);
  });

  test('what was not written goes before the next claim, should nobody say that it can be written', async () => {
    const outbox = new Outbox();
    const arrival = Promise.withResolvers<void>();
    outbox.platform.answers(A, arrival.promise);
    await outbox.send(A, 'a1');
    await settled();
    outbox.store.fail();
    arrival.resolve();
    await settled();
    outbox.store.writable = true;
    await outbox.send(A, 'a2');
    await settled();
    expect(ops(outbox)).toEqual(['sending', 'sent', 'sending', 'sent']);
    expect((await outbox.store.openWork([])).outbound).toEqual([]);
  });

  test('a message that has no row is sent, and marks nothing', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, 'unknown');
    outbox.delivery.say({ platform: 'chat', conversation: A }, 'aside');
    const createdAt = outbox.clock.wallMs();
    outbox.delivery.deliver(outboundRow('o9', null, { platform: 'chat', conversation: B, createdAt }), false);
    await outbox.clock.advance(1000);
    expect(outbox.platform.texts).toEqual(['aside', 'text of o9', `aside${MARK}`]);
    expect(ops(outbox)).toEqual([]);
  });
});

describe('what was handed in without a row, and gets one', () => {
  /** Hands it in; what its row says once it is written and the gateway has died is what the next life begins with. */
  const said = (outbox: Outbox) => {
    const createdAt = outbox.clock.wallMs();
    const row = outboundRow('o1', null, { platform: 'chat', conversation: A, text: 'aside', createdAt });
    outbox.delivery.deliver(row, false);
    return row;
  };
  const written = async (outbox: Outbox, row: ReturnType<typeof said>) => {
    const marks = outbox.delivery.noted(row.id);
    if (typeof marks === 'string') throw new Error(`it is ${marks}`);
    await outbox.store.commit([{ op: 'reply', outbound: row }, ...marks]);
    const next = new Outbox(outbox.store);
    return { next, stored: await next.row(row.id) };
  };

  test('keeps to the wait that its platform named, over a death, too', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, { waitMs: 30_000 });
    const row = said(outbox);
    await settled();
    const until = outbox.clock.wallMs() + 30_000;
    const { next, stored } = await written(outbox, row);
    expect(stored).toMatchObject({
      ...{ state: 'pending', attempts: 0, nextAt: until, possibleDuplicate: false },
      error: 'too many messages',
    });
    next.delivery.deliver(stored, true);
    await next.clock.advance(29_999);
    expect(next.platform.texts).toEqual([]);
    await next.clock.advance(1);
    expect(next.platform.texts).toEqual(['aside']);
  });

  test('goes on saying that it may come twice, also after an attempt that certainly failed', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, 'unknown', 'not-sent');
    const row = said(outbox);
    await outbox.clock.advance(1000);
    expect(outbox.platform.texts).toEqual(['aside', `aside${MARK}`]);
    const { next, stored } = await written(outbox, row);
    expect(stored).toMatchObject({ state: 'pending', possibleDuplicate: true, error: 'trouble: not-sent' });
    next.delivery.deliver(stored, true);
    await settled();
    expect(next.platform.texts).toEqual([`aside${MARK}`]);
  });

  test('says so, too, where it is dead by then and a person has it sent after all', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, 'unknown', 'not-sent');
    const row = said(outbox);
    await outbox.clock.advance(1000);
    expect(await outbox.delivery.discard(row.id, 'local:owner')).toBe('discarded');
    const { next, stored } = await written(outbox, row);
    expect(stored).toMatchObject({ state: 'dead', possibleDuplicate: true });
    await next.delivery.retry(stored);
    await settled();
    expect(next.platform.texts).toEqual([`aside${MARK}`]);
  });

  test('has been sent once where nobody saw how that ended, and not at all where it only waits', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, 'unknown');
    const row = said(outbox);
    await settled();
    const { stored } = await written(outbox, row);
    expect(stored).toMatchObject({ state: 'unknown', possibleDuplicate: false });
    const away = new Outbox();
    away.down();
    const { stored: waits } = await written(away, said(away));
    expect(waits).toMatchObject({ state: 'pending', attempts: 0, nextAt: null, error: null });
  });
});

describe('a person', () => {
  test('discards what waits, and it is dead with their name', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, 'not-sent');
    for (const text of ['a1', 'a2', 'a3']) await outbox.send(A, text);
    await settled();
    expect(await outbox.delivery.discard('o2', 'local:owner')).toBe('discarded');
    expect(await outbox.delivery.discard('o1', 'local:owner')).toBe('discarded');
    expect(await outbox.row('o1')).toMatchObject({
      state: 'dead',
      error: 'discarded by local:owner',
      attempts: 1,
    });
    await outbox.clock.advance(1000);
    expect(outbox.platform.texts).toEqual(['a1', 'a3']);
  });

  test('does not take back what is being sent, but keeps it from being tried again', async () => {
    const outbox = new Outbox();
    const failing = Promise.withResolvers<void>();
    const arriving = Promise.withResolvers<void>();
    outbox.platform.answers(A, failing.promise);
    outbox.platform.answers(B, arriving.promise);
    await outbox.send(A, 'a1');
    await outbox.send(B, 'b1');
    await settled();
    expect(await outbox.delivery.discard('o1', 'local:owner')).toBe('being-sent');
    expect(await outbox.delivery.discard('o2', 'local:owner')).toBe('being-sent');
    failing.reject(new Error('refused'));
    arriving.resolve();
    await settled();
    expect(await outbox.row('o1')).toMatchObject({ state: 'dead', error: 'discarded by local:owner' });
    expect(await outbox.row('o2')).toMatchObject({ state: 'delivered' });
  });

  test('who has one sent that may have arrived and was discarded gets the mark', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, 'unknown');
    await outbox.send(A, 'a1');
    await settled();
    await outbox.delivery.discard('o1', 'local:owner');
    const dead = await outbox.row('o1');
    expect(dead.state).toBe('dead');
    await outbox.delivery.retry(dead);
    await settled();
    expect(outbox.platform.texts).toEqual(['a1', `a1${MARK}`]);
  });

  test('has a dead one sent although it is old and its conversation was gone', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, 'gone');
    for (const text of ['a1', 'a2']) await outbox.send(A, text);
    await outbox.clock.advance(25 * 3_600_000);
    const [dead, old] = [await outbox.row('o1'), await outbox.row('o2')];
    expect([dead.state, old.state]).toEqual(['dead', 'dead']);
    await outbox.delivery.retry(old);
    await outbox.delivery.retry(dead);
    await settled();
    expect(outbox.platform.texts).toEqual(['a1', 'a2', 'a1']);
    expect(await outbox.row('o1')).toMatchObject({
      state: 'delivered',
      attempts: 2,
      possibleDuplicate: false,
    });
  });

  test('who asks while nothing can be written is told so', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(A, 'gone');
    await outbox.send(A, 'a1');
    await settled();
    const dead = await outbox.row('o1');
    outbox.store.fail();
    await expect(outbox.delivery.retry(dead)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(outbox.delivery.discard('o7', 'local:owner')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    expect(outbox.platform.texts).toEqual(['a1']);
    // Also where it waits in memory: the next life would send what is discarded there alone.
    outbox.store.writable = true;
    outbox.down();
    for (const text of ['b1', 'b2']) await outbox.send(B, text);
    outbox.store.fail();
    await expect(outbox.delivery.discard('o2', 'local:owner')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    outbox.up();
    outbox.store.writable = true;
    await outbox.delivery.catchUp();
    await settled();
    expect(outbox.platform.texts).toEqual(['a1', 'b1', 'b2']);
  });
});

describe('the budget of a conversation', () => {
  test('slows its messages down in order, and nobody else', async () => {
    const outbox = new Outbox();
    outbox.platform.capabilities = { messagesPerMinute: 2 };
    for (const text of ['a1', 'a2', 'a3', 'a4']) await outbox.send(A, text);
    await outbox.send(B, 'b1');
    await settled();
    expect(outbox.platform.texts.toSorted()).toEqual(['a1', 'a2', 'b1']);
    await outbox.clock.advance(30_000);
    expect(outbox.platform.texts.slice(3)).toEqual(['a3']);
    await outbox.clock.advance(30_000);
    expect(outbox.platform.texts.slice(3)).toEqual(['a3', 'a4']);
    expect(await outbox.row('o4')).toMatchObject({ state: 'delivered', attempts: 1 });
  });
});

describe('that an answer is on its way', () => {
  test('is shown from its begin to its end, anew before it fades', async () => {
    const outbox = new Outbox();
    outbox.delivery.typing(A, true);
    await settled();
    expect(outbox.platform.shown).toEqual([`${A} on`]);
    await outbox.clock.advance(8000);
    expect(outbox.platform.shown).toEqual([`${A} on`, `${A} on`, `${A} on`]);
    outbox.delivery.typing(A, false);
    await settled();
    expect(outbox.platform.shown.slice(3)).toEqual([`${A} off`]);
    expect(outbox.clock.pending).toBe(0);
    await outbox.clock.advance(60_000);
    expect(outbox.platform.shown).toHaveLength(4);
  });

  test('is shown as soon as the answer before it has left', async () => {
    const outbox = new Outbox();
    const { platform } = outbox;
    let arrives = () => {};
    platform.send = () => new Promise((resolve) => (arrives = () => resolve({})));
    await outbox.send(A, 'the answer before');
    await settled();
    outbox.delivery.typing(A, true);
    await settled();
    expect(platform.shown).toEqual([]);
    arrives();
    await settled();
    expect(platform.shown).toEqual([`${A} on`]);
    outbox.delivery.typing(A, false);
    await settled();
    expect(outbox.clock.pending).toBe(0);
  });

  test('is left out first: while there is not plenty of the budget, and no message has to wait for it', async () => {
    const outbox = new Outbox();
    outbox.platform.capabilities = { messagesPerMinute: 8 };
    for (const conversation of [A, A, A]) {
      outbox.delivery.typing(conversation, true);
      await settled();
      outbox.delivery.typing(conversation, false);
      await settled();
    }
    expect(outbox.platform.shown).toEqual([`${A} on`, `${A} off`, `${A} on`]);
    const texts = ['a1', 'a2', 'a3', 'a4', 'a5'];
    for (const text of texts) await outbox.send(A, text);
    await settled();
    expect(outbox.platform.texts).toEqual(texts);
  });

  test('is left out where a message waits, without a link, and where a platform cannot show it', async () => {
    const outbox = new Outbox();
    outbox.platform.answers(B, 'not-sent');
    await outbox.send(B, 'b1');
    await settled();
    outbox.delivery.typing(B, true);
    outbox.delivery.typing('pager:1', true);
    outbox.down();
    outbox.delivery.typing('chat:c', true);
    await settled();
    expect(outbox.platform.shown).toEqual([]);
    // Once it can be shown, it is: a link that is up again has what waited sent first.
    outbox.up();
    await settled();
    expect(outbox.platform.shown.toSorted()).toEqual([`${B} on`, 'chat:c on']);
    for (const conversation of [B, 'pager:1', 'chat:c']) outbox.delivery.typing(conversation, false);
    await settled();
    expect(outbox.clock.pending).toBe(0);
  });

  test('is ended when it was shown, also when its end came before that; one call at a time', async () => {
    const outbox = new Outbox();
    const calls: { on: boolean; over: () => void }[] = [];
    outbox.platform.typing = (_conversation, on) => new Promise((over) => calls.push({ on, over }));
    const shown = () => calls.map(({ on }) => on);
    outbox.delivery.typing(A, true);
    outbox.delivery.typing(A, false);
    await settled();
    expect(shown()).toEqual([true]);
    calls[0]?.over();
    await settled();
    expect(shown()).toEqual([true, false]);
    // The next answer begins while the end of the one before is being shown.
    outbox.delivery.typing(A, true);
    await settled();
    expect(shown()).toEqual([true, false]);
    calls[1]?.over();
    await settled();
    expect(shown()).toEqual([true, false, true]);
    outbox.delivery.stop();
    calls[2]?.over();
    await settled();
    expect(shown()).toEqual([true, false, true]);
    expect(outbox.clock.pending).toBe(0);
  });

  test('is given up where its platform does not come to an end with it, and fails without a word', async () => {
    const outbox = new Outbox();
    const signals: AbortSignal[] = [];
    outbox.platform.typing = (conversation, _on, signal) => {
      if (conversation === B) return Promise.reject(new Error('not now'));
      signals.push(signal);
      return new Promise(() => {});
    };
    for (const conversation of [A, B]) outbox.delivery.typing(conversation, true);
    outbox.delivery.typing(B, false);
    await outbox.clock.advance(4999);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    await outbox.clock.advance(1);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    // Shown anew only when it is due anyway.
    await outbox.clock.advance(2999);
    expect(signals).toHaveLength(1);
    await outbox.clock.advance(1);
    expect(signals).toHaveLength(2);
    expect(outbox.lines.filter(({ msg }) => msg === 'typing could not be shown').length).toBeGreaterThan(0);
  });
});
