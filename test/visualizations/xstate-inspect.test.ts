import { request } from 'node:http';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { and, assign, createActor, setup } from 'xstate';
import { gatewayMachine } from '../../machines/gateway.ts';
import {
  startXStateInspect,
  type XStateInspect,
  type XStateInspectOptions,
} from '../../visualizations/xstate-inspect/bridge.ts';
import { plain } from '../../visualizations/xstate-inspect/plain.ts';
import {
  openReceiver,
  type ReceivedEvent,
  type Receiver,
} from '../../visualizations/xstate-inspect/receiver.ts';

interface LampContext {
  seen: Map<string, Set<string>>;
  text: string;
}

/** A chart with what the two versions write differently: `always`, combined guards, and a Map of Sets. */
const lamp = setup({
  types: {
    context: {} as LampContext,
    events: {} as
      | { type: 'pressed'; by: ReadonlySet<string> }
      | { type: 'written'; text: string }
      | { type: 'broken' },
  },
  actions: {
    remember: assign({ seen: ({ context }) => new Map(context.seen).set('by', new Set(['a', 'b'])) }),
    write: assign({ text: ({ context, event }) => (event.type === 'written' ? event.text : context.text) }),
    fail: () => {
      throw new Error('a defect in an action');
    },
  },
  guards: { isDay: () => false, isTired: () => true },
}).createMachine({
  id: 'lamp',
  context: { seen: new Map(), text: '' },
  initial: 'off',
  on: { written: { actions: 'write' }, broken: { actions: 'fail' } },
  states: {
    off: { tags: 'dark', on: { pressed: { target: 'on', actions: 'remember' } } },
    on: {
      always: { guard: and(['isTired', 'isDay']), target: 'off' },
      on: { pressed: 'gone' },
    },
    gone: { type: 'final' },
  },
});

const pressed = { type: 'pressed', by: new Set(['anna']) } as const;

let undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.reverse()) await step();
  undo = [];
});

async function startBridge(options: Partial<XStateInspectOptions> = {}) {
  const problems = new Arrivals<string>();
  const bridge = await startXStateInspect({
    host: '127.0.0.1',
    port: 0,
    onProblem: problems.add,
    ...options,
  });
  undo.push(() => bridge[Symbol.asyncDispose]());
  return { bridge, problems };
}

function startLamp(bridge: XStateInspect, id = 'desk') {
  const actor = createActor(lamp, { id, inspect: bridge.inspect });
  // A defect that ends an actor is reported to its subscribers, as the daemon's own actor does.
  actor.subscribe({ error: () => undefined });
  undo.push(() => actor.stop());
  return actor.start();
}

/** A test's condition, checked at every arrival: nothing here waits for time to pass. */
class Arrivals<T> {
  readonly all: T[] = [];
  readonly #checks = new Set<(item: T) => void>();

  readonly add = (item: T): void => {
    this.all.push(item);
    for (const check of this.#checks) check(item);
  };

  /** The first item that fits, also one that has already arrived. */
  first<Wanted extends T>(fits: (item: T) => item is Wanted): Promise<Wanted>;
  first(fits: (item: T) => boolean): Promise<T>;
  first(fits: (item: T) => boolean): Promise<T> {
    const here = this.all.find(fits);
    if (here !== undefined) return Promise.resolve(here);
    return new Promise((resolve) => {
      const check = (item: T) => {
        if (!fits(item)) return;
        this.#checks.delete(check);
        resolve(item);
      };
      this.#checks.add(check);
    });
  }
}

type Registered = Extract<ReceivedEvent, { type: 'service.register' }>;
const isRegistered = (event: ReceivedEvent): event is Registered => event.type === 'service.register';
const stateIs =
  (value: string) =>
  (event: ReceivedEvent): event is Extract<ReceivedEvent, { type: 'service.state' }> =>
    event.type === 'service.state' && event.state.value === value;

/** The library's own receiver, as the XState 4 viewer's page uses it. */
function look(bridge: XStateInspect): { seen: Arrivals<ReceivedEvent>; receiver: Receiver } {
  const seen = new Arrivals<ReceivedEvent>();
  return { seen, receiver: openReceiver(`127.0.0.1:${bridge.port}`, seen.add) };
}

/** A bare client, for what the receiver never says. */
async function connect(bridge: XStateInspect) {
  const socket = new WebSocket(`ws://127.0.0.1:${bridge.port}`);
  const arrived = new Arrivals<Record<string, string>>();
  socket.onmessage = ({ data }) => arrived.add(JSON.parse(String(data)));
  const closed = new Promise((resolve) => {
    socket.onclose = resolve;
  });
  await new Promise((resolve) => {
    socket.onopen = resolve;
  });
  undo.push(() => socket.close());
  return { socket, arrived, closed };
}

const asks = JSON.stringify({ type: 'xstate.inspecting' });

/** The status of an attempt to upgrade from a page of this origin. */
function upgradeStatus(bridge: XStateInspect, origin: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const attempt = request({
      port: bridge.port,
      host: '127.0.0.1',
      headers: {
        origin,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      },
    });
    attempt.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
    attempt.on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    attempt.on('error', reject);
    attempt.end();
  });
}

