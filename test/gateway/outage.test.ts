/** What becomes of messages, outcomes and order while the store cannot be written, moment by moment. */
import { describe, expect, test } from 'vitest';
import { SluiceError } from '../../src/errors.ts';
import { QUEUED_PER_CONVERSATION_MAX } from '../../src/gateway/outbound-line.ts';
import { StoreWatch } from '../../src/gateway/store-watch.ts';
import { UNRECORDED_UNITS_MAX } from '../../src/gateway/unrecorded.ts';
import type { Inbound } from '../../src/messages/inbound.ts';
import { SendFailure } from '../../src/platforms/platform.ts';
import { settled } from '../support/fake-clock.ts';
import { answer, type GatewayCore, startCore } from '../support/gateway-core.ts';

const COMMANDS = 'quick_commands: { up: { type: exec, command: "up", concurrency: 4 } }';
const NOTE = '(not recorded: the gateway could not write to its disk)';

const outage = (core: GatewayCore) => {
  core.store.fail();
  core.gateway.storeIsDown();
};

const outcomesWritten = ({ store }: GatewayCore) =>
  store.units.flatMap((unit) => unit.flatMap((write) => (write.op === 'settle' ? [write] : [])));

const fromChat = { platform: 'chat', conversation: 'chat:c', sender: 'local:ann' };

async function ran(core: GatewayCore, id: string, from: Partial<Inbound> = {}) {
  const receipt = await core.receive('/up', { ...from, platformMessageId: id });
  await settled();
  core.processes.started.at(-1)?.finish({ stdout: id });
  return { receipt, outcome: await receipt.settled };
}

