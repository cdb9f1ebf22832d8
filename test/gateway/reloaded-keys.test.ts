/**
 * That a plan is true: each key that `config/keys.ts` says counts at once or with the next turn is changed by a reload of
 * a gateway that runs, and what one then meets is what the new value means. A key without a row here fails.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { KEYS } from '../../src/config/keys.ts';
import { Agents } from '../../src/daemon/agents.ts';
import type { Receipt } from '../../src/gateway/in-hand.ts';
import { Reloads } from '../../src/gateway/reloads.ts';
import { PRUNE_STEP_MS, Retention } from '../../src/gateway/retention.ts';
import type { Inbound } from '../../src/messages/inbound.ts';
import { Secrets } from '../../src/telemetry/secrets.ts';
import { ConfigOnDisk } from '../support/config-on-disk.ts';
import { FakeProcesses, type GatewayCore, startCore } from '../support/gateway-core.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { OpenAiStandIn } from '../support/openai-stand-in.ts';

const ENV = { ONE_KEY: 'key-of-one', OTHER_KEY: 'key-of-other' };

/** Keys whose effect needs more than the core, and the test that has it; or that has none. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'reload.watch': 'a watched file: test/system/reload.test.ts',
};

let server: OpenAiStandIn;
beforeAll(async () => {
  server = await OpenAiStandIn.start();
});
afterAll(() => server[Symbol.asyncDispose]());

/** A gateway that runs on a file, with real agents over programs that only seem to run. */
class World {
  readonly disk: ConfigOnDisk;
  readonly processes = new FakeProcesses();
  readonly core: GatewayCore;
  readonly #reloads: Reloads;
  #sent = 0;