describe('an XState 4 viewer', () => {
  it('sees an XState 5 actor with its chart, each event, each state and its end', async () => {
    const { bridge, problems } = await startBridge();
    const { seen } = look(bridge);
    const actor = startLamp(bridge);
    const { machine, state, sessionId } = await seen.first(isRegistered);
    expect(machine.stateIds).toEqual(['lamp', 'lamp.off', 'lamp.on', 'lamp.gone']);
    expect(state.value).toBe('off');
    expect([...state.tags]).toEqual(['dark']);

    actor.send(pressed);
    const on = await seen.first(stateIs('on'));
    expect(on.state.matches('on')).toBe(true);
    expect(on.state.event).toEqual({ type: 'pressed', by: ['anna'] });
    actor.send(pressed);
    await seen.first((event) => event.type === 'service.stop');

    const story = seen.all.filter((event) => event.sessionId === sessionId).map(({ type }) => type);
    expect(story.slice(story.indexOf('service.state'))).toEqual([
      'service.state',
      'service.event',
      'service.state',
      'service.stop',
    ]);
    expect(problems.all).toEqual([]);
  });

  it('gets a chart that XState 4 can run, with guards, actions and eventless transitions by name', async () => {
    const { bridge } = await startBridge();
    startLamp(bridge);
    const { machine } = await look(bridge).seen.first(isRegistered);
    const transitionsOf = (id: string) =>
      machine.getStateNodeById(id).transitions.map(({ eventType, target, cond, actions }) => ({
        eventType,
        target: target?.map((node) => node.id),
        cond: cond?.name,
        actions: actions.map(({ type }) => type),
      }));
    expect(transitionsOf('lamp.on')).toEqual([
      { eventType: 'pressed', target: ['lamp.gone'], cond: undefined, actions: [] },
      { eventType: '', target: ['lamp.off'], cond: 'and(isTired, isDay)', actions: [] },
    ]);
    expect(transitionsOf('lamp')).toContainEqual({
      eventType: 'written',
      target: undefined,
      cond: undefined,
      actions: ['write'],
    });
    expect(machine.transition('off', 'written').value).toBe('off');
  });

  it('reads Maps and Sets of a context as plain objects and arrays', async () => {
    const { bridge } = await startBridge();
    const { seen } = look(bridge);
    const actor = startLamp(bridge);
    await seen.first(isRegistered);
    actor.send(pressed);
    const { state } = await seen.first(stateIs('on'));
    expect(state.context).toEqual({ seen: { by: ['a', 'b'] }, text: '' });
  });

  it('that comes late is shown the state of now, and nobody else is told again', async () => {
    const { bridge } = await startBridge();
    const first = look(bridge);
    const actor = startLamp(bridge);
    await first.seen.first(isRegistered);
    const toldBefore = first.seen.all.filter(isRegistered).length;
    actor.send(pressed);
    const second = look(bridge);
    expect((await second.seen.first(isRegistered)).state.value).toBe('on');

    actor.send(pressed);
    await first.seen.first((event) => event.type === 'service.stop');
    expect(first.seen.all.filter(isRegistered)).toHaveLength(toldBefore);
  });

  it('sees the actors of one bridge, not those of another in the same process', async () => {
    const here = await startBridge();
    const there = await startBridge();
    const ours = look(here.bridge).seen;
    const theirs = look(there.bridge).seen;
    const lampHere = startLamp(here.bridge);
    const lampThere = startLamp(there.bridge);
    await Promise.all([ours.first(isRegistered), theirs.first(isRegistered)]);
    lampThere.send({ type: 'written', text: 'elsewhere' });
    await theirs.first((event) => event.type === 'service.state' && event.state.context.text === 'elsewhere');
    lampHere.send(pressed);
    await ours.first(stateIs('on'));
    expect(JSON.stringify(ours.all)).not.toContain('elsewhere');
    expect(Reflect.has(globalThis, '__xstate__')).toBe(false);
  });

  it('that falls behind loses messages, is told the newest state when it catches up, and nobody waits', async () => {
    const { bridge, problems } = await startBridge({ backlogBytesMax: 64 * 1024 });
    const actor = startLamp(bridge);
    const { socket, arrived } = await connect(bridge);
    socket.send(asks);
    await arrived.first(({ type }) => type === 'service.register');
    // All in one turn of the event loop: the kernel's buffers fill, then ours, and nothing is written out.
    for (let index = 0; index < 3_000; index += 1) {
      actor.send({ type: 'written', text: `${index} ${'x'.repeat(1_900)}` });
    }
    actor.send({ type: 'written', text: 'the last word' });
    expect(bridge.droppedCount).toBeGreaterThan(0);
    await arrived.first(({ state }) => state?.includes('the last word') ?? false);
    expect(arrived.all.length).toBeLessThan(6_000);
    expect(problems.all[0]).toMatch(/does not keep up/);
    expect(problems.all.length).toBeLessThan(20);
  });
});

