/**
 * What becomes of a judged message: its place, or the limit or argument that is in its way. What the chart had
 * counted and a limit refuses is work no more.
 */
import { describe, expect, test } from 'vitest';
import { settled } from '../support/fake-clock.ts';
import { bootCore, type GatewayCore, NOTHING_RECOVERED, startCore } from '../support/gateway-core.ts';

const CONFIG = `
access: { owners: ["chat:1"], users: ["chat:2"] }
quick_commands:
  up: { type: exec, command: "up" }
  al: { type: alias, target: "/up" }
  arg: { type: exec, command: "arg", args: { WORDS: { rest: true } } }
  aarg: { type: alias, target: "/arg one" }
  aa: { type: alias, target: "/aarg two" }
  r: { type: alias, target: "/restart" }
  back: { type: alias, target: "/drain cancel" }
  ask: { type: alias, target: "what is new?" }
  go: { type: alias, target: "/resume" }
  gone: { type: alias, target: "/nosuch" }
  down: { type: alias, target: "/stop", allow: [user] }
  logs: { type: exec, command: "logs", args: { LINES: { default: "20", pattern: "^[0-9]+$" } } }
`;

/** Messages whose work the chart counts. */
const counted = ({ gateway }: GatewayCore) => {
  const { turns, commands } = gateway.lifecycle.view;
  return turns + commands;
};

const fromChat = (id: string, conversation = 'chat:group') => ({
  platform: 'chat',
  platformMessageId: id,
  conversation,
  sender: 'chat:1',
});

const unitOf = ({ store }: GatewayCore, platformMessageId: string) =>
  store.units.find((unit) =>
    unit.some((write) => write.op === 'receive' && write.message.platformMessageId === platformMessageId),
  );

test('what comes past its deadline leaves no trace: its sender may run it, and claim the id by that', async () => {
  const core = await startCore(CONFIG);
  const late = { platformMessageId: 'late', deadlineAt: core.clock.wallMs() };
  await expect(core.receive('/up', late)).rejects.toMatchObject({ code: 'SENDER_GAVE_UP' });
  expect(counted(core)).toBe(0);
  expect(core.processes.started).toEqual([]);
  expect(await core.store.find('local', 'late')).toBeUndefined();
  const again = await core.receive('/up', { platformMessageId: 'late' });
  expect(again).toMatchObject({ admission: 'dispatch', duplicate: false });
});

describe('what is in the way of a dispatched message is said, and its work is not counted', () => {
  test.each([
    ['a text of blanks', ' \n ', {}, 'arguments', 'There is nothing in that message.'],
    ['an agent nobody configured', 'hello', { agent: 'defualt' }, 'arguments', 'Did you mean default?'],
    ['words after a command that takes none', '/up now', {}, 'arguments', 'Usage: /up'],
    ['an argument of the wrong shape', '/logs many', {}, 'arguments', 'Usage: /logs'],
    ['words after a built-in that takes none', '/ps all', {}, 'arguments', '/ps takes nothing after it'],
    ['a built-in without its one word', '/cancel', {}, 'arguments', '/cancel takes ID'],
    ['another word than the one it takes', '/restart soon', {}, 'arguments', '/restart takes [now]'],
    ['more than 256 KB', 'x'.repeat(262_145), {}, 'limit', '256 KB long at most'],
  ])('%s', async (_, text, more, reason, told) => {
    const core = await startCore(CONFIG);
    const receipt = await core.receive(text, { platformMessageId: 'one', ...more });
    expect(receipt).toMatchObject({ admission: 'refuse', reason, recorded: true });
    expect(await receipt.settled).toMatchObject({
      outcome: 'refused',
      reason,
      replies: [expect.stringContaining(told)],
    });
    expect(counted(core)).toBe(0);
    expect(core.processes.started).toEqual([]);
    expect(core.agent.asked).toEqual([]);
  });

  test('a message that is just short enough is taken', async () => {
    const core = await startCore();
    expect(await core.receive('x'.repeat(262_144))).toMatchObject({ admission: 'dispatch' });
  });

  test('of one that is too long, the beginning is kept', async () => {
    const core = await startCore();
    await core.receive('x'.repeat(262_145), { platformMessageId: 'long' });
    const [received] = unitOf(core, 'long') ?? [];
    if (received?.op !== 'receive') throw new Error('not received');
    expect(received.message.text).toBe(`${'x'.repeat(1000)}…`);
  });

  test('a sender’s deadline that has not passed changes nothing', async () => {
    const core = await startCore(CONFIG);
    await core.receive('/up', { deadlineAt: core.clock.wallMs() + 1 });
    await settled();
    expect(core.processes.started).toHaveLength(1);
  });
});

