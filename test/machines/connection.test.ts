/**
 * The chart of a platform's link against tables written by hand: every state and event, what each does and where it
 * leads; and what must hold however the events come, searched exhaustively.
 */
import { describe, expect, test } from 'vitest';
import { initialTransition, type SnapshotFrom, transition } from 'xstate';
import { statesOf, transitionsOf } from '../../machines/catalog.ts';
import { connectionMachine } from '../../machines/connection.ts';
import type { ConnectionEvent } from '../../machines/connection-events.ts';

type Snapshot = SnapshotFrom<typeof connectionMachine>;

const EFFECTS = ['attempt', 'attemptOver', 'giveUpAttempt', 'armRetry', 'armStable', 'disarm'];
const SAID = [...EFFECTS, 'linkUp', 'linkDown', 'tell'];

/** One step: where it leads, and its effects in order, as `armRetry {"serial":1,"failures":1}`. */
function step(snapshot: Snapshot, event: ConnectionEvent): { next: Snapshot; effects: string[] } {
  const [next, actions] = transition(connectionMachine, snapshot, event);
  return { next: next as Snapshot, effects: effectsOf(actions) };
}

function effectsOf(actions: readonly { type: string; params: unknown }[]): string[] {
  return actions
    .filter(({ type }) => SAID.includes(type))
    .map(({ type, params }) => (params === undefined ? type : `${type} ${JSON.stringify(params)}`));
}

function begin(): Snapshot {
  const [snapshot] = initialTransition(connectionMachine);
  return snapshot as Snapshot;
}

const given = (...events: readonly ConnectionEvent[]): Snapshot =>
  events.reduce((snapshot, event) => step(snapshot, event).next, begin());

const succeeded = (serial: number): ConnectionEvent => ({ type: 'connect.succeeded', serial });
const failed = (serial: number): ConnectionEvent => ({ type: 'connect.failed', serial, reason: 'no route' });
const refused = (serial: number): ConnectionEvent => ({ type: 'auth.failed', serial, reason: 'bad token' });
const due = (serial: number): ConnectionEvent => ({ type: 'retry.due', serial });
const STOP: ConnectionEvent = { type: 'stop' };

/** A way into each state. The serial that is current there is the one below it. */
const WAYS = {
  connecting: [],
  connected: [succeeded(1)],
  'backing-off': [failed(1)],
  parked: [refused(1)],
  'connecting, stopping': [STOP],
  'connected, stopping': [succeeded(1), STOP],
  stopped: [failed(1), STOP],
} as const satisfies Record<string, readonly ConnectionEvent[]>;

/** Each event as it may come while attempt 1 is the last one. */
const EVENTS = {
  'message.arrived': { type: 'message.arrived', serial: 1 },
  'connect.succeeded': succeeded(1),
  'connect.failed': { type: 'connect.failed', serial: 1, reason: 'why' },
  'attempt.expired': { type: 'attempt.expired', serial: 1, reason: 'why' },
  'link.lost': { type: 'link.lost', serial: 1, reason: 'why' },
  'auth.failed': { type: 'auth.failed', serial: 1, reason: 'why' },
  'retry.due': due(1),
  'stable.due': { type: 'stable.due', serial: 1 },
  'retry.requested': { type: 'retry.requested' },
  stop: STOP,
} as const satisfies Record<ConnectionEvent['type'], ConnectionEvent>;

const BACK_OFF = [
  'linkDown {"reason":"why"}',
  'armRetry {"serial":1,"failures":1}',
  'tell {"state":"backing-off","reason":"why"}',
];
const PARK = ['disarm', 'linkDown {"reason":"why"}', 'tell {"state":"parked","reason":"why"}'];
const CONNECT = ['armStable {"serial":1}', 'linkUp', 'tell {"state":"connected","reason":null}'];
const tryAgain = (reason: string) => [
  'attempt {"serial":2}',
  `tell ${JSON.stringify({ state: 'connecting', reason })}`,
];

/** What is not named leaves the state as it is and does nothing. */
const TABLE: Record<
  keyof typeof WAYS,
  Partial<Record<ConnectionEvent['type'], readonly [to: string, effects: readonly string[]]>>