describe('while nothing can be written', () => {
  test('a command runs once for its id, and its rows are written when the store is back', async () => {
    const core = await startCore(COMMANDS);
    outage(core);
    const { outcome, receipt } = await ran(core, 'a');
    expect(outcome).toMatchObject({ outcome: 'ran', recorded: false, replies: [`a\n${NOTE}`] });
    const again = await core.receive('/up', { platformMessageId: 'a' });
    expect(again).toMatchObject({ duplicate: true, messageId: receipt.messageId });
    expect(await again.settled).toBe(outcome);
    expect(core.processes.started).toHaveLength(1);
    expect(core.store.units.flat().some((write) => write.op === 'settle')).toBe(false);

    core.store.writable = true;
    await core.gateway.storeIsBack();
    const unit = core.store.units.at(-1)?.map(({ op }) => op);
    expect(unit).toEqual(['receive', 'command.receive', 'command.start', 'command.end', 'settle', 'reply']);
    expect(outcomesWritten(core)).toMatchObject([{ outcome: 'ran', recorded: false }]);
    expect(core.gateway.status).toMatchObject({ state: 'running.healthy', degraded: [] });
  });

  test('a turn is refused, and the same id is taken as new when the store is back', async () => {
    const core = await startCore();
    outage(core);
    expect(await core.receive('hello')).toMatchObject({
      admission: 'refuse',
      reason: 'store',
      recorded: false,
    });
    core.store.writable = true;
    // The store takes writes again, and nobody has noticed: the refusal must not be what is remembered.
    expect(await core.receive('hello')).toMatchObject({
      admission: 'refuse',
      reason: 'store',
      recorded: false,
    });
    expect(core.store.units.flat().filter(({ op }) => op === 'receive')).toEqual([]);
    await core.gateway.storeIsBack();
    expect(await core.receive('hello')).toMatchObject({ admission: 'dispatch', duplicate: false });
  });

  test('a lock is told as a lock, not as a full disk', async () => {
    const core = await startCore(COMMANDS);
    core.store.fail('lock');
    const locked = /another program has the gateway's store locked.*close that program/;
    // Before anybody has noticed, and after.
    expect((await core.receive('hello')).text).toMatch(locked);
    core.gateway.storeIsDown();
    expect((await core.receive('hello', { platformMessageId: 'again' })).text).toMatch(locked);
    const { outcome } = await ran(core, 'a');
    expect(outcome.replies).toEqual(['a\n(not recorded: another program had the store locked)']);
    expect(core.gateway.status.warnings).toEqual([expect.stringContaining('has the store locked: close it')]);
    core.store.writable = true;
    await core.gateway.storeIsBack();
    expect(core.gateway.status.warnings).toEqual([]);
  });

  test('the first turn that meets the failure is refused by it, too', async () => {
    const core = await startCore();
    core.store.fail();
    expect(await core.receive('hello')).toMatchObject({ admission: 'refuse', reason: 'store' });
    expect(core.gateway.status.inFlight.turns).toEqual([]);
    expect(core.agent.asked).toEqual([]);
  });

  test('a refusal that cannot be noted is told to who waits for it, and comes again from a platform', async () => {
    const core = await startCore();
    core.gateway.requests.ask({ intent: 'drain', cause: 'drain', actor: 'local:owner' });
    outage(core);
    expect(await core.receive('hello', fromChat)).toMatchObject({ admission: 'refuse', reason: 'store' });
    expect(await core.receive('hi')).toMatchObject({ admission: 'refuse', reason: 'state', recorded: false });
    expect(core.chat.sent).toEqual([]);
    core.store.writable = true;
    await core.gateway.storeIsBack();
    const again = await core.receive('hello', fromChat);
    expect(again).toMatchObject({ admission: 'refuse', reason: 'state', recorded: true, duplicate: false });
    await settled();
    expect(core.chat.sent).toEqual([expect.stringMatching(/^Not taken: the gateway is draining/)]);
  });

  test('the reply of a command that has not left by the time it can be written is on disk as one that may have', async () => {
    const core = await startCore(COMMANDS);
    core.chat.send = () => new Promise(() => {});
    outage(core);
    for (const id of ['one', 'two']) await ran(core, id, { ...fromChat, conversation: `chat:${id}` });
    await settled();
    core.store.writable = true;
    await core.gateway.storeIsBack();
    expect(core.store.units.slice(-2).map((unit) => unit.map(({ op }) => op).slice(-3))).toEqual(
      Array(2).fill(['settle', 'reply', 'sending']),
    );
    expect(core.store.tables.openWork([]).outbound).toMatchObject([
      { state: 'sending' },
      { state: 'sending' },
    ]);
  });

  test('the reply of a command whose chat is gone is on disk as dead, not as delivered', async () => {
    const core = await startCore(COMMANDS);
    core.chat.send = async () => {
      throw new SendFailure('gone', 'there is no such chat');
    };
    outage(core);
    const { receipt } = await ran(core, 'a', fromChat);
    await settled();
    core.store.writable = true;
    await core.gateway.storeIsBack();
    expect(await core.store.replies(receipt.messageId)).toMatchObject([
      { state: 'dead', attempts: 1, error: 'there is no such chat' },
    ]);
  });

  test('one that there was no room for is sent by its row', async () => {
    const core = await startCore(COMMANDS);
    const link = Promise.withResolvers<void>();
    const send = core.chat.send.bind(core.chat);
    core.chat.send = (outbound) => link.promise.then(() => send(outbound));
    outage(core);
    const names = Array.from({ length: QUEUED_PER_CONVERSATION_MAX + 2 }, (_, at) => `r${at}`);
    const receipts = [];
    for (const name of names) receipts.push((await ran(core, name, fromChat)).receipt);
    core.store.writable = true;
    await core.gateway.storeIsBack();
    link.resolve();
    for (let n = 0; n <= names.length && core.chat.sent.length < names.length; n += 1)
      await core.clock.advance(60_000);
    const direct = names.slice(0, QUEUED_PER_CONVERSATION_MAX).map((name) => `${name}\n${NOTE}`);
    expect(core.chat.sent).toEqual([...direct, ...names.slice(QUEUED_PER_CONVERSATION_MAX)]);
    for (const { messageId } of receipts)
      expect(await core.store.replies(messageId)).toMatchObject([{ state: 'delivered' }]);
  });

  test('the answer of a turn in a chat leaves with its row: after a death it is neither missing nor said twice', async () => {
    const core = await startCore(COMMANDS);
    const receipt = await core.receive('question', fromChat);
    await settled();
    outage(core);
    core.agent.say(0, 'answer');
    core.agent.end(0);
    // Whoever waits for it has it at once.
    expect(await receipt.settled).toMatchObject({
      outcome: 'answered',
      recorded: false,
      replies: [`answer\n${NOTE}`],
    });
    await ran(core, 'freed', fromChat);
    await settled();
    expect(core.chat.sent).toEqual([`freed\n${NOTE}`]);
    // Should it die now, its turn stands on disk as one that was cut off, and nobody has read its answer.
    expect(core.store.tables.openWork([]).turns).toHaveLength(1);
    expect(core.gateway.status.inFlight.turns).toEqual([]);

    core.store.writable = true;
    await core.gateway.storeIsBack();
    await settled();
    expect(core.chat.sent).toEqual([`freed\n${NOTE}`, 'answer']);
    expect(core.store.tables.openWork([])).toMatchObject({ turns: [], outbound: [] });
    const written = core.store.units.flat().map(({ op }) => op);
    expect(written.indexOf('sending')).toBeGreaterThan(written.indexOf('reply'));
  });

  test('the answer of a turn at a connection is there at once, and with its row it is over', async () => {
    const core = await startCore();
    const receipt = await core.receive('question');
    outage(core);
    core.agent.say(0, 'answer');
    core.agent.end(0);
    expect(await receipt.settled).toMatchObject({ recorded: false, replies: [`answer\n${NOTE}`] });
    core.store.writable = true;
    await core.gateway.storeIsBack();
    expect(core.store.tables.openWork([])).toMatchObject({ turns: [], outbound: [] });
  });

  test('a drain does not wait for answers that wait for their rows', async () => {
    const core = await startCore();
    await core.receive('question', fromChat);
    await settled();
    outage(core);
    await answer(core, 0);
    core.gateway.requests.ask({ intent: 'stop', cause: 'stop', actor: 'local:owner' });
    expect(await core.gateway.exited).toMatchObject({ code: 0 });
    expect(core.chat.sent).toEqual([]);
    expect(core.store.tables.openWork([]).turns).toHaveLength(1);
  });

  test('an answer whose row the store refuses for itself leaves without one', async () => {
    const core = await startCore();
    await core.receive('question', fromChat);
    await settled();
    outage(core);
    await answer(core, 0);
    core.store.writable = true;
    core.store.beforeCommit = (unit) => {
      if (unit.some(({ op }) => op === 'reply')) throw new Error('FOREIGN KEY constraint failed');
    };
    await core.gateway.storeIsBack();
    await settled();
    expect(core.chat.sent).toEqual(['answer']);
    expect(core.store.units.flat().filter(({ op }) => op === 'sending')).toEqual([]);
  });

  test('what waits behind a turn whose start could not be written does not go before it', async () => {
    const core = await startCore();
    for (const text of ['first', 'second', 'third']) await core.receive(text);
    core.agent.say(0, 'answer');
    core.store.beforeCommit = (unit) => {
      if (unit.some(({ op }) => op === 'turn.start')) core.store.fail();
    };
    core.agent.end(0);
    await settled();
    expect(core.gateway.status).toMatchObject({ held: 2, inFlight: { turns: [] } });
    core.store.beforeCommit = () => {};
    core.store.writable = true;
    core.gateway.storeIsDown();
    await core.gateway.storeIsBack();
    await settled();
    expect(core.agent.asked).toEqual(['first', 'second']);
    expect(core.gateway.status.held).toBe(0);
  });

  test('a duplicate whose first one cannot be read is told to come again, and runs nothing', async () => {
    const core = await startCore(COMMANDS);
    core.store.commit = async () => 'duplicate';
    expect(await core.receive('/up')).toMatchObject({
      admission: 'refuse',
      reason: 'store',
      recorded: false,
    });
    await settled();
    expect(core.processes.started).toEqual([]);
    expect(core.gateway.lifecycle.view).toMatchObject({ turns: 0, commands: 0 });
  });

  test('a message whose handling failed inside does not keep its id', async () => {
    const core = await startCore();
    const { find } = core.store;
    core.store.find = () => {
      throw new TypeError('a defect');
    };
    await expect(core.receive('/status')).rejects.toThrow('a defect');
    core.store.find = find;
    expect(await core.receive('/status')).toMatchObject({ admission: 'dispatch', duplicate: false });
  });
});

