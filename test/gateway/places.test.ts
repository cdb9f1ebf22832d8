/** A place is taken when a message is admitted, and nothing begins before the message is on disk. */
import { describe, expect, test } from 'vitest';
import { SluiceError } from '../../src/errors.ts';
import type { Heard } from '../../src/gateway/conversations.ts';
import type { Progress } from '../../src/gateway/in-hand.ts';
import { receive } from '../store/sample-rows.ts';
import { settled } from '../support/fake-clock.ts';
import { type GatewayCore, startCore } from '../support/gateway-core.ts';
import { MemoryStore } from '../support/memory-store.ts';

const COMMANDS = 'quick_commands: { up: { type: exec, command: "up" } }';

/** Keeps the row of the message `second` on its way to the disk until `release`. */
function slowDisk({ store }: GatewayCore) {
  const gate = Promise.withResolvers<void>();
  const commit = store.commit.bind(store);
  store.commit = async (unit) => {
    const [first] = unit;
    if (first?.op === 'receive' && first.message.platformMessageId === 'second') await gate.promise;
    return commit(unit);
  };
  return { release: () => gate.resolve() };
}

describe('a command that waits for its slot', () => {
  test('runs once when the slot comes free while its row is being written', async () => {
    const core = await startCore(COMMANDS);
    await core.receive('/up', { platformMessageId: 'first' });
    const disk = slowDisk(core);
    const second = core.receive('/up', { platformMessageId: 'second' });
    core.processes.started[0]?.finish({ stdout: 'first' });
    await settled();
    expect(core.processes.started).toHaveLength(1);
    disk.release();
    await second;
    await settled();
    expect(core.processes.started).toHaveLength(2);
    core.processes.started[1]?.finish({ stdout: 'second' });
    expect(await (await second).settled).toMatchObject({ outcome: 'ran', replies: ['second'] });
    await settled();
    expect(core.processes.started).toHaveLength(2);
    expect(core.gateway.status.inFlight.commands).toEqual([]);
  });

  test('is not run when it is cancelled while its row is being written, and its slot stays whole', async () => {
    const core = await startCore(COMMANDS);
    await core.receive('/up', { platformMessageId: 'first' });
    const disk = slowDisk(core);
    const second = core.receive('/up', { platformMessageId: 'second' });
    await settled();
    const waiting = core.gateway.status.inFlight.commands[1]?.id;
    const cancelling = core.receive(`/cancel ${waiting}`);
    expect(await (await cancelling).settled).toMatchObject({ replies: [`Ending ${waiting}.`] });
    disk.release();
    expect(await (await second).settled).toMatchObject({ outcome: 'interrupted', reason: 'not-run' });
    core.processes.started[0]?.finish();
    await settled();
    expect(core.processes.started).toHaveLength(1);
    const third = await core.receive('/up', { platformMessageId: 'third' });
    await settled();
    expect(core.processes.started).toHaveLength(2);
    core.processes.started[1]?.finish();
    expect(await third.settled).toMatchObject({ outcome: 'ran' });
  });

  test('is not brought to its end before its row has come out, and is noted whole when the row was lost', async () => {
    const core = await startCore(COMMANDS);
    await core.receive('/up', { platformMessageId: 'first' });
    const disk = slowDisk(core);
    const fromChat = { platform: 'chat', conversation: 'chat:c' };
    const second = core.receive('/up', { ...fromChat, platformMessageId: 'second' });
    await settled();
    core.gateway.requests.ask({ intent: 'stop', hurry: true, cause: 'stop', actor: 'local:owner' });
    await settled();
    expect(core.chat.sent).toEqual([]);
    core.store.fail();
    disk.release();
    const receipt = await second;
    expect(receipt).toMatchObject({ admission: 'dispatch', recorded: false });
    expect(await receipt.settled).toMatchObject({ outcome: 'interrupted', reason: 'not-run' });
    core.store.writable = true;
    await core.gateway.storeIsBack();
    await settled();
    expect(await core.store.find('chat', 'second')).toMatchObject({
      ...{ outcome: 'interrupted', reason: 'not-run', recorded: false },
    });
    expect(core.processes.started).toHaveLength(1);
  });

  test('runs, unrecorded, when its row cannot be written', async () => {
    const core = await startCore(COMMANDS);
    await core.receive('/up', { platformMessageId: 'first' });
    core.store.fail();
    const second = await core.receive('/up', { platformMessageId: 'second' });
    expect(second).toMatchObject({ admission: 'dispatch', recorded: false });
    core.processes.started[0]?.finish();
    await settled();
    core.processes.started[1]?.finish();
    expect(await second.settled).toMatchObject({ outcome: 'ran', recorded: false });
  });
});