> = {
  connecting: {
    'message.arrived': ['connecting', ['linkUp']],
    'connect.succeeded': ['connected', ['attemptOver', ...CONNECT]],
    'connect.failed': ['backing-off', ['attemptOver', ...BACK_OFF]],
    'attempt.expired': ['backing-off', ['attemptOver', 'giveUpAttempt', ...BACK_OFF]],
    'link.lost': ['backing-off', ['attemptOver', 'giveUpAttempt', ...BACK_OFF]],
    'auth.failed': ['parked', ['attemptOver', 'giveUpAttempt', ...PARK]],
  },
  connected: {
    'link.lost': ['backing-off', BACK_OFF],
    'auth.failed': ['parked', PARK],
    stop: ['connected', ['disarm']],
  },
  'backing-off': {
    'retry.due': ['connecting', tryAgain('no route')],
    stop: ['stopped', ['disarm']],
  },
  parked: {
    'retry.requested': ['connecting', tryAgain('bad token')],
    stop: ['stopped', ['disarm']],
  },
  'connecting, stopping': {
    'message.arrived': ['connecting', ['linkUp']],
    'connect.succeeded': ['connected', ['attemptOver', ...CONNECT]],
    'connect.failed': ['stopped', ['attemptOver', ...BACK_OFF, 'disarm']],
    'attempt.expired': ['stopped', ['attemptOver', 'giveUpAttempt', ...BACK_OFF, 'disarm']],
    'link.lost': ['stopped', ['attemptOver', 'giveUpAttempt', ...BACK_OFF, 'disarm']],
    'auth.failed': ['stopped', ['attemptOver', 'giveUpAttempt', ...PARK, 'disarm']],
  },
  'connected, stopping': {
    'link.lost': ['stopped', [...BACK_OFF, 'disarm']],
    'auth.failed': ['stopped', [...PARK, 'disarm']],
    stop: ['connected', ['disarm']],
  },
  stopped: {},
};

describe.each(Object.keys(TABLE) as (keyof typeof TABLE)[])('%s', (state) => {
  const way = WAYS[state];

  test.each(Object.keys(EVENTS) as ConnectionEvent['type'][])('%s', (type) => {
    const [to, effects] = TABLE[state][type] ?? [state.split(',')[0], []];
    const from = given(...way);
    const taken = step(from, EVENTS[type]);
    expect([taken.next.value, taken.effects]).toEqual([to, effects]);
  });

  test('nothing that is said of another attempt changes anything', () => {
    const from = given(...way);
    for (const event of Object.values(EVENTS)) {
      if (!('serial' in event)) continue;
      for (const serial of [0, 2]) {
        const { next, effects } = step(from, { ...event, serial });
        expect([next.value, next.context, effects]).toEqual([from.value, from.context, []]);
      }
    }
  });
});

test('it begins with an attempt', () => {
  const [snapshot, actions] = initialTransition(connectionMachine);
  expect([snapshot.value, effectsOf(actions)]).toEqual([
    'connecting',
    ['attempt {"serial":1}', 'tell {"state":"connecting","reason":null}'],
  ]);
});

test('each failure in a row is counted for the next wait, a link that held for long begins anew', () => {
  const lost = (serial: number): ConnectionEvent => ({ type: 'link.lost', serial, reason: 'cut' });
  const twice = given(failed(1), due(1), failed(2), due(2), succeeded(3));
  expect(step(twice, lost(3)).effects).toContain('armRetry {"serial":3,"failures":3}');
  const stable = step(twice, { type: 'stable.due', serial: 3 }).next;
  expect(step(stable, lost(3)).effects).toContain('armRetry {"serial":3,"failures":1}');
});

test('a request to try a parked one again forgets how often it had failed', () => {
  const parked = given(failed(1), due(1), failed(2), due(2), refused(3));
  const { next } = step(parked, { type: 'retry.requested' });
  expect(next.context).toMatchObject({ serial: 4, failures: 0 });
});

test('the end of an earlier wait does not cut a later one short', () => {
  const waiting = given(failed(1), due(1), failed(2));
  expect(step(waiting, due(1)).effects).toEqual([]);
  expect(step(waiting, due(2)).next.value).toBe('connecting');
});

