/** The same message twice: it has one place, one outcome, and whoever asks again is answered in time. */
import { describe, expect, test } from 'vitest';
import type { Progress } from '../../src/gateway/in-hand.ts';
import * as replies from '../../src/messages/replies.ts';
import type { MessageRow } from '../../src/store/records.ts';
import type { Write } from '../../src/store/write.ts';
import { settled } from '../support/fake-clock.ts';
import { bootCore, type GatewayCore, startCore } from '../support/gateway-core.ts';

const COMMANDS = 'quick_commands: { up: { type: exec, command: "up" } }';

/** A message that another process of this home wrote, and works on. */
const others = (platformMessageId: string, more: Partial<MessageRow> = {}): MessageRow => ({
  id: `m_${platformMessageId}`,
  platform: 'local',
  platformMessageId,
  conversation: 'local:default',
  sender: 'local:owner',
  kind: 'turn',
  text: 'hello',
  agent: 'default',
  whenBusy: 'queue',
  receivedAt: 1,
  life: 7,
  epoch: null,
  admission: 'dispatch',
  reason: null,
  phase: 'started',
  ...more,
});

const wrote = (core: GatewayCore, row: MessageRow) => core.store.commit([{ op: 'receive', message: row }]);

describe('a turn that the store knows already', () => {
  test('gives its place back: the next of its conversation starts at once', async () => {
    const core = await startCore();
    await wrote(core, others('known'));
    const again = await core.receive('hello', { platformMessageId: 'known' });
    expect(again).toMatchObject({ messageId: 'm_known', duplicate: true, admission: 'dispatch' });
    expect(core.gateway.status.inFlight.turns).toEqual([]);
    expect(core.gateway.lifecycle.view.turns).toBe(0);
    await core.receive('next');
    await settled();
    expect(core.agent.asked).toEqual(['next']);
  });

  test('and has settled is answered with its outcome, also while its replies cannot be read', async () => {
    const core = await startCore();
    await wrote(core, others('known'));
    const settle = { op: 'settle', id: 'm_known', outcome: 'answered', reason: null, at: 2 } as const;
    await core.store.commit([settle]);
    core.store.replies = () => Promise.reject(new Error('the disk is away'));
    const again = await core.receive('hello', { platformMessageId: 'known' });
    expect(await again.settled).toMatchObject({ outcome: 'answered', replies: [] });
  });

  test('is not held a second time', async () => {
    const core = bootCore();
    expect(await core.receive('early')).toMatchObject({ admission: 'hold', duplicate: false });
    expect(await core.receive('early')).toMatchObject({ admission: 'hold', duplicate: true });
    expect(core.gateway.status.held).toBe(1);
    core.gateway.lifecycle.send({ type: 'started' });
    await settled();
    expect(core.agent.asked).toEqual(['early']);
  });

  test('is recognised while nothing can be written, whether or not anybody has noticed that', async () => {
    const core = await startCore();
    await wrote(core, others('known'));
    core.store.fail();
    const known = { messageId: 'm_known', duplicate: true, admission: 'dispatch', recorded: true };
    expect(await core.receive('hello', { platformMessageId: 'known' })).toMatchObject(known);
    core.gateway.storeIsDown();
    expect(await core.receive('hello', { platformMessageId: 'known' })).toMatchObject(known);
    expect(core.gateway.lifecycle.view.turns).toBe(0);
  });

  test('does not use up the one refusal that its conversation hears in a drain', async () => {
    const core = await startCore();
    const chat = {
      platform: 'chat',
      conversation: 'chat:1',
      sender: 'local:owner',
      whenBusy: 'interrupt',
    } as const;
    await wrote(core, others('known', chat));
    core.gateway.requests.ask({ intent: 'drain', cause: 'drain', actor: 'local:owner' });
    expect(await core.receive('hello', { ...chat, platformMessageId: 'known' })).toMatchObject({
      duplicate: true,
      admission: 'dispatch',
    });
    expect(await core.receive('new', chat)).toMatchObject({ admission: 'refuse', reason: 'state' });
    await settled();
    expect(core.chat.sent).toHaveLength(1);
  });
});