describe('a turn that waits for its place', () => {
  test('does not begin when its row could not be written, though the place came free meanwhile', async () => {
    const core = await startCore();
    const first = await core.receive('first');
    const disk = slowDisk(core);
    const second = core.receive('second');
    core.agent.say(0, 'answer');
    core.agent.end(0);
    await settled();
    core.store.fail();
    disk.release();
    expect(await second).toMatchObject({ admission: 'refuse', reason: 'store' });
    expect(await first.settled).toMatchObject({ outcome: 'answered', recorded: true });
    await settled();
    expect(core.agent.asked).toEqual(['first']);
    expect(core.gateway.status).toMatchObject({ held: 0, inFlight: { turns: [] } });
  });

  test('lets the next of its conversation go first when its own row turns out to be a duplicate', async () => {
    const core = await startCore();
    await core.receive('first');
    const disk = slowDisk(core);
    const duplicate = core.receive('second');
    const third = core.receive('third');
    await settled();
    // Another process has written the same message meanwhile.
    const other = new MemoryStore(core.store.tables);
    await other.commit([receive('m_other', { platformMessageId: 'second', life: 7 })]);
    core.agent.say(0, 'answer');
    core.agent.end(0);
    disk.release();
    expect(await duplicate).toMatchObject({ duplicate: true, messageId: 'm_other' });
    await third;
    await settled();
    expect(core.agent.asked).toEqual(['first', 'third']);
  });

  test('goes back in order when starting them could not be written, and is taken up when it can', async () => {
    const core = await startCore();
    for (const text of ['one', 'two', 'three', 'four']) await core.receive(text);
    core.store.fail();
    core.gateway.storeIsDown();
    core.agent.say(0, 'answer');
    core.agent.end(0);
    await settled();
    expect(core.gateway.status.held).toBe(3);
    core.store.writable = true;
    await core.gateway.storeIsBack();
    for (const index of [1, 2, 3]) {
      await settled();
      core.agent.say(index, 'answer');
      core.agent.end(index);
    }
    await settled();
    expect(core.agent.asked).toEqual(['one', 'two', 'three', 'four']);
    expect(core.gateway.status).toMatchObject({ state: 'running.healthy', held: 0 });
  });
});