describe('what a viewer sends', () => {
  it('does not reach the gateway', async () => {
    const sent: unknown[] = [];
    const { bridge, problems } = await startBridge({ onEvent: (event) => sent.push(event) });
    const { seen, receiver } = look(bridge);
    const actor = startLamp(bridge);
    const { sessionId } = await seen.first(isRegistered);
    receiver.sendEvent(sessionId, { type: 'pressed' });
    expect(await problems.first(() => true)).toMatch(/control is not allowed/);
    expect(sent).toEqual([]);
    expect(actor.getSnapshot().value).toBe('off');
  });

  it('is handed to the gateway, never to the actor, where control is allowed', async () => {
    const sent = new Arrivals<Parameters<NonNullable<XStateInspectOptions['onEvent']>>[0]>();
    const { bridge } = await startBridge({ allowControl: true, onEvent: sent.add });
    const { seen, receiver } = look(bridge);
    const actor = startLamp(bridge);
    const { sessionId } = await seen.first(isRegistered);
    receiver.sendEvent(sessionId, { type: 'pressed' });
    const event = await sent.first(() => true);
    expect(event).toEqual({ actorId: 'desk', sessionId: actor.sessionId, event: { type: 'pressed' } });
    expect(actor.getSnapshot().value).toBe('off');
  });

  it.each([
    ['no JSON', 'hello'],
    ['no object', 'null'],
    ['the end of the inspection', '{"type":"disconnect"}'],
    ['a state of its own making', '{"type":"service.state","state":"{}","sessionId":"actor:0"}'],
    ['an event that is no JSON', '{"type":"xstate.event","event":"{"}'],
    ['an event for nobody', '{"type":"xstate.event","event":"{\\"data\\":{\\"type\\":\\"pressed\\"}}"}'],
  ])('harms nobody when it is %s', async (_what, text) => {
    const { bridge, problems } = await startBridge({ allowControl: true, onEvent: () => undefined });
    const actor = startLamp(bridge);
    const { socket, arrived } = await connect(bridge);
    socket.send(text);
    socket.send(asks);
    await arrived.first(({ type }) => type === 'service.register');
    actor.send(pressed);
    await arrived.first(({ type }) => type === 'service.state');
    expect(arrived.all.map(({ type }) => type)).not.toContain('xstate.disconnect');
    expect(problems.all).toHaveLength(1);
  });

  it('ends its own connection only, when it is too long', async () => {
    const { bridge } = await startBridge();
    const { seen } = look(bridge);
    const actor = startLamp(bridge);
    await seen.first(isRegistered);
    const { socket, closed } = await connect(bridge);
    socket.send('x'.repeat(70_000));
    await closed;
    actor.send(pressed);
    await seen.first(stateIs('on'));
  });
});