describe('a message that another process has in hand', () => {
  const command = others('cli', { kind: 'exec', text: '/up' });
  const ran: Write = { op: 'settle', id: 'm_cli', outcome: 'ran', reason: null, at: 2 };

  async function askedAgain() {
    const core = await startCore(COMMANDS);
    await wrote(core, command);
    const heard: Progress[] = [];
    const receipt = await core.gateway.receive(
      { ...command, receivedAt: core.clock.wallMs(), agent: 'default', whenBusy: 'queue' },
      (progress) => heard.push(progress),
    );
    expect(receipt).toMatchObject({ messageId: 'm_cli', duplicate: true, admission: 'dispatch' });
    expect(core.processes.started).toEqual([]);
    return { core, receipt, heard };
  }

  test('is answered with its outcome soon after it has one', async () => {
    const { core, receipt, heard } = await askedAgain();
    await core.clock.advance(5_000);
    expect(heard.map(({ type }) => type)).toEqual(['admission']);
    await core.store.commit([ran]);
    await core.clock.advance(500);
    expect(await receipt.settled).toMatchObject({ outcome: 'ran', recorded: true });
    expect(heard.at(-1)).toMatchObject({ type: 'settled', outcome: 'ran' });
  });

  test('keeps nobody waiting for longer than a minute, and may be asked for again', async () => {
    const { core, heard } = await askedAgain();
    await core.clock.advance(59_000);
    expect(heard).toHaveLength(1);
    await core.clock.advance(1_000);
    expect(heard.at(-1)).toMatchObject({ type: 'admission', admission: 'hold', duplicate: true });
    expect(core.clock.pending).toBe(0);
    const again = await core.receive('/up', { platformMessageId: 'cli' });
    await core.store.commit([ran]);
    await core.clock.advance(500);
    expect(await again.settled).toMatchObject({ outcome: 'ran' });
  });
});

describe('a search for what another process has in hand', () => {
  const search = async (more?: (progress: Progress) => void) => {
    const core = await startCore();
    await wrote(core, others('known'));
    const inbound = {
      platform: 'local',
      conversation: 'local:default',
      sender: 'local:owner',
      receivedAt: 1,
    };
    const again = await core.gateway.receive({ ...inbound, platformMessageId: 'known', text: 'hello' }, more);
    return { core, again };
  };

  test('ends with the gateway, and whoever waits is told where the message is', async () => {
    const told: Progress[] = [];
    const { core } = await search((progress) => told.push(progress));
    await settled();
    await core.gateway.stop();
    await settled();
    expect(core.clock.pending).toBe(0);
    expect(told.at(-1)).toMatchObject({ type: 'admission', admission: 'hold', text: replies.elsewhere() });
  });

  test('is not disturbed by a watcher that throws, nor is the gateway', async () => {
    const { core, again } = await search(() => {
      throw new Error('the reader is gone');
    });
    await core.store.commit([{ op: 'settle', id: 'm_known', outcome: 'answered', reason: null, at: 2 }]);
    await core.clock.advance(500);
    expect(await again.settled).toMatchObject({ outcome: 'answered' });
    expect(core.lines.map(({ msg }) => msg)).toContain('a watcher of a message failed');
  });

  test('logs a store that fails for more than an outage, and asks again', async () => {
    const { core, again } = await search();
    const { message } = core.store;
    core.store.message = () => Promise.reject(new TypeError('a defect of the test'));
    await core.clock.advance(500);
    core.store.message = message;
    await core.store.commit([{ op: 'settle', id: 'm_known', outcome: 'answered', reason: null, at: 2 }]);
    await core.clock.advance(500);
    expect(await again.settled).toMatchObject({ outcome: 'answered' });
    expect(core.lines.filter(({ error }) => error === 'a defect of the test')).toHaveLength(1);
  });
});