describe('a turn whose start cannot be written when its place comes free', () => {
  /** One turn runs, one waits; then the disk fails, and the first one ends. */
  async function failsToStart(conversation: { platform: string; conversation: string; sender: string }) {
    const core = await startCore('access: { owners: ["chat:1"] }');
    const heard: Heard[] = [];
    core.gateway.conversations.watch(conversation.conversation, (one) => heard.push(one));
    await core.receive('one', conversation);
    const told: Progress[] = [];
    const inbound = {
      ...conversation,
      platformMessageId: 'two',
      text: 'two',
      receivedAt: core.clock.wallMs(),
    };
    const { messageId } = await core.gateway.receive(inbound, (progress) => told.push(progress));
    core.store.fail();
    core.gateway.storeIsDown();
    core.agent.say(0, 'answer');
    core.agent.end(0);
    await settled();
    return { core, heard, told, messageId };
  }

  const local = { platform: 'local', conversation: 'local:default', sender: 'local:owner' };
  const chat = { platform: 'chat', conversation: 'chat:a', sender: 'chat:1' };
  const kept = 'Kept: it is answered as soon as the gateway takes turns again.';

  test('is held: who waits for it, who watches the conversation and the chart hear of it', async () => {
    const { core, heard, told, messageId } = await failsToStart(local);
    expect(told.at(-1)).toMatchObject({ type: 'admission', messageId, admission: 'hold', text: kept });
    expect(heard.filter(({ type }) => type === 'message' || type === 'notice').slice(-2)).toMatchObject([
      { type: 'message', message: { id: messageId }, admission: 'hold' },
      { type: 'notice', text: kept },
    ]);
    expect(core.gateway.lifecycle.view.turns).toBe(0);
    expect(core.gateway.status.held).toBe(1);
  });

  test('is announced in its chat when the outage lasts', async () => {
    const { core } = await failsToStart(chat);
    await core.clock.advance(2000);
    expect(core.chat.sent.filter((text) => text === kept)).toHaveLength(1);
  });

  test('is answered as a held one when the same id comes again, and once the store is back', async () => {
    const { core } = await failsToStart(local);
    expect(await core.receive('two', { ...local, platformMessageId: 'two' })).toMatchObject({
      ...{ admission: 'hold', duplicate: true, text: kept },
    });
    core.store.writable = true;
    await core.gateway.storeIsBack();
    const again = await core.receive('two', { ...local, platformMessageId: 'two' });
    expect(again).toMatchObject({ duplicate: true });
    core.agent.say(1, 'late');
    core.agent.end(1);
    expect(await again.settled).toMatchObject({ outcome: 'answered', replies: ['late'] });
  });

  test('fails when the store is well and does not take it', async () => {
    const core = await startCore();
    await core.receive('one');
    const second = await core.receive('two');
    const commit = core.store.commit.bind(core.store);
    core.store.commit = async (unit) => {
      if (unit[0]?.op === 'turn.start') throw new SluiceError('INTERNAL', 'a constraint failed');
      return commit(unit);
    };
    core.agent.say(0, 'answer');
    core.agent.end(0);
    expect(await second.settled).toMatchObject({ outcome: 'failed', reason: 'internal', recorded: true });
    await settled();
    expect(core.gateway.status).toMatchObject({ held: 0, inFlight: { turns: [] } });
    expect(core.gateway.lifecycle.view.turns).toBe(0);
    expect(core.lines).toContainEqual(expect.objectContaining({ error: 'a constraint failed' }));
  });
});

describe('a turn', () => {
  test('is ended at its timeout, and keeps what it had said', async () => {
    const core = await startCore('agent: { type: command, command: agent, turn_timeout: 90 }');
    const receipt = await core.receive('hello');
    core.agent.say(0, 'so far');
    await core.clock.advance(89_999);
    expect(core.gateway.status.inFlight.turns).toHaveLength(1);
    await core.clock.advance(1);
    expect(await receipt.settled).toMatchObject({
      outcome: 'failed',
      reason: 'timeout',
      replies: [
        'so far',
        'No answer: the agent default took longer than 90 s, and said nothing in the last 90 s. See whether what is behind it is stuck, or raise agent.turn_timeout.',
      ],
    });
    expect(core.clock.pending).toBe(0);
  });

  test.each([
    ['in one piece', ['x'.repeat(1_000_001)]],
    ['past a whole million', ['x'.repeat(1_000_000), 'y']],
    ['and goes on and on', ['x'.repeat(999_999), 'yz', 'more', 'and more']],
  ])('whose answer is too long, %s, is cut once and says so', async (_, pieces) => {
    const core = await startCore();
    const receipt = await core.receive('hello');
    for (const piece of pieces) core.agent.say(0, piece);
    core.agent.end(0);
    const [answer = ''] = (await receipt.settled).replies;
    expect(answer.slice(1_000_000)).toBe('\n[cut: the answer was longer]');
  });

  test('whose agent fails in a way nobody thought of has an outcome, and the log the error', async () => {
    const core = await startCore();
    const receipt = await core.receive('hello');
    core.agent.end(0, new TypeError('cannot read x of undefined'));
    expect(await receipt.settled).toMatchObject({
      outcome: 'failed',
      replies: ['No answer: the agent failed unexpectedly. Send it again, or look at the log.'],
    });
    expect(core.lines).toContainEqual(expect.objectContaining({ error: 'cannot read x of undefined' }));
  });
});