describe('an inspected actor', () => {
  it('does not notice that its context cannot be rendered, nor that nobody can be told of a problem', async () => {
    const hostile = setup({ types: { context: {} as { trap: object } } }).createMachine({
      context: {
        trap: {
          get value() {
            throw new Error('a getter that throws');
          },
        },
      },
      initial: 'one',
      states: { one: { on: { next: 'two' } }, two: {} },
    });
    const told = new Arrivals<string>();
    const { bridge } = await startBridge({
      onProblem: (problem) => {
        told.add(problem);
        throw new Error('nobody listens');
      },
    });
    const { seen } = look(bridge);
    const actor = createActor(hostile, { inspect: bridge.inspect }).start();
    undo.push(() => actor.stop());
    const { state } = await seen.first(isRegistered);
    expect(state.context).toEqual({ trap: '[unreadable: a getter that throws]' });
    const { socket } = await connect(bridge);
    socket.send('hello');
    await told.first(() => true);
    actor.send({ type: 'next' });
    await seen.first(stateIs('two'));
    // XState hands over what it likes: a shape the bridge has never seen must not throw either.
    const odd = {
      type: '@xstate.snapshot',
      event: { type: 'odd' },
      snapshot: { machine: null, value: 1, status: 'active', tags: null },
      actorRef: { sessionId: 'odd', getSnapshot: () => undefined },
    };
    expect(() => bridge.inspect(odd)).not.toThrow();
    expect(told.all).toHaveLength(2);
    expect((await look(bridge).seen.first(isRegistered)).state.value).toBe('two');
  });

  it('is shown in a place that is free again, so that the library remembers no more than there are places', async () => {
    const { bridge, problems } = await startBridge();
    const { seen } = look(bridge);
    startLamp(bridge).stop();
    const last = startLamp(bridge, 'the last');
    await seen.first(isRegistered);
    for (let index = 0; index < 600; index += 1) startLamp(bridge, `turn-${index}`).stop();
    last.send(pressed);
    await seen.first(stateIs('on'));
    expect(seen.all.filter(({ type }) => type === 'service.stop')).toHaveLength(600);
    expect(new Set(seen.all.map(({ sessionId }) => sessionId)).size).toBe(256);
    expect(problems.all).toEqual([]);
  });

  it('beyond the limit is counted and not shown, and those that have failed make room', async () => {
    const { bridge, problems } = await startBridge();
    const actors = Array.from({ length: 257 }, (_, index) => startLamp(bridge, `lamp-${index}`));
    expect(problems.all).toEqual([expect.stringContaining('more than 256 actors')]);
    actors[0]?.send({ type: 'broken' });
    const { seen } = look(bridge);
    startLamp(bridge, 'the last').send(pressed);
    expect((await seen.first((event) => isRegistered(event) && event.state.value === 'on')).sessionId).toBe(
      'actor:0',
    );
    expect(problems.all).toHaveLength(1);
  });
});

describe('the server', () => {
  it.each(['0.0.0.0', '::', '192.168.1.4', 'example.org', '127.0.0.1.example.org', ''])(
    'does not listen on %j',
    async (host) => {
      await expect(startBridge({ host })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(`not on "${host}"`),
      });
    },
  );

  it.each(['localhost', '127.0.0.2', '127.0.0.1'])('listens on %s', async (host) => {
    const { bridge } = await startBridge({ host });
    expect(bridge.port).toBeGreaterThan(0);
  });

  it('says so when its port is taken', async () => {
    const { bridge } = await startBridge();
    await expect(startBridge({ port: bridge.port })).rejects.toMatchObject({
      code: 'PORT_UNAVAILABLE',
      message: expect.stringContaining(String(bridge.port)),
    });
  });

  it('lets pages of the viewer and of this machine in, and no others', async () => {
    const { bridge } = await startBridge();
    expect(await upgradeStatus(bridge, 'https://stately.ai')).toBe(101);
    expect(await upgradeStatus(bridge, 'http://localhost:3000')).toBe(101);
    expect(await upgradeStatus(bridge, 'http://[::1]:3000')).toBe(101);
    expect(await upgradeStatus(bridge, 'https://example.org')).toBe(403);
    expect(await upgradeStatus(bridge, 'https://localhost.example.org')).toBe(403);
    expect(await upgradeStatus(bridge, 'null')).toBe(403);
    const closed = await startBridge({ viewerOrigins: [] });
    expect(await upgradeStatus(closed.bridge, 'https://stately.ai')).toBe(403);
  });

  it('refuses the ninth viewer', async () => {
    const { bridge } = await startBridge();
    for (let index = 0; index < 8; index += 1) await connect(bridge);
    expect(await upgradeStatus(bridge, 'http://localhost')).toBe(503);
  });

  it('closes fully while viewers are connected, and its port is free again', async () => {
    const { bridge } = await startBridge();
    const actor = startLamp(bridge);
    const { socket, arrived, closed } = await connect(bridge);
    socket.send(asks);
    await arrived.first(({ type }) => type === 'service.register');
    await Promise.all([bridge[Symbol.asyncDispose](), bridge[Symbol.asyncDispose]()]);
    await closed;
    const before = arrived.all.length;
    actor.send(pressed);
    expect(actor.getSnapshot().value).toBe('on');
    expect(arrived.all).toHaveLength(before);
    const next = createServer().listen(bridge.port, '127.0.0.1');
    await new Promise((resolve, reject) => next.once('listening', () => resolve(0)).once('error', reject));
    await new Promise((resolve) => next.close(resolve));
  });
});