  private constructor(disk: ConfigOnDisk, core: GatewayCore, agents: Agents, processes: FakeProcesses) {
    this.disk = disk;
    this.core = core;
    this.processes = processes;
    this.#reloads = new Reloads({
      configuration: disk.configuration,
      log: core.log,
      view: () => core.gateway.lifecycle.view,
      parked: () => [],
      prepare: (config) => agents.load(config),
      applied: () => {
        agents.keep(disk.configuration.current);
        core.gateway.reconfigured();
      },
      failed: () => {},
    });
  }

  static async start(text: string): Promise<World> {
    const disk = new ConfigOnDisk(text, ENV, { 'one.md': 'prompt one', 'other.md': 'prompt other' });
    mkdirSync(join(disk.folder, 'sub'));
    const processes = new FakeProcesses();
    const store = new MemoryStore();
    const exchange = (n: number) => ({ texts: [`question ${n}`], answer: `answer ${n}` });
    store.history = async () => [1, 2, 3].map(exchange);
    const secrets = new Secrets();
    const agents = new Agents({ env: ENV, processes, environment: () => ({}), store, secrets });
    const config = () => disk.configuration.current;
    await agents.load(config());
    const core = await startCore('', {
      config,
      processes,
      agent: (name) => agents.named(config(), name),
      environment: ({ env }, values) => ({ names: env.join(), ...values }),
    });
    return new World(disk, core, agents, processes);
  }

  async reload(text: string): Promise<void> {
    this.disk.write(text);
    expect(await this.#reloads.ask({ cause: 'reload', actor: 'local:owner' })).toMatchObject({
      is: 'applied',
    });
  }

  send(text: string, more: Partial<Inbound> = {}): Promise<Receipt> {
    this.#sent += 1;
    const platformMessageId = String(this.#sent);
    return this.core.receive(text, { platformMessageId, conversation: `local:${this.#sent}`, ...more });
  }

  from(sender: string, text: string): Promise<Receipt> {
    return this.send(text, { platform: 'chat', sender });
  }

  /** What was started last, once `text` was sent. */
  async started(text: string, more: Partial<Inbound> = {}) {
    const before = this.processes.started.length;
    await this.send(text, more);
    await expect.poll(() => this.processes.started.length).toBeGreaterThan(before);
    const { spec } = this.processes.started.at(-1) ?? expect.fail();
    return spec;
  }

  /** What the model server was asked when `text` was sent. */
  async asked(more: Partial<Inbound> = {}) {
    const number = server.asked.length;
    await this.send('hello', more);
    return server.question(number);
  }

  /** How many of three turns at once run. */
  async turnsOfThree(more: Partial<Inbound> = {}): Promise<number> {
    for (let n = 0; n < 3; n += 1) await this.send('hello', more);
    return this.core.gateway.status.inFlight.turns.length;
  }

  /** What it is degraded by after so many turns whose program could not be started. */
  async degradedByFailures(count: number, more: Partial<Inbound>): Promise<readonly string[]> {
    for (let n = 0; n < count; n += 1) {
      const { settled } = await this.send('hello', more);
      this.processes.started.at(-1)?.finish({ started: false, exitCode: null });
      await settled;
    }
    return this.core.gateway.status.degraded;
  }

  /** Whether the turn that was started last is written as one that may have changed something. */
  async hasEffects(more: Partial<Inbound>): Promise<boolean> {
    await this.started('hello', more);
    const starts = this.core.store.units
      .flat()
      .flatMap((write) => (write.op === 'turn.start' ? [write] : []));
    return (starts.at(-1) ?? expect.fail()).turn.effects;
  }

  /** In which phase the message of a turn is left that the end of the gateway's patience cuts off. */
  async phaseOfCutOff(more: Partial<Inbound> = {}): Promise<string | null> {
    const receipt = await this.send('hello', more);
    this.core.gateway.requests.ask({ intent: 'stop', cause: 'stop', actor: 'local:owner', hurry: true });
    await this.core.clock.advance(0);
    const stored = async () => this.core.store.message(receipt.messageId);
    await expect.poll(async () => (await stored())?.phase).not.toBe('started');
    return (await stored())?.phase ?? null;
  }

  /** What became of a message that was held while the gateway drained, and came so long ago. */
  async heldFor(ageMs: number): Promise<string | null> {
    const { requests } = this.core.gateway;
    requests.ask({ intent: 'drain', cause: 'drain', actor: 'local:owner' });
    const receivedAt = this.core.clock.wallMs() - ageMs;
    const { messageId } = await this.send('hello', { receivedAt, whenBusy: 'queue' });
    requests.ask({ intent: 'cancel-drain', cause: 'drain', actor: 'local:owner' });
    const phase = async () => (await this.core.store.message(messageId))?.phase;
    await expect.poll(phase).not.toBe('held');
    return (await phase()) ?? null;
  }

  /** Before when settled messages are deleted, as an age in milliseconds. */
  async prunedAgeMs(): Promise<number> {
    const { clock, log } = this.core;
    const before = Promise.withResolvers<number>();
    const prune = async (beforeMs: number) => {
      before.resolve(clock.wallMs() - beforeMs);
      return 0;
    };
    const retentionMs = () => this.disk.configuration.current.store.retentionMs;
    using _ = new Retention({ store: { writable: true, prune }, clock, log, retentionMs });
    await clock.advance(PRUNE_STEP_MS);
    return before.promise;
  }

  /** Milliseconds of the deadline that is armed when it is asked to stop. */
  stopMs(hurry = false): number {
    this.core.gateway.requests.ask({ intent: 'stop', cause: 'stop', actor: 'local:owner', hurry });
    return (this.core.gateway.status.deadlineAt ?? Number.NaN) - this.core.clock.wallMs();
  }
}

type Row = readonly [
  key: string,
  before: string,
  after: string,
  observe: (world: World) => unknown,
  seenBefore: unknown,
  seenAfter: unknown,
];

const command = (keys: string) => `quick_commands: { say: { type: exec, command: echo, ${keys} } }\n`;
const args = (keys: string) => command(`args: { A: { ${keys} } }`);
const admission = async (receipt: Promise<Receipt>) => (await receipt).admission;
const inHelp = (text: string) => async (world: World) =>
  (await (await world.send('/help')).settled).replies.join('\n').includes(text);
const outcomeAfter =
  (ms: number, more: Partial<Inbound> = {}) =>
  async (world: World) => {
    const { settled } = await world.send('hello', more);
    let reason: string | null = 'still runs';
    void settled.then((outcome) => (reason = outcome.reason));
    await world.core.clock.advance(ms);
    return reason;
  };

