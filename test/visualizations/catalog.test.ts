import { describe, expect, test } from 'vitest';
import { type AnyTransitionDefinition, createActor } from 'xstate';
import { catalog, definitionOf, statesOf, transitionIdOf, transitionsOf } from '../../machines/catalog.ts';
import type { LifecycleEvent } from '../../machines/events.ts';
import { gatewayMachine } from '../../machines/gateway.ts';

test.each(Object.entries(catalog))('the chart %s has a definition that JSON can carry', (_name, chart) => {
  const definition = definitionOf(chart);
  expect(JSON.parse(JSON.stringify(definition))).toEqual(definition);
  expect(new Set(definition.edges.map(({ id }) => id)).size).toBe(definition.edges.length);
  const paths = definition.states.map(({ path }) => path);
  for (const { from, to } of definition.edges)
    expect(paths).toEqual(expect.arrayContaining([from, to ?? '']));
});

const listed = transitionsOf(catalog.gateway);
const byId = new Map(listed.map((transition) => [transition.id, transition]));

describe('the list of transitions', () => {
  test('gives every transition an id of its own', () => {
    expect(listed.length).toBeGreaterThan(50);
    expect(byId.size).toBe(listed.length);
  });

  test('follows the chart: parents before children, and the candidates of an event in their order', () => {
    const ids = listed.map(({ id }) => id);
    expect(ids[0]).toBe('(root)|message.control|0');
    expect(ids.filter((id) => id.startsWith('draining.waiting|'))).toEqual([
      'draining.waiting|always|0',
      'draining.waiting|always|1',
      'draining.waiting|always|2',
      'draining.waiting|drain.deadline|0',
      'draining.waiting|drain.cancelled|0',
      'draining.waiting|drain.cancelled|1',
      'draining.waiting|drain.cancelled|2',
    ]);
    expect(ids.indexOf('draining|stop.requested|0')).toBeLessThan(ids.indexOf('draining.waiting|always|0'));
  });

  test('tells event, guard, target and actions in words', () => {
    expect(byId.get('draining.waiting|always|0')).toEqual({
      id: 'draining.waiting|always|0',
      from: 'draining.waiting',
      to: 'restarting',
      event: 'always',
      guard: 'restarts & idle',
      actions: [],
    });
    expect(byId.get('(root)|message.exec|0')).toMatchObject({
      from: '',
      to: null,
      guard: null,
      actions: ['addCommand', 'dispatch'],
    });
    expect(byId.get('draining|stop.requested|0')).toMatchObject({ to: 'draining.interrupting' });
  });

  test('names each state once, and each end of a transition is one of them', () => {
    const paths = statesOf(catalog.gateway).map(({ path }) => path.join('.'));
    expect(new Set(paths).size).toBe(paths.length);
    expect(paths).toContain('draining.interrupting');
    for (const { from, to } of listed) expect(paths).toEqual(expect.arrayContaining([from, to ?? '']));
  });
});

describe('the transitions a running actor takes', () => {
  /** The root's answer to a request to stop: each state gives its own. */
  const OVERRIDDEN = '(root)|stop.requested|0';

  test('are all listed, and each listed one that no state hides is taken in some run', () => {
    const taken = new Set<string>();
    const random = seeded(7);
    for (let run = 0; run < 1500; run += 1)
      walk(random, (transition) => taken.add(transitionIdOf(transition)));
    const reachable = [...byId.keys()].filter((id) => id !== OVERRIDDEN);
    expect([...taken].toSorted()).toEqual(reachable.toSorted());
  });

  test('end where the list says they do', () => {
    const random = seeded(11);
    for (let run = 0; run < 300; run += 1) {
      walk(random, (transition) => {
        const target = transition.target?.[0];
        expect(byId.get(transitionIdOf(transition))?.to).toBe(target?.path.join('.') ?? null);
      });
    }
  });

  test('one that xstate made itself has an id that no listed one has, and does not throw', () => {
    const id = transitionIdOf(gatewayMachine.root.initial as AnyTransitionDefinition);
    expect(byId.has(id)).toBe(false);
  });
});

/** One life of a provided copy of the chart, under events drawn at random, until it exits or has had its share. */
function walk(random: () => number, onTaken: (transition: AnyTransitionDefinition) => void): void {
  const actor = createActor(gatewayMachine.provide({ actions: {} }), {
    input: { supervisor: 'none' },
    inspect: (inspected) => {
      if (inspected.type === '@xstate.microstep') inspected._transitions.forEach(onTaken);
    },
  });
  actor.start();
  for (let sent = 0; sent < 40 && actor.getSnapshot().status === 'active'; sent += 1) {
    const { deadlines, serial } = actor.getSnapshot().context;
    const events = eventsFor(deadlines, serial);
    const event = events[Math.floor(random() * events.length)];
    if (event !== undefined) actor.send(event);
  }
  actor.stop();
}

function eventsFor(
  deadlines: Readonly<Record<'drain' | 'kill' | 'exit', number | null>>,
  serial: number,
): LifecycleEvent[] {
  const requestId = 'r';
  const actor = 'local';
  const failure = { kind: 'fault', message: 'test' } as const;
  const stop = { type: 'stop.requested', requestId, actor, hurry: false } as const;
  return [
    { type: 'message.control', id: 'm' },
    { type: 'message.exec', id: 'e' },
    { type: 'message.alias', id: 'm' },
    { type: 'message.turn', id: 't', agent: 'main', whenBusy: 'interrupt' },
    { type: 'message.turn', id: 'u', agent: 'other', whenBusy: 'queue' },
    { type: 'work.settled', id: 'e' },
    { type: 'work.settled', id: 't' },
    { type: 'work.settled', id: 'u' },
    { type: 'started' },
    { type: 'started' },
    { type: 'start.failed', failure },
    { type: 'fatal', failure },
    { type: 'degraded.raised', reason: 'agent:main' },
    { type: 'degraded.cleared', reason: 'agent:main' },
    { ...stop, intent: 'stop', cause: 'stop' },
    { ...stop, intent: 'stop', cause: 'SIGTERM' },
    { ...stop, intent: 'restart', cause: 'restart' },
    { ...stop, intent: 'restart', cause: 'restart', hurry: true },
    { ...stop, intent: 'stop', cause: 'SIGINT', hurry: true },
    { type: 'drain.requested', requestId, actor },
    { type: 'drain.cancelled', requestId, actor },
    { type: 'drain.cancelled', requestId, actor, onlyDrain: serial },
    { type: 'drain.cancelled', requestId, actor, onlyDrain: serial - 1 },
    { type: 'drain.deadline', serial: deadlines.drain ?? -1 },
    { type: 'kill.deadline', serial: deadlines.kill ?? -1 },
    { type: 'exit.deadline', serial: deadlines.exit ?? -1 },
    { type: 'outbox.flushed' },
    { type: 'intake.closed' },
  ];
}

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
