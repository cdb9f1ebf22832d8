/** What was held is taken up by its age and, after a crash loop, slowly. Time is given. */
import { describe, expect, test } from 'vitest';
import { senderUnknown } from '../../src/messages/replies.ts';
import type { MessageRow } from '../../src/store/records.ts';
import { messageRow } from '../store/sample-rows.ts';
import { settled } from '../support/fake-clock.ts';
import { answer, bootCore, type GatewayCore, NOTHING_RECOVERED, startCore } from '../support/gateway-core.ts';

const HOUR = 3_600_000;

/** A gateway that begins to run with these held; `more` by id. */
async function runsWith(
  config: string,
  held: Readonly<Record<string, Partial<MessageRow> & { ageMs?: number }>>,
  crashLoop = false,
): Promise<GatewayCore> {
  const core = bootCore(config);
  const rows = Object.entries(held).map(([id, { ageMs = 0, ...more }]) => {
    const receivedAt = core.clock.wallMs() - ageMs;
    const row = messageRow(id, {
      text: `text of ${id}`,
      receivedAt,
      admission: 'hold',
      phase: 'held',
      ...more,
    });
    core.store.tables.applyUnit([{ op: 'receive', message: row }]);
    return row;
  });
  core.gateway.resume({ ...NOTHING_RECOVERED, held: rows, crashLoop }, null);
  core.gateway.lifecycle.send({ type: 'started' });
  await settled();
  return core;
}

const stands = async ({ store }: GatewayCore, id: string) => {
  const message = await store.message(id);
  return { phase: message?.phase, outcome: message?.outcome };
};