/** The keys of an agent: of `agent`, and of one of `agents`. */
function agentRows(pattern: 'agent' | 'agents.*'): Row[] {
  const of = (keys: string) =>
    pattern === 'agent' ? `agent: { ${keys} }\n` : `agents: { other: { ${keys} } }\n`;
  const more: Partial<Inbound> = pattern === 'agent' ? {} : { agent: 'other' };
  const model = (keys = '', url = server.baseUrl) =>
    of(`type: openai, base_url: "${url}", model: one${keys === '' ? '' : `, ${keys}`}`);
  const content = async (world: World, at: number) => (await world.asked(more)).body.messages.at(at)?.content;
  const key = (name: string): string => `${pattern}.${name}`;
  return [
    [
      key('type'),
      of('command: cat'),
      model(),
      async (world) => {
        const number = server.asked.length;
        await world.send('hello', more);
        await expect.poll(() => world.processes.started.length + server.asked.length).toBe(number + 1);
        return server.asked.length - number;
      },
      0,
      1,
    ],
    [
      key('command'),
      of('command: one'),
      of('command: other'),
      async (world) => (await world.started('hello', more)).command,
      'one',
      'other',
    ],
    [
      key('cwd'),
      of('command: cat'),
      of('command: cat, cwd: sub'),
      async (world) => (await world.started('hello', more)).cwd.replace(world.disk.folder, ''),
      '',
      '/sub',
    ],
    [
      key('effects'),
      of('command: cat'),
      of('command: cat, effects: none'),
      (world) => world.hasEffects(more),
      true,
      false,
    ],
    [
      key('turn_timeout'),
      of('command: cat'),
      of('command: cat, turn_timeout: 5'),
      outcomeAfter(6000, more),
      'still runs',
      'timeout',
    ],
    [
      key('base_url'),
      model(),
      model('', server.baseUrl.replace('/v1', '/other/v1')),
      async (world) => (await world.asked(more)).request.url,
      '/v1/chat/completions',
      '/other/v1/chat/completions',
    ],
    [
      key('model'),
      model(),
      model().replace('model: one', 'model: other'),
      async (world) => (await world.asked(more)).body.model,
      'one',
      'other',
    ],
    [
      key('api_key_env'),
      model('api_key_env: ONE_KEY'),
      model('api_key_env: OTHER_KEY'),
      async (world) => (await world.asked(more)).request.headers.authorization,
      'Bearer key-of-one',
      'Bearer key-of-other',
    ],
    [
      key('system_prompt_file'),
      model('system_prompt_file: one.md'),
      model('system_prompt_file: other.md'),
      (world) => content(world, 0),
      'prompt one',
      'prompt other',
    ],
    [
      key('history_window'),
      model('history_window: 2'),
      model('history_window: 4'),
      (world) => content(world, 0),
      'question 3',
      'question 2',
    ],
    [
      key('max_turns'),
      of('command: cat, max_turns: 1'),
      of('command: cat, max_turns: 2'),
      (world) => world.turnsOfThree(more),
      1,
      2,
    ],
    [
      key('failure_threshold'),
      of('command: gone, failure_threshold: 3'),
      of('command: gone, failure_threshold: 2'),
      (world) => world.degradedByFailures(2, more),
      [],
      [pattern === 'agent' ? 'agent:default' : 'agent:other'],
    ],
  ];
}

const commandRows: readonly Row[] = [
  [
    'quick_commands.*.type',
    'quick_commands: { say: { type: exec, command: echo } }',
    'quick_commands: { say: { type: alias, target: /status } }',
    async (world) => (await world.send('/say')).kind,
    'exec',
    'alias',
  ],
  [
    'quick_commands.*.command',
    'quick_commands: { say: { type: exec, command: one } }',
    'quick_commands: { say: { type: exec, command: [other, word] } }',
    async (world) => (await world.started('/say')).command,
    'one',
    ['other', 'word'],
  ],
  [
    'quick_commands.*.target',
    'quick_commands: { one: { type: exec, command: one }, other: { type: exec, command: other }, a: { type: alias, target: /one } }',
    'quick_commands: { one: { type: exec, command: one }, other: { type: exec, command: other }, a: { type: alias, target: /other } }',
    async (world) => (await world.started('/a')).command,
    'one',
    'other',
  ],
  [
    'quick_commands.*.timeout',
    command('timeout: 1'),
    command('timeout: 2'),
    async (world) => (await world.started('/say')).timeoutMs,
    1000,
    2000,
  ],
  [
    'quick_commands.*.grace',
    command('grace: 1'),
    command('grace: 3'),
    async (world) => (await world.started('/say')).graceMs,
    1000,
    3000,
  ],
  [
    'quick_commands.*.cwd',
    command(''),
    command('cwd: sub'),
    async (world) => (await world.started('/say')).cwd.replace(world.disk.folder, ''),
    '',
    '/sub',
  ],
  [
    'quick_commands.*.env',
    command('env: [A]'),
    command('env: [A, B]'),
    async (world) => (await world.started('/say')).env.names,
    'A',
    'A,B',
  ],
  [
    'quick_commands.*.concurrency',
    command('concurrency: 1'),
    command('concurrency: 2'),
    async (world) => {
      for (let n = 0; n < 3; n += 1) await world.send('/say');
      return world.processes.started.length;
    },
    1,
    2,
  ],
  [
    'quick_commands.*.allow',
    `access: { users: ["chat:uma"] }\n${command('')}`,
    `access: { users: ["chat:uma"] }\n${command('allow: [user]')}`,
    (world) => admission(world.from('chat:uma', '/say')),
    'refuse',
    'dispatch',
  ],
  [
    'quick_commands.*.description',
    command(''),
    command('description: says it'),
    inHelp('says it'),
    false,
    true,
  ],
  [
    'quick_commands.*.args.*.default',
    args('default: "1"'),
    args('default: "2"'),
    async (world) => (await world.started('/say')).env.A,
    '1',
    '2',
  ],
  [
    'quick_commands.*.args.*.pattern',
    args('pattern: "[0-9]+"'),
    args('pattern: "[a-z]+"'),
    (world) => admission(world.send('/say word')),
    'refuse',
    'dispatch',
  ],
  [
    'quick_commands.*.args.*.choices',
    args('choices: [on]'),
    args('choices: [on, off]'),
    (world) => admission(world.send('/say off')),
    'refuse',
    'dispatch',
  ],
  [
    'quick_commands.*.args.*.required',
    args('required: true'),
    args('required: false'),
    (world) => admission(world.send('/say')),
    'refuse',
    'dispatch',
  ],
  [
    'quick_commands.*.args.*.rest',
    args('rest: false'),
    args('rest: true'),
    (world) => admission(world.send('/say two words')),
    'refuse',
    'dispatch',
  ],
];