describe('when the store is back', () => {
  test('a command that began unrecorded and ends later is written at its end', async () => {
    const core = await startCore(COMMANDS);
    outage(core);
    const receipt = await core.receive('/up');
    core.store.writable = true;
    await core.gateway.storeIsBack();
    core.processes.started[0]?.finish();
    await receipt.settled;
    await settled();
    expect(outcomesWritten(core)).toMatchObject([{ outcome: 'ran', recorded: false }]);
  });

  test('what ran is written oldest first, and as far as the store goes when it fails again', async () => {
    const core = await startCore(COMMANDS);
    outage(core);
    for (const id of ['a', 'b', 'c']) await ran(core, id);
    let left = 1;
    core.store.writable = true;
    core.store.beforeCommit = () => {
      left -= 1;
      if (left < 0) core.store.fail();
    };
    await core.gateway.storeIsBack();
    expect(outcomesWritten(core)).toHaveLength(1);
    expect(core.gateway.status.degraded).toEqual(['store']);

    left = 100;
    core.store.writable = true;
    await core.gateway.storeIsBack();
    expect(
      core.store.units.flatMap((unit) => unit.flatMap((w) => (w.op === 'reply' ? [w.outbound.text] : []))),
    ).toEqual(['a', 'b', 'c']);
    expect(core.gateway.status.degraded).toEqual([]);
  });

  test('an outcome that the store refuses for itself does not keep the others from being written', async () => {
    const core = await startCore(COMMANDS);
    outage(core);
    for (const id of ['a', 'b']) await ran(core, id);
    core.store.writable = true;
    let refused = false;
    core.store.beforeCommit = () => {
      if (refused) return;
      refused = true;
      throw new Error('FOREIGN KEY constraint failed');
    };
    await core.gateway.storeIsBack();
    expect(outcomesWritten(core)).toHaveLength(1);
    expect(core.lines).toContainEqual(
      expect.objectContaining({
        msg: 'the store refused an outcome',
        error: 'FOREIGN KEY constraint failed',
      }),
    );
    expect(core.gateway.status.degraded).toEqual([]);
  });

  test('outcomes past the limit are given up, oldest first, and counted', async () => {
    const core = await startCore(COMMANDS);
    outage(core);
    for (let n = 0; n < UNRECORDED_UNITS_MAX + 3; n += 1) {
      await (await core.receive('/status', { platformMessageId: `s-${n}` })).settled;
    }
    core.store.writable = true;
    await core.gateway.storeIsBack();
    expect(outcomesWritten(core)).toHaveLength(UNRECORDED_UNITS_MAX);
    const msg = 'outcomes were not recorded: the disk could not be written for too long';
    expect(core.lines).toContainEqual(expect.objectContaining({ level: 40, count: 3, msg }));
  });

  test('an answer that waited for its row, and is given up, leaves without one', async () => {
    const core = await startCore();
    await core.receive('question', fromChat);
    await settled();
    core.store.fail('lock');
    core.gateway.storeIsDown();
    core.agent.say(0, 'answer');
    core.agent.end(0);
    await settled();
    for (let n = 0; n < UNRECORDED_UNITS_MAX; n += 1) {
      expect(core.chat.sent).toEqual([]);
      await (await core.receive('/status', { platformMessageId: `s-${n}` })).settled;
    }
    await settled();
    expect(core.chat.sent).toEqual(['answer']);
    core.store.writable = true;
    await core.gateway.storeIsBack();
    const msg = 'outcomes were not recorded: another program had the store locked for too long';
    expect(core.lines).toContainEqual(expect.objectContaining({ level: 40, count: 1, msg }));
  });
});

