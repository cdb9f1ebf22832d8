/** A conversation's events: nothing is lost or doubled while the store is read. */
import { describe, expect, test } from 'vitest';
import { ConversationEvents } from '../../src/control/conversation-events.ts';
import type { EventStream } from '../../src/control/event-stream.ts';
import { SluiceError } from '../../src/errors.ts';
import type { StoredMessage } from '../../src/store/records.ts';
import { receive } from '../store/sample-rows.ts';
import { settled } from '../support/fake-clock.ts';
import { type GatewayCore, NOTHING_RECOVERED, startCore } from '../support/gateway-core.ts';

/** Reads all of a stream as it comes. */
function reading(stream: EventStream): { text: string } {
  const client = { text: '' };
  const write = (piece: string) => {
    client.text += piece;
  };
  stream.connect({ write, end: () => {} });
  return client;
}

describe('while the store is read', () => {
  /** A client that comes back to a gateway whose store answers when it is told to. */
  async function comeBack() {
    const core = await startCore();
    const reads: ((rows: readonly StoredMessage[]) => void)[] = [];
    core.store.settledSince = () => new Promise((resolve) => reads.push(resolve));
    const events = new ConversationEvents(core.gateway, core.clock);
    const stream = events.open('local:default', '0');
    const client = reading(stream);
    await settled();
    const ids = () =>
      [...client.text.matchAll(/event: settled\ndata: {"messageId":"[^"]*","id":"([^"]*)"/g)].map(
        ([, id]) => id,
      );
    const answer = async (...rows: StoredMessage[]) => {
      reads.shift()?.(rows);
      await settled();
    };
    return { core, events, stream, ids, answer, readsWaiting: () => reads.length };
  }

  async function settledRow({ store, clock, receive }: GatewayCore, id: string): Promise<StoredMessage> {
    await (await receive('/ps', { platformMessageId: id })).settled;
    const row = await store.find('local', id);
    if (row === undefined) throw new Error('it was not kept');
    return { ...row, phase: 'settled', outcome: 'done', settledAt: clock.wallMs() };
  }

  test('what settles meanwhile comes once, whether the store had it already or not', async () => {
    const { core, ids, answer } = await comeBack();
    const before = await settledRow(core, 'in both');
    await settledRow(core, 'told alone');
    expect(ids()).toEqual([]);
    await answer(before);
    expect(ids()).toEqual(['in both', 'told alone']);
    await settledRow(core, 'later');
    expect(ids()).toEqual(['in both', 'told alone', 'later']);
  });

  test('what a start recovers meanwhile is read once more, and not sent twice', async () => {
    const { core, ids, answer, readsWaiting } = await comeBack();
    const row = await settledRow(core, 'known');
    core.gateway.resume(NOTHING_RECOVERED, null);
    await answer(row);
    expect(readsWaiting()).toBe(1);
    await answer(row, { ...row, id: 'm_recovered', platformMessageId: 'recovered' });
    expect(ids()).toEqual(['known', 'recovered']);
    expect(readsWaiting()).toBe(0);
  });

  test('a store that cannot be read leaves the client with what happens now', async () => {
    const { core, events, stream, ids } = await comeBack();
    stream.gone();
    await settled();
    expect(events.clients).toBe(0);
    core.store.settledSince = unreadable;
    const second = events.open('local:default', '0');
    const client = reading(second);
    await settledRow(core, 'now');
    await settled();
    expect(client.text).toContain('event: dropped\ndata: {"count":null}');
    expect(client.text).toContain('"id":"now"');
    expect(ids()).toEqual([]);
  });

  test('a message whose replies cannot be read is not told as one without: the client misses it and is told so', async () => {
    const { core, events, stream } = await comeBack();
    stream.gone();
    const row = await settledRow(core, 'known');
    core.store.settledSince = async () => [row];
    core.store.replies = unreadable;
    const client = reading(events.open('local:default', '0'));
    await settled();
    expect(eventsOf(client)).toEqual(['connected', 'dropped']);
  });
});

const unreadable = async (): Promise<never> => {
  throw new SluiceError('STORE_UNAVAILABLE', 'the disk of the test is full');
};

const eventsOf = ({ text }: { text: string }) =>
  [...text.matchAll(/^event: (.*)$/gm)].map(([, event]) => event);

const idsOf = ({ text }: { text: string }) =>
  [...text.matchAll(/^event: settled\ndata: .*?"id":"([^"]*)"/gm)].map(([, id]) => id);

describe('an id as the last one that was seen', () => {
  /** A gateway whose store has these messages, settled at these times, in order of arrival. */
  async function withSettled(...rows: readonly (readonly [id: string, settledAt: number])[]) {
    const core = await startCore();
    const at0 = core.clock.wallMs() - 1000;
    for (const [id, at] of rows) {
      const row = { conversation: 'local:default', platformMessageId: id, receivedAt: at0 };
      await core.store.commit([
        receive(`m_${id}`, row),
        { op: 'settle', id: `m_${id}`, outcome: 'answered', reason: null, at: at0 + at },
      ]);
    }
    const events = new ConversationEvents(core.gateway, core.clock);
    const resume = async (id: string, at: number) => {
      const client = reading(events.open('local:default', `${at0 + at}.m_${id}`));
      await settled();
      return client;
    };
    return { core, events, resume };
  }

  test('goes on exactly after it, also between messages that settled in the same millisecond', async () => {
    const { resume } = await withSettled(['a', 5], ['b', 7], ['c', 7], ['d', 7], ['e', 9]);
    expect(idsOf(await resume('b', 7))).toEqual(['c', 'd', 'e']);
    expect(idsOf(await resume('d', 7))).toEqual(['e']);
    expect(idsOf(await resume('a', 5))).toEqual(['b', 'c', 'd', 'e']);
    expect(idsOf(await resume('e', 9))).toEqual([]);
  });

  test('that names a message nobody knows goes on with all of its millisecond', async () => {
    const { resume } = await withSettled(['a', 5], ['b', 7], ['c', 7]);
    expect(idsOf(await resume('unknown', 7))).toEqual(['b', 'c']);
  });

  test('of a burst that settled within one millisecond loses and repeats nothing, wherever the stream broke', async () => {
    const { core, events } = await withSettled();
    const whole = reading(events.open('local:default', '0'));
    await settled();
    // The first one that came settles last: an agent answers while commands run.
    const turn = await core.receive('turn', { platformMessageId: 'turn' });
    for (const id of ['one', 'two', 'three'])
      await (await core.receive('/ps', { platformMessageId: id })).settled;
    core.agent.say(0, 'answer');
    core.agent.end(0);
    await turn.settled;
    await settled();
    const order = ['one', 'two', 'three', 'turn'];
    expect(idsOf(whole)).toEqual(order);
    const seen = [...whole.text.matchAll(/^id: (.*)\nevent: settled$/gm)].map(([, id]) => id);
    for (const [at, id] of seen.entries()) {
      const rest = reading(events.open('local:default', id));
      await settled();
      expect(idsOf(rest)).toEqual(order.slice(at + 1));
    }
  });

  test('that runs a little ahead of the clock is no clock that was set back', async () => {
    const { core, events, resume } = await withSettled(['long ago', 5]);
    const client = reading(events.open('local:default', `${core.clock.wallMs() + 100}.m_x`));
    await settled();
    expect(idsOf(client)).toEqual([]);
    expect(idsOf(await resume('x', 1101))).toEqual(['long ago']);
  });

  test('is given to a new client also while the store cannot be read: it has missed nothing', async () => {
    const { core, events } = await withSettled(['before', 5]);
    const { settledSince } = core.store;
    core.store.settledSince = unreadable;
    const client = reading(events.open('local:default', undefined));
    await settled();
    expect(client.text).toContain(`id: ${core.clock.wallMs()}\nevent: connected\n`);
    core.store.settledSince = settledSince;
    const again = reading(events.open('local:default', `${core.clock.wallMs()}`));
    await settled();
    expect(idsOf(again)).toEqual([]);
  });
});

describe('a defect', () => {
  const defect = async (): Promise<never> => {
    throw new TypeError('a defect of the test');
  };

  async function opened(lastEventId?: string) {
    const core = await startCore();
    const events = new ConversationEvents(core.gateway, core.clock);
    const open = async () => {
      const client = { text: '', ended: false };
      const write = (piece: string) => {
        client.text += piece;
      };
      events.open('local:default', lastEventId).connect({ write, end: () => (client.ended = true) });
      await settled();
      return client;
    };
    const isEndedProperly = (client: { text: string; ended: boolean }) => {
      expect(client.text.endsWith('retry: 500\n\n')).toBe(true);
      expect([client.ended, events.clients]).toEqual([true, 0]);
      expect(core.lines).toContainEqual(
        expect.objectContaining({ msg: 'a request failed', error: 'a defect of the test' }),
      );
    };
    return { core, open, isEndedProperly };
  }

  test.each([undefined, '0'])('while a client begins (after %s) ends its stream', async (lastEventId) => {
    const { core, open, isEndedProperly } = await opened(lastEventId);
    core.store.settledSince = defect;
    isEndedProperly(await open());
  });

  test('while it is read what a start recovered ends the stream', async () => {
    const { core, open, isEndedProperly } = await opened();
    const client = await open();
    core.store.settledSince = defect;
    core.gateway.conversations.recovered();
    await settled();
    isEndedProperly(client);
  });

  test('in what is told ends the stream, and neither the teller nor another client feels it', async () => {
    const { core, open, isEndedProperly } = await opened();
    const client = await open();
    const heard: string[] = [];
    core.gateway.conversations.watch('local:default', ({ type }) => heard.push(type));
    const text = {
      toJSON: () => {
        throw new Error('a defect of the test');
      },
    };
    core.gateway.conversations.tell('local:default', { type: 'notice', text: text as unknown as string });
    await settled();
    expect(heard).toEqual(['notice']);
    isEndedProperly(client);
  });
});

test('a notice has no id: there is nothing to go on from', async () => {
  const core = await startCore();
  const client = reading(new ConversationEvents(core.gateway, core.clock).open('local:default', undefined));
  await settled();
  core.gateway.conversations.tell('local:default', { type: 'notice', text: 'The agent default is back.' });
  expect(client.text.endsWith('\n\nevent: notice\ndata: {"text":"The agent default is back."}\n\n')).toBe(
    true,
  );
});