const gatewayRows: readonly Row[] = [
  [
    'agent.restart_drain_timeout',
    'agent: { command: cat, restart_drain_timeout: 60 }',
    'agent: { command: cat, restart_drain_timeout: 7 }',
    async (world) => {
      await world.send('hello');
      return world.stopMs();
    },
    60_000,
    7000,
  ],
  [
    'display.busy_input_mode',
    'display: { busy_input_mode: interrupt }',
    'display: { busy_input_mode: queue }',
    (world) => {
      world.core.gateway.requests.ask({ intent: 'drain', cause: 'drain', actor: 'local:owner' });
      return admission(world.send('hello'));
    },
    'refuse',
    'hold',
  ],
  [
    'conversations.*.agent',
    'agents: { other: { command: other } }',
    'agents: { other: { command: other } }\nconversations: { "local:here": { agent: other } }',
    async (world) => (await world.started('hello', { conversation: 'local:here' })).command,
    'cat',
    'other',
  ],
  [
    'access.owners',
    command(''),
    `access: { owners: ["chat:ann"] }\n${command('')}`,
    (world) => admission(world.from('chat:ann', '/say')),
    'refuse',
    'dispatch',
  ],
  [
    'access.users',
    '',
    'access: { users: ["chat:uma"] }',
    (world) => admission(world.from('chat:uma', 'hello')),
    'refuse',
    'dispatch',
  ],
  [
    'shutdown.kill_grace',
    'shutdown: { kill_grace: 5 }',
    'shutdown: { kill_grace: 2 }',
    async (world) => {
      await world.send('hello');
      return world.stopMs(true);
    },
    5000,
    2000,
  ],
  // A share of it is kept for closing.
  [
    'shutdown.exit_timeout',
    'shutdown: { exit_timeout: 10 }',
    'shutdown: { exit_timeout: 5 }',
    (world) => world.stopMs(),
    8000,
    4000,
  ],
  [
    'turns.resume',
    'agent: { command: cat, effects: none }',
    'agent: { command: cat, effects: none }\nturns: { resume: ask }',
    (world) => world.phaseOfCutOff(),
    'held',
    'awaiting-resume',
  ],
  [
    'turns.max_age',
    'turns: { max_age: 1h }',
    'turns: { max_age: 3h }',
    (world) => world.heldFor(2 * 3_600_000),
    'awaiting-resume',
    'started',
  ],
  [
    'turns.on_expired',
    'turns: { max_age: 1h }',
    'turns: { max_age: 1h, on_expired: expire }',
    (world) => world.heldFor(2 * 3_600_000),
    'awaiting-resume',
    'settled',
  ],
  [
    'store.retention',
    'store: { retention: 30d }',
    'store: { retention: 1d }',
    (world) => world.prunedAgeMs(),
    30 * 86_400_000,
    86_400_000,
  ],
];