describe('the watch over the store', () => {
  const watched = async () => {
    const core = await startCore();
    const calls: string[] = [];
    const failures: unknown[] = [];
    let onBack = async (): Promise<void> => {};
    const watch = new StoreWatch({
      store: core.store,
      clock: core.clock,
      log: core.log,
      down: () => calls.push('down'),
      back: async () => {
        calls.push('back');
        await onBack();
      },
      failed: (error) => failures.push(error),
    });
    return { core, calls, failures, watch, onBack: (next: () => Promise<void>) => (onBack = next) };
  };

  test('tries every second, and says so once on both sides', async () => {
    const { core, calls, watch } = await watched();
    const pending = core.clock.pending;
    core.store.fail();
    watch.down('full');
    watch.down('full');
    await core.clock.advance(3000);
    expect(calls).toEqual(['down']);
    core.store.writable = true;
    await core.clock.advance(3000);
    expect(calls).toEqual(['down', 'back']);
    watch[Symbol.dispose]();
    expect(core.clock.pending).toBe(pending - 1);
  });

  test('notices a store that failed before anybody listened', async () => {
    const { core, calls } = await watched();
    core.store.fail();
    await core.clock.advance(1000);
    expect(calls).toEqual(['down']);
  });

  test('goes on trying when the store fails again, or throws, while it is taken up', async () => {
    const { core, calls, failures, watch, onBack } = await watched();
    watch.down('full');
    onBack(async () => core.store.fail());
    await core.clock.advance(1000);
    core.store.writable = true;
    onBack(async () => {
      throw new SluiceError('STORE_UNAVAILABLE', 'the disk again');
    });
    await core.clock.advance(1000);
    onBack(async () => {});
    await core.clock.advance(5000);
    expect(calls).toEqual(['down', 'back', 'back', 'back']);
    expect(failures).toEqual([]);
  });

  test('says once that taking it up again fails by a defect, and tries no more: it would fail each time', async () => {
    const { core, calls, failures, watch, onBack } = await watched();
    const defect = new TypeError('a defect');
    watch.down('full');
    onBack(() => Promise.reject(defect));
    await core.clock.advance(5000);
    expect(calls).toEqual(['down', 'back']);
    expect(failures).toEqual([defect]);
  });
});