describe('a held message that has grown old', () => {
  const turns = (onExpired: string) => `turns: { max_age: 24h, on_expired: ${onExpired} }`;
  const old = { m_1: { ageMs: 25 * HOUR } };

  test('is asked about by default, and /resume has it answered', async () => {
    const core = await runsWith('', old);
    expect(core.agent.asked).toEqual([]);
    expect(await stands(core, 'm_1')).toEqual({ phase: 'awaiting-resume', outcome: null });
    expect((await core.store.replies('m_1')).map(({ kind, text }) => [kind, text])).toEqual([
      [
        'notice',
        'A message from 25 h ago was not answered yet: "text of m_1". Send /resume to have it answered.',
      ],
    ]);
    await (await core.receive('/resume', { conversation: 'local:cli' })).settled;
    await answer(core, 0);
    expect(core.agent.asked).toEqual(['text of m_1']);
    expect(await stands(core, 'm_1')).toEqual({ phase: 'settled', outcome: 'answered' });
  });

  test('is answered where on_expired says so', async () => {
    const core = await runsWith(turns('answer'), old);
    expect(core.agent.asked).toEqual(['text of m_1']);
  });

  test.each(['ask', 'expire'])(
    'while its drain is just holding it is put aside by %s, and no work any more',
    async (onExpired) => {
      const core = await startCore(`display: { busy_input_mode: queue }\n${turns(onExpired)}`);
      const { gateway, store, clock } = core;
      await core.receive('first');
      const receivedAt = clock.wallMs() - 25 * HOUR;
      const { messageId } = await core.receive('behind', { receivedAt });
      await settled();
      const { promise: mayHold, resolve: hold } = Promise.withResolvers<void>();
      const write = store.commit.bind(store);
      store.commit = async (unit) => {
        await mayHold;
        return write(unit);
      };
      const drain = { intent: 'drain', cause: 'drain', actor: 'local:owner' } as const;
      gateway.requests.ask(drain);
      await settled();
      gateway.requests.ask({ ...drain, intent: 'cancel-drain' });
      await settled();
      hold();
      await settled();
      expect(gateway.status).toMatchObject({ held: 0 });
      expect((await stands(core, messageId)).phase).toMatch(/^(?:awaiting-resume|settled)$/);
      gateway.requests.ask({ intent: 'stop', cause: 'stop', actor: 'local:owner' });
      await answer(core, 0);
      expect(gateway.lifecycle.view.turns).toBe(0);
      expect(await gateway.exited).toMatchObject({ cause: 'stop' });
    },
  );

  test('expires where on_expired says so, and its person is told', async () => {
    const core = await runsWith(turns('expire'), old);
    expect(core.agent.asked).toEqual([]);
    expect(await stands(core, 'm_1')).toEqual({ phase: 'settled', outcome: 'expired' });
    expect((await core.store.replies('m_1')).map(({ text }) => text)).toEqual([
      'Not answered: "text of m_1" had waited for 25 h. Send it again if it is still wanted.',
    ]);
  });

  test.each([
    ['is not known', { receivedAt: 0 }],
    ['lies in the future', { ageMs: -HOUR }],
  ])('counts as old when its age %s', async (_, more) => {
    const core = await runsWith('', { m_1: more });
    expect(core.agent.asked).toEqual([]);
    expect(await stands(core, 'm_1')).toEqual({ phase: 'awaiting-resume', outcome: null });
  });

  test('keeps no younger one back', async () => {
    const core = await runsWith('', { ...old, m_2: { ageMs: 23 * HOUR } });
    expect(core.agent.asked).toEqual(['text of m_2']);
  });

  test('stays held where nobody can write that it was asked about', async () => {
    const core = bootCore();
    const row = messageRow('m_1', { receivedAt: core.clock.wallMs() - 25 * HOUR, phase: 'held' });
    core.store.tables.applyUnit([{ op: 'receive', message: row }]);
    core.gateway.resume({ ...NOTHING_RECOVERED, held: [row] }, null);
    core.store.beforeCommit = (unit) => {
      if (unit.some((write) => write.op === 'phase' && write.phase === 'awaiting-resume')) core.store.fail();
    };
    core.gateway.lifecycle.send({ type: 'started' });
    await settled();
    expect(core.gateway.status).toMatchObject({ held: 1, awaitingResume: 0 });
    expect(await core.store.replies('m_1')).toEqual([]);
    core.store.beforeCommit = () => {};
    core.store.writable = true;
    core.gateway.storeIsDown();
    await core.gateway.storeIsBack();
    await settled();
    expect(core.gateway.status).toMatchObject({ held: 0, awaitingResume: 1 });
  });
});

describe('after a crash loop', () => {
  const each = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`m_${n}`, { conversation: `local:${n}` }]));

  test('what was held starts one at a time for a minute, then side by side', async () => {
    const core = await runsWith('', each(5), true);
    expect(core.gateway.status).toMatchObject({
      state: 'running.degraded',
      degraded: ['safe-mode'],
      held: 5,
    });
    expect(core.agent.asked).toEqual([]);
    await (await core.receive('/resume-turns')).settled;
    await settled();
    expect(core.agent.asked).toEqual(['text of m_0']);
    await answer(core, 0);
    expect(core.agent.asked).toEqual(['text of m_0', 'text of m_1']);
    await core.clock.advance(59_999);
    expect(core.agent.asked).toHaveLength(2);
    await core.clock.advance(1);
    expect(core.agent.asked).toHaveLength(5);
  });

  test('one whose sender lost the access that he had keeps nobody back', async () => {
    const core = await runsWith(
      '',
      { m_0: { sender: 'chat:gone', conversation: 'chat:x' }, ...each(0) },
      true,
    );
    await (await core.receive('/resume-turns')).settled;
    await settled();
    expect(await stands(core, 'm_0')).toEqual({ phase: 'settled', outcome: 'refused' });
    expect(core.gateway.status.held).toBe(0);
  });

  test('a new message is taken at once, unless older ones of its conversation wait', async () => {
    const core = await runsWith('', each(3), true);
    await (await core.receive('/resume-turns')).settled;
    await core.receive('new');
    expect(await core.receive('behind', { conversation: 'local:2' })).toMatchObject({ admission: 'hold' });
    await settled();
    expect(core.agent.asked).toEqual(['text of m_0', 'new']);
    await core.clock.advance(60_000);
    expect(core.agent.asked.toSorted()).toEqual(['new', 'text of m_0', 'text of m_1', 'text of m_2']);
    await answer(core, core.agent.asked.indexOf('text of m_2'));
    expect(core.agent.asked.at(-1)).toBe('behind');
    expect(core.gateway.status.held).toBe(0);
  });
});