const PATTERNS = [...commandRows, ...gatewayRows].map(([key]) => key);
const AGENT_KEYS = [
  'type',
  'command',
  'cwd',
  'effects',
  'turn_timeout',
  'base_url',
  'model',
  'api_key_env',
  'system_prompt_file',
  'history_window',
  'max_turns',
  'failure_threshold',
];

const worlds: World[] = [];
afterEach(() => {
  for (const { disk } of worlds.splice(0)) disk[Symbol.dispose]();
});
const start = async (text: string): Promise<World> => {
  const world = await World.start(text);
  worlds.push(world);
  return world;
};

/** In one gateway that began so, and in another that was reloaded to be so. */
async function proves([key, before, after, observe, seenBefore, seenAfter]: Row): Promise<void> {
  expect(await observe(await start(before)), `${key} before`).toEqual(seenBefore);
  const reloaded = await start(before);
  await reloaded.reload(after);
  expect(await observe(reloaded), `${key} after`).toEqual(seenAfter);
}

test('each key that a restart is not needed for is shown to count without one', () => {
  const live = Object.entries(KEYS).filter(([, { applies }]) => applies !== 'restart');
  const agentPatterns = ['agent', 'agents.*'].flatMap((of) => AGENT_KEYS.map((key) => `${of}.${key}`));
  const shown = [...PATTERNS, ...agentPatterns, ...Object.keys(ELSEWHERE)];
  expect(shown.toSorted()).toEqual(live.map(([pattern]) => pattern).toSorted());
});

describe('after a reload', () => {
  test.each([...commandRows, ...gatewayRows])('%s counts', async (...row) => proves(row));

  test.each(['agent', 'agents.*'] as const)('the keys of %s count from the next turn on', async (pattern) => {
    const rows = agentRows(pattern);
    expect(rows.map(([key]) => key)).toEqual(AGENT_KEYS.map((key) => `${pattern}.${key}`));
    for (const row of rows) await proves(row);
  });
});

describe('what was there before a reload', () => {
  test('runs on: a command with its timeout, a turn with its agent and its limit', async () => {
    const world = await start(`agent: { command: one, turn_timeout: 60 }\n${command('timeout: 60')}`);
    await world.send('/say');
    const turn = await world.send('hello');
    await world.reload(`agent: { command: other, turn_timeout: 5 }\n${command('timeout: 5')}`);
    expect(world.processes.started.map(({ spec }) => spec.timeoutMs ?? spec.command)).toEqual([
      60_000,
      'one',
    ]);
    await world.core.clock.advance(10_000);
    expect(world.core.gateway.status.inFlight.turns).toHaveLength(1);
    world.processes.started[1]?.spec.onStdout?.('said by one');
    world.processes.started[1]?.finish();
    expect(await turn.settled).toMatchObject({ outcome: 'answered', replies: ['said by one'] });
  });

  test('and waited for a place has it at once when there are more', async () => {
    const limits = (turns: number, runs: number) =>
      `agent: { command: cat, max_turns: ${turns} }\n${command(`concurrency: ${runs}`)}`;
    const world = await start(limits(1, 1));
    for (const text of ['hello', 'hello', '/say', '/say']) await world.send(text);
    expect(world.processes.started).toHaveLength(2);
    await world.reload(limits(2, 2));
    await expect.poll(() => world.processes.started.length).toBe(4);
  });

  test('waits in its order when there are fewer: a later one does not overtake it', async () => {
    const world = await start(command('concurrency: 2'));
    for (const _ of [1, 2, 3]) await world.send('/say');
    await world.reload(command('concurrency: 1'));
    world.processes.started[0]?.finish();
    await world.core.clock.advance(0);
    expect(world.processes.started).toHaveLength(2);
    world.processes.started[1]?.finish();
    await expect.poll(() => world.processes.started.length).toBe(3);
  });

  test('and was accepted for an agent that is no more is still answered by it', async () => {
    const world = await start('agents: { other: { command: other } }\n');
    const to = { agent: 'other', conversation: 'local:one' };
    await world.send('hello', to);
    const waiting = await world.send('again', to);
    await world.reload('');
    world.processes.started[0]?.spec.onStdout?.('first');
    world.processes.started[0]?.finish();
    await expect.poll(() => world.processes.started.length).toBe(2);
    expect(world.processes.started[1]?.spec.command).toBe('other');
    world.processes.started[1]?.spec.onStdout?.('second');
    world.processes.started[1]?.finish();
    expect(await waiting.settled).toMatchObject({ outcome: 'answered', replies: ['second'] });
    expect(await world.send('hello', { agent: 'other' })).toMatchObject({
      admission: 'refuse',
      reason: 'arguments',
    });
  });
});
