/** A conversation's events: ids that say how far a client got, and nothing lost or doubled while the store is read. */
import { describe, expect, test } from 'vitest';
import { ConversationEvents, cursorId, parseCursor } from '../../src/control/conversation-events.ts';
import type { EventStream } from '../../src/control/event-stream.ts';
import type { StoredMessage } from '../../src/store/store.ts';
import { settled } from '../support/fake-clock.ts';
import { type GatewayCore, startCore } from '../support/gateway-core.ts';

/** Reads all of a stream as it comes. */
function reading(stream: EventStream): { text: string } {
  const client = { text: '' };
  const write = (piece: string) => {
    client.text += piece;
  };
  stream.connect({ write, end: () => {} });
  return client;
}

describe('an id', () => {
  test.each([
    [
      '1763712345678.m_mi9x2k4a0f3b7c',
      { settledAt: 1763712345678, messageId: 'm_mi9x2k4a0f3b7c', replies: null },
    ],
    [
      '1763712345678.m_mi9x2k4a0f3b7c.2',
      { settledAt: 1763712345678, messageId: 'm_mi9x2k4a0f3b7c', replies: 2 },
    ],
    ['0', { settledAt: 0, messageId: '', replies: null }],
  ])('%j is read and written the same', (id, cursor) => {
    expect(parseCursor(id)).toEqual(cursor);
    expect(cursorId(cursor)).toBe(id);
  });

  test.each([
    undefined,
    '',
    'x',
    '-1',
    '1e9',
    '1.',
    '1.m_a.',
    '1.m_a.x',
    '1.m a',
    `${'9'.repeat(16)}`,
    '1.m_a.1.1',
    '\u0661',
  ])('%j is none', (id) => expect(parseCursor(id)).toBeUndefined());
});

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
    core.gateway.resume({ held: [], commands: [], outbound: [] }, null);
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
    core.store.settledSince = async () => {
      throw new Error('the disk of the test is full');
    };
    const second = events.open('local:default', '0');
    const client = reading(second);
    await settledRow(core, 'now');
    await settled();
    expect(client.text).toContain('"id":"now"');
    expect(ids()).toEqual([]);
  });
});