describe('however the events come', () => {
  const { snapshots, steps } = search();

  test('the search sees the chart', () => {
    expect(new Set(snapshots.map(({ value }) => value))).toEqual(
      new Set(['connecting', 'connected', 'backing-off', 'parked', 'stopped']),
    );
    expect(steps.length).toBeGreaterThan(200);
  });

  test('from every state but the last a link can be made, unless it is stopping', () => {
    for (const snapshot of snapshots) {
      if (snapshot.context.isStopping || snapshot.value === 'stopped') continue;
      expect(reaches(snapshot, 'connected'), String(snapshot.value)).toBe(true);
    }
  });

  test('from every state a stop leads to the end once the link is gone', () => {
    for (const snapshot of snapshots) {
      const { next } = step(snapshot, STOP);
      const { serial } = next.context;
      expect(step(next, { type: 'link.lost', serial, reason: 'stopped' }).next.value).toBe('stopped');
    }
  });

  test('parked is left by a request or a stop alone', () => {
    const out = steps.filter(({ from, to }) => from.value === 'parked' && to.value !== 'parked');
    expect(new Set(out.map(({ event }) => event.type))).toEqual(new Set(['retry.requested', 'stop']));
  });

  test('an attempt begins only where none is under way, with a serial of its own, and never once it is stopping', () => {
    for (const { from, to, effects } of steps) {
      if (!effects.some((effect) => effect.startsWith('attempt {'))) continue;
      expect(['backing-off', 'parked']).toContain(from.value);
      expect(to.context.serial).toBe(from.context.serial + 1);
      expect(from.context.isStopping).toBe(false);
    }
  });

  test('whoever waits for an attempt hears of its end, whatever that is', () => {
    for (const { from, to, effects } of steps) {
      const ends = from.value === 'connecting' && to.value !== 'connecting';
      expect(effects.filter((effect) => effect === 'attemptOver')).toHaveLength(ends ? 1 : 0);
    }
  });

  test('it is said of each link that is made, and of each that is gone', () => {
    for (const { from, to, effects } of steps) {
      const wasUp = from.value === 'connected';
      const isUp = to.value === 'connected';
      if (wasUp !== isUp) {
        expect(effects.some((effect) => effect.startsWith(isUp ? 'linkUp' : 'linkDown'))).toBe(true);
      }
    }
  });
});

test('the chart takes no wildcards, starts nothing beside the events, and ends in one state only', () => {
  const nodes = statesOf(connectionMachine);
  expect(nodes.filter(({ type }) => type === 'final').map(({ key }) => key)).toEqual(['stopped']);
  expect(nodes.filter(({ config }) => 'invoke' in config || 'after' in config)).toEqual([]);
  const known = new Set([...Object.keys(EVENTS), 'always']);
  expect(transitionsOf(connectionMachine).filter(({ event }) => !known.has(event))).toEqual([]);
});

interface Step {
  readonly from: Snapshot;
  readonly event: ConnectionEvent;
  readonly to: Snapshot;
  readonly effects: readonly string[];
}

/** Breadth first, up to three attempts and as many failures: beyond them numbers only grow. */
function search(): { snapshots: Snapshot[]; steps: Step[] } {
  const keyOf = ({ value, context }: Snapshot) => JSON.stringify([value, context]);
  const seen = new Map<string, Snapshot>();
  const steps: Step[] = [];
  const queue = [begin()];
  for (let from = queue.shift(); from !== undefined; from = queue.shift()) {
    if (seen.has(keyOf(from)) || from.context.serial > 3) continue;
    seen.set(keyOf(from), from);
    for (const event of eventsAt(from)) {
      const { next, effects } = step(from, event);
      steps.push({ from, event, to: next, effects });
      queue.push(next);
    }
  }
  return { snapshots: [...seen.values()], steps };
}

/** Of the current attempt, and of the one before it. */
const eventsAt = ({ context: { serial } }: Snapshot): ConnectionEvent[] =>
  Object.values(EVENTS).flatMap((event): ConnectionEvent[] =>
    'serial' in event
      ? [
          { ...event, serial },
          { ...event, serial: serial - 1 },
        ]
      : [event],
  );

function reaches(from: Snapshot, value: Snapshot['value']): boolean {
  let level = [from];
  for (let depth = 0; depth < 4; depth += 1) {
    if (level.some((snapshot) => snapshot.value === value)) return true;
    level = level.flatMap((snapshot) => eventsAt(snapshot).map((event) => step(snapshot, event).next));
  }
  return false;
}