describe('a rendered value', () => {
  it('is plain and bounded, and says where it was cut', () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(plain(circle)).toEqual({ self: '[circular]' });
    expect(plain(new Map<unknown, unknown>([[1, new Set(['a'])]]))).toEqual([[1, ['a']]]);
    expect(plain({ gone: undefined, big: 10n, not: Number.NaN, when: new Date(0) })).toEqual({
      big: '10',
      not: 'NaN',
      when: '1970-01-01T00:00:00.000Z',
    });
    expect(plain(new TypeError('no'))).toEqual({ name: 'TypeError', message: 'no' });
    expect(plain('x'.repeat(3_000))).toBe(`${'x'.repeat(2_000)}… (1000 characters more)`);
    const long = plain(Array.from({ length: 1_000_000 }, () => 0)) as unknown[];
    expect(long).toHaveLength(5_000);
    expect(long.at(-1)).toBe('[cut: too many values]');
    let deep: unknown = 'bottom';
    for (let depth = 0; depth < 1_000; depth += 1) deep = [deep];
    expect(JSON.stringify(plain(deep))).toContain('[cut: too deep]');
  });
});

describe('the lifecycle chart', () => {
  it('is registered with its definition and followed from its start to its end', async () => {
    const { bridge, problems } = await startBridge();
    const { seen } = look(bridge);
    const gateway = createActor(gatewayMachine, {
      id: 'gateway',
      input: { supervisor: 'none' },
      inspect: bridge.inspect,
    }).start();
    undo.push(() => gateway.stop());
    const { machine, state } = await seen.first(isRegistered);
    expect(state.value).toBe('starting');
    expect(machine.stateIds).toHaveLength(stateCount(gatewayMachine.root));
    expect(machine.stateIds).toContain('gateway.draining.interrupting');
    const eventless = machine
      .getStateNodeById('gateway.draining.waiting')
      .transitions.filter(({ eventType }) => eventType === '');
    expect(eventless.map(({ cond, target }) => [cond?.name, target?.[0]?.id])).toEqual([
      ['and(restarts, idle)', 'gateway.restarting'],
      ['and(stops, idle)', 'gateway.stopped'],
      ['and(drainsOnly, noTurns)', 'gateway.draining.drained'],
    ]);

    gateway.send({ type: 'started' });
    gateway.send({ type: 'message.turn', id: 'm1', agent: 'default', whenBusy: 'queue' });
    gateway.send({
      type: 'stop.requested',
      requestId: 'r1',
      intent: 'restart',
      cause: 'restart',
      actor: 'local',
      hurry: false,
    });
    gateway.send({ type: 'message.exec', id: 'm2' });
    gateway.send({ type: 'work.settled', id: 'm1' });
    gateway.send({ type: 'work.settled', id: 'm2' });
    gateway.send({ type: 'outbox.flushed' });
    gateway.send({ type: 'intake.closed' });
    await seen.first((event) => event.type === 'service.stop');

    const states = seen.all.filter((event) => event.type === 'service.state').map((event) => event.state);
    expect(states.map(({ value }) => value)).toEqual([
      { running: 'healthy' },
      { running: 'healthy' },
      { draining: 'waiting' },
      { draining: 'waiting' },
      { draining: 'waiting' },
      { restarting: 'flushing' },
      { restarting: 'closing' },
      'exited',
    ]);
    const pages = states.map((told) => machine.resolveState(told));
    expect(pages.map(({ value }) => value)).toEqual(states.map(({ value }) => value));
    expect(pages[2]?.nextEvents).toEqual(expect.arrayContaining(['drain.deadline', 'message.exec', 'fatal']));
    expect(states[3]?.context).toMatchObject({ turns: ['m1'], commands: ['m2'] });
    expect(states.at(-1)?.done).toBe(true);
    expect(problems.all).toEqual([]);
  });
});

function stateCount(node: { states: Record<string, unknown> }): number {
  const below = Object.values(node.states) as { states: Record<string, unknown> }[];
  return 1 + below.reduce((sum, child) => sum + stateCount(child), 0);
}