test('a message for a conversation that has held ones waits behind them and is answered after them', async () => {
  const core = await runsWith('agent: { type: command, command: agent, max_turns: 1 }', {
    m_1: { conversation: 'local:a' },
    m_2: { conversation: 'local:b' },
  });
  expect(core.agent.asked).toEqual(['text of m_1']);
  await core.receive('after', { conversation: 'local:b' });
  await answer(core, 0);
  await answer(core, 1);
  await answer(core, 2);
  expect(core.agent.asked).toEqual(['text of m_1', 'text of m_2', 'after']);
  expect(core.gateway.lifecycle.view.turns).toBe(0);
});

describe('a command that a dead life had accepted and not begun', () => {
  const COMMANDS = 'quick_commands: { up: { type: exec, command: up }, u: { type: alias, target: /up } }';

  test.each(['/up', '/u'])('runs while the gateway starts, also when it was sent as %s', async (text) => {
    const core = bootCore(COMMANDS);
    const row = messageRow('m_1', { kind: text === '/up' ? 'exec' : 'alias', text, phase: 'received' });
    core.store.tables.applyUnit([{ op: 'receive', message: row }]);
    core.gateway.resume({ ...NOTHING_RECOVERED, commands: [row] }, null);
    await settled();
    expect(core.gateway.status.state).toBe('starting');
    expect(core.processes.started).toHaveLength(1);
  });

  test('is held where its alias stands for something else by now', async () => {
    const core = bootCore('quick_commands: { u: { type: alias, target: hello } }');
    const row = messageRow('m_1', { kind: 'alias', text: '/u', phase: 'received' });
    core.store.tables.applyUnit([{ op: 'receive', message: row }]);
    core.gateway.resume({ ...NOTHING_RECOVERED, commands: [row] }, null);
    expect(core.gateway.status.held).toBe(1);
  });
});

test('a refusal of what was held that is in one batch with what was said before it leaves after that', async () => {
  const core = await runsWith(
    `access: { owners: ['chat:ann', 'local:owner'] }\nquick_commands: { up: { type: exec, command: uptime } }`,
    { m_0: { platform: 'chat', conversation: 'chat:c', sender: 'chat:gone' } },
    true,
  );
  await core.gateway.connections.start(new AbortController().signal);
  await core.receive('/up', { platform: 'chat', conversation: 'chat:c', sender: 'chat:ann' });
  await settled();
  const { promise: batch, resolve: commit } = Promise.withResolvers<void>();
  const write = core.store.commit.bind(core.store);
  core.store.commit = async (unit) => {
    if (unit.some(({ op }) => op === 'settle')) await batch;
    return write(unit);
  };
  core.processes.started[0]?.finish({ stdout: 'up 3 days' });
  await settled();
  await core.receive('/resume-turns');
  await settled();
  expect(core.chat.sent).toEqual([]);
  commit();
  await settled();
  expect(core.chat.sent).toEqual([expect.stringContaining('up 3 days'), senderUnknown()]);
});

/** A turn that runs, and a message of the same conversation that waits for it. */
async function oneBehindAnother() {
  const core = await startCore('display: { busy_input_mode: queue }');
  const { gateway, store, agent } = core;
  const ask = (intent: 'drain' | 'cancel-drain') =>
    gateway.requests.ask({ intent, cause: 'drain', actor: 'local:owner' });
  await core.receive('first');
  await core.receive('second');
  await settled();
  return { core, gateway, store, agent, ask };
}

