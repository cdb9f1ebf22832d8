import { describe, expect, test } from 'vitest';
import { initialTransition, transition } from 'xstate';
import { acceptsOf, admissionOf, type GatewaySnapshot, statePath } from '../../machines/admission.ts';
import type { LifecycleEvent, MessageEvent } from '../../machines/events.ts';
import { gatewayMachine } from '../../machines/gateway.ts';
import { alias, control, exec, turn } from '../model/alphabets.ts';
import {
  ADMISSION,
  type AdmissionRow,
  COLUMNS,
  type Column,
  LEAF_STATES,
} from '../support/lifecycle-oracle.ts';
import { routesTo } from '../support/lifecycle-routes.ts';
import { boot, recording } from '../support/recording-gateway.ts';

const MESSAGES: Readonly<Record<Column, (agent: string) => MessageEvent>> = {
  control: () => control('new'),
  exec: () => exec('new'),
  alias: () => alias('new'),
  turn: (agent) => turn('new', agent, 'interrupt'),
  queued: (agent) => turn('new', agent, 'queue'),
};

const recorded = recording(gatewayMachine);

function gatewayIn(row: AdmissionRow, route: readonly LifecycleEvent[]) {
  const gateway = boot(recorded);
  for (const event of route) gateway.send(event);
  expect(gateway.path()).toBe(row.state);
  return gateway;
}

const named = ({ state, degraded, agent }: AdmissionRow) =>
  degraded === null ? state : `${state}, ${degraded.join(' and ')} raised, for agent ${agent}`;

describe.each(ADMISSION.map((row) => ({ name: named(row), row })))('$name', ({ row }) => {
  test.each(COLUMNS.map((column) => ({ column, admission: row[column] })))(
    '$column: $admission, whatever the way in',
    ({ column, admission }) => {
      const message = MESSAGES[column](row.agent ?? 'default');
      for (const route of routesTo(row.state, row.degraded)) {
        const { effects } = gatewayIn(row, route).send(message);
        expect(effects).toHaveLength(1);
        expect(effects[0]).toMatchObject({ type: admission, params: { id: 'new' } });
      }
    },
  );

  test('a steering turn is admitted as an interrupting one', () => {
    for (const route of routesTo(row.state, row.degraded)) {
      const { effects } = gatewayIn(row, route).send(turn('new', row.agent ?? 'default', 'steer'));
      expect(effects.map(({ type }) => type)).toEqual([row.turn]);
    }
  });

  test('what the gateway says it accepts is what the table says', () => {
    for (const route of routesTo(row.state, row.degraded)) {
      const snapshot = gatewayIn(row, route).actor.getSnapshot();
      const { control, exec, alias, turn, queued } = row;
      const agent = row.agent ?? 'default';
      expect(acceptsOf(snapshot, agent, 'interrupt')).toEqual({ control, exec, alias, turn });
      expect(acceptsOf(snapshot, agent, 'queue')).toEqual({ control, exec, alias, turn: queued });
    }
  });
});

test('the table has a row for every state', () => {
  expect([...new Set(ADMISSION.map(({ state }) => state))]).toEqual([...LEAF_STATES]);
});

test('asking what is admitted tells the chart nothing', () => {
  const [booted] = initialTransition(gatewayMachine, { supervisor: 'none' });
  const [running] = transition(gatewayMachine, booted, { type: 'started' });
  expect(admissionOf(running as GatewaySnapshot, turn('t1'))).toBe('dispatch');
  expect(running.context.turns.size).toBe(0);
});

test('a chart that has ended admits nothing: its actor is stopped, and what is sent to it vanishes', () => {
  const failure = { kind: 'fault', message: 'an action threw' } as const;
  const gateway = boot(recorded);
  gateway.send({ type: 'fatal', failure });
  gateway.send({ type: 'fatal', failure });
  expect(gateway.path()).toBe('exited');
  expect(gateway.send(control('new')).effects).toEqual([]);
  expect(acceptsOf(gateway.actor.getSnapshot(), 'default', 'queue')).toEqual({
    control: 'refuse',
    exec: 'refuse',
    alias: 'refuse',
    turn: 'refuse',
  });
});

test('a state path is dotted, as status and journal show it', () => {
  expect(statePath({ value: 'starting' })).toBe('starting');
  expect(statePath({ value: { draining: 'waiting' } })).toBe('draining.waiting');
});