describe('row and decision are one unit', () => {
  const ops = (core: GatewayCore, id: string) => unitOf(core, id)?.map(({ op }) => op);

  test('of a command with a free slot: received and started', async () => {
    const core = await startCore(CONFIG);
    await core.receive('/up', { platformMessageId: 'one' });
    expect(ops(core, 'one')).toEqual(['receive', 'command.receive', 'command.start']);
    await settled();
    core.processes.started[0]?.finish();
    await settled();
    expect(core.store.units).toHaveLength(2);
    expect(core.store.units[1]?.map(({ op }) => op)).toEqual(['command.end', 'settle', 'reply']);
  });

  test('of a command that waits for its slot: received; its start is a unit of its own', async () => {
    const core = await startCore(CONFIG);
    await core.receive('/up', { platformMessageId: 'one' });
    await core.receive('/up', { platformMessageId: 'two' });
    expect(ops(core, 'two')).toEqual(['receive', 'command.receive']);
    expect(unitOf(core, 'two')?.[0]).toMatchObject({ message: { phase: 'received' } });
  });

  test('of a turn: received and started, or waiting for the one before it', async () => {
    const core = await startCore();
    await core.receive('one');
    await core.receive('two');
    expect(ops(core, 'one')).toEqual(['receive', 'turn.start']);
    expect(unitOf(core, 'two')).toMatchObject([{ op: 'receive', message: { phase: 'waiting' } }]);
  });

  test('of a refusal: received, settled and answered', async () => {
    const core = await startCore(CONFIG);
    await core.receive('/up now', { platformMessageId: 'one' });
    expect(unitOf(core, 'one')).toMatchObject([
      { op: 'receive', message: { admission: 'refuse', reason: 'arguments' } },
      { op: 'settle', outcome: 'refused' },
      { op: 'reply', deliveredAt: core.clock.wallMs() },
    ]);
  });

  test('of a message from a platform: its reply waits to be sent', async () => {
    const core = await startCore(CONFIG);
    await core.receive('/up now', fromChat('one'));
    const reply = unitOf(core, 'one')?.find(({ op }) => op === 'reply');
    expect(reply).not.toHaveProperty('deliveredAt');
    await settled();
    expect(core.chat.sent).toEqual([expect.stringContaining('Usage: /up')]);
  });
});

describe('while the gateway drains', () => {
  async function draining() {
    const core = await startCore(CONFIG);
    core.gateway.requests.ask({ intent: 'drain', cause: 'drain', actor: 'local:owner' });
    return core;
  }

  test('a turn that may wait is held, up to twenty a conversation; the next is told the limit', async () => {
    const core = await draining();
    for (let count = 1; count <= 20; count += 1) {
      const receipt = await core.receive(`text ${count}`, { whenBusy: 'queue' });
      expect(receipt).toMatchObject({ admission: 'hold', reason: null });
    }
    const next = await core.receive('one more', { whenBusy: 'queue' });
    expect(next).toMatchObject({ admission: 'refuse', reason: 'limit' });
    expect((await next.settled).replies).toEqual([expect.stringContaining('20 messages')]);
    const elsewhere = await core.receive('here', { whenBusy: 'queue', conversation: 'local:other' });
    expect(elsewhere.admission).toBe('hold');
    expect(core.gateway.status.held).toBe(21);
    expect(counted(core)).toBe(0);
  });

  test('a chat is told once that it is refused, and every message has its outcome', async () => {
    const core = await draining();
    const receipts = [];
    for (const id of ['a', 'b', 'c']) receipts.push(await core.receive(id, fromChat(id)));
    await settled();
    expect(core.chat.sent).toHaveLength(1);
    for (const { settled: outcome } of receipts)
      expect(await outcome).toMatchObject({ outcome: 'refused', reason: 'state' });
    core.gateway.requests.ask({ intent: 'cancel-drain', cause: 'drain', actor: 'local:owner' });
    core.gateway.requests.ask({ intent: 'drain', cause: 'drain', actor: 'local:owner' });
    await core.receive('d', fromChat('d'));
    await settled();
    expect(core.chat.sent).toHaveLength(2);
  });

  test('a chat is told once that no more is kept, and every message has its outcome', async () => {
    const core = await draining();
    const receipts = [];
    for (let count = 1; count <= 23; count += 1) {
      receipts.push(await core.receive('hello', { ...fromChat(`h${count}`), whenBusy: 'queue' }));
    }
    await settled();
    expect(core.chat.sent).toEqual([expect.stringMatching(/^Not kept: 20 messages/)]);
    expect(receipts.slice(20).map(({ reason }) => reason)).toEqual(['limit', 'limit', 'limit']);
  });

  test('a chat that was refused is told all the same that the command behind an alias runs', async () => {
    const core = await draining();
    for (const [id, text] of ['hello', '/al', 'hello', '/al'].entries()) {
      await core.receive(text, fromChat(`${id}`));
    }
    await settled();
    expect(core.chat.sent).toEqual([
      expect.stringMatching(/^Not taken: the gateway is draining/),
      expect.stringMatching(/Send \/up itself, it runs while draining\.$/),
    ]);
  });

  test.each([
    ['/al', 'Send /up itself, it runs while draining.'],
    ['/aa', 'Send /arg one two itself, it runs while draining.'],
    ['/AA  "three four"\tLINES=5', 'Send /arg one two "three four"\tLINES=5 itself, it runs while draining.'],
    ['/r', 'Send /restart itself, it runs while draining.'],
    ['/r now', 'Send /restart now itself, it runs while draining.'],
    ['/back', 'Send /drain cancel itself, it runs while draining.'],
    ['/ask', '/ask stands for a turn. Send it again when the drain is over; commands still run.'],
    ['/go', '/go stands for a turn. Send it again when the drain is over; commands still run.'],
    ['/gone', '/gone stands for /nosuch, and there is no such command. Correct quick_commands.gone.'],
  ])('the alias %s is refused with what it comes to', async (text, told) => {
    const core = await draining();
    const receipt = await core.receive(text);
    expect(receipt).toMatchObject({ admission: 'refuse', reason: 'state' });
    const [reply] = (await receipt.settled).replies;
    expect(reply?.endsWith(told), reply).toBe(true);
    expect(reply).not.toMatch(/leaving|stopping|restarting/);
  });

  test.each(['/al', '/aa', '/r', '/back'])(
    'what the refusal of the alias %s names is taken, while it drains still',
    async (alias) => {
      const core = await draining();
      const [reply] = (await (await core.receive(alias)).settled).replies;
      const named = reply?.match(/Send (.*) itself/)?.[1] ?? '';
      expect(await core.receive(named)).toMatchObject({ admission: 'dispatch' });
    },
  );

  test('a user is not sent to a command that is for the owner', async () => {
    const core = await draining();
    const receipt = await core.receive('/down', { ...fromChat('one'), sender: 'chat:2' });
    expect(receipt).toMatchObject({ admission: 'refuse', reason: 'access' });
    await settled();
    expect(core.chat.sent).toEqual(['/stop is for the owner of this gateway.']);
  });

  test('a chat is told of each alias once, whatever stands behind it', async () => {
    const core = await draining();
    for (const [id, text] of ['/aarg', '/aa', '/aarg x', '/aa y', '/ask', '/ask'].entries()) {
      await core.receive(text, fromChat(`${id}`));
    }
    await settled();
    expect(core.chat.sent).toEqual([
      expect.stringContaining('Send /arg one itself'),
      expect.stringContaining('Send /arg one two itself'),
      expect.stringContaining('/ask stands for a turn'),
    ]);
  });

  test('whoever waits at the connection is told each time', async () => {
    const core = await draining();
    for (const text of ['a', 'b']) {
      const outcome = await (await core.receive(text)).settled;
      expect(outcome.replies).toEqual([expect.stringContaining('Not taken: the gateway is draining')]);
    }
  });
});