test('what a drain was about to hold as it was cancelled is held once, and then what was held is taken up with it', async () => {
  const { core, gateway, store, agent, ask } = await oneBehindAnother();
  const write = store.commit.bind(store);
  let batch: (() => void)[] = [];
  store.commit = async (unit) => {
    await new Promise<void>((resolve) => batch.push(resolve));
    return write(unit);
  };
  /** One batch after the other, as a disk writes that takes its time. */
  const writes = async (batches: number) => {
    for (let n = 0; n < batches; n += 1) {
      const due = batch;
      batch = [];
      for (const resolve of due) resolve();
      await settled();
    }
  };
  const third = core.receive('third');
  await settled();
  // It holds the second at once, and the third when that is on disk: just as the second is taken up again.
  ask('drain');
  ask('cancel-drain');
  await settled();
  await writes(20);
  await third;
  expect(gateway.status).toMatchObject({ held: 0, waiting: 2 });
  const held = store.units.flat().filter((one) => one.op === 'phase' && one.phase === 'held');
  expect(held).toHaveLength(2);
  store.commit = write;
  for (const n of [0, 1, 2]) await answer(core, n);
  expect(agent.asked).toEqual(['first', 'second', 'third']);
});

test('what stayed held because a drain was about to hold one behind it goes on when that one is not kept', async () => {
  const { core, gateway, store, agent, ask } = await oneBehindAnother();
  const { promise: refused, reject: refuse } = Promise.withResolvers<never>();
  const write = store.commit.bind(store);
  store.commit = (unit) => (unit.some(({ op }) => op === 'receive') ? refused : write(unit));
  const third = core.receive('third');
  await settled();
  ask('drain');
  ask('cancel-drain');
  await settled();
  expect(gateway.status).toMatchObject({ held: 1, waiting: 1 });
  refuse(new Error('the store does not take it'));
  expect(await third).toMatchObject({ admission: 'refuse', reason: 'store' });
  await settled();
  expect(gateway.status).toMatchObject({ held: 0, waiting: 1 });
  for (const n of [0, 1]) await answer(core, n);
  expect(agent.asked).toEqual(['first', 'second']);
});

test('a message that waits behind a held one is not taken up before it is known that it is no duplicate', async () => {
  const one = { conversation: 'local:1' };
  const core = await runsWith('', { m_0: { conversation: 'local:0' }, m_1: one }, true);
  const { gateway, store, agent } = core;
  const earlier = messageRow('m_2', { ...one, platformMessageId: 'again', phase: 'received' });
  store.tables.applyUnit([
    { op: 'receive', message: earlier },
    { op: 'settle', id: 'm_2', outcome: 'answered', reason: null, at: core.clock.wallMs() },
  ]);
  await (await core.receive('/resume-turns')).settled;
  await settled();
  expect(agent.asked).toEqual(['text of m_0']);
  const { promise: mayCommit, resolve: commit } = Promise.withResolvers<void>();
  const write = store.commit.bind(store);
  store.commit = async (unit) => {
    if (unit.some(({ op }) => op === 'receive')) await mayCommit;
    return write(unit);
  };
  const again = core.receive('once more', { ...one, platformMessageId: 'again' });
  const last = core.receive('last', { ...one, platformMessageId: 'last' });
  await settled();
  expect(gateway.status.held).toBe(3);
  await answer(core, 0);
  await answer(core, 1);
  await settled();
  expect(agent.asked).toEqual(['text of m_0', 'text of m_1']);
  commit();
  expect(await again).toMatchObject({ messageId: 'm_2', duplicate: true });
  await last;
  await settled();
  expect(agent.asked).toEqual(['text of m_0', 'text of m_1', 'last']);
  await answer(core, 2);
  expect(gateway.status).toMatchObject({ held: 0, waiting: 0, inFlight: { turns: [] } });
});