describe('a conversation that rests', () => {
  const resting = async (conversation: string) => {
    const core = bootCore(CONFIG);
    await core.gateway.connections.start(new AbortController().signal);
    core.gateway.resume({ ...NOTHING_RECOVERED, quarantined: [conversation], crashed: [conversation] }, null);
    core.gateway.lifecycle.send({ type: 'started' });
    await settled();
    return core;
  };

  test('is told so once, over a drain, and every message has its outcome', async () => {
    const core = await resting('chat:group');
    const ask = (intent: 'drain' | 'cancel-drain') =>
      core.gateway.requests.ask({ intent, cause: 'drain', actor: 'local:owner' });
    const receipts = [await core.receive('a', fromChat('a')), await core.receive('b', fromChat('b'))];
    ask('drain');
    ask('cancel-drain');
    receipts.push(await core.receive('c', fromChat('c')));
    await settled();
    expect(core.chat.sent).toEqual([expect.stringMatching(/so it rests\. \/resume lets it go on/)]);
    for (const { settled: outcome } of receipts)
      expect(await outcome).toMatchObject({ outcome: 'refused', reason: 'state' });
  });

  test('tells whoever waits at the connection each time', async () => {
    const core = await resting('local:default');
    for (const text of ['a', 'b']) {
      const outcome = await (await core.receive(text)).settled;
      expect(outcome.replies).toEqual([expect.stringMatching(/so it rests/)]);
    }
  });
});

describe('what the store cannot take', () => {
  test('is refused and forgotten when it is a turn; a chat hears nothing, for its platform tries again', async () => {
    const core = await startCore(CONFIG);
    core.store.beforeCommit = () => core.store.fail();
    const receipt = await core.receive('hello', fromChat('one'));
    expect(receipt).toMatchObject({ admission: 'refuse', reason: 'store', recorded: false });
    await settled();
    expect(core.chat.sent).toEqual([]);
    expect(counted(core)).toBe(0);
  });

  test('runs all the same when it is a command', async () => {
    const core = await startCore(CONFIG);
    core.store.beforeCommit = () => core.store.fail();
    const receipt = await core.receive('/up');
    expect(receipt).toMatchObject({ admission: 'dispatch', recorded: false });
    await settled();
    expect(core.processes.started).toHaveLength(1);
    expect(counted(core)).toBe(1);
  });
});
