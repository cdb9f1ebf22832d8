import { expect, test } from 'vitest';
import { gatewayMachine } from '../../machines/gateway.ts';
import { LEAF_STATES } from '../support/lifecycle-oracle.ts';
import { boot, recording } from '../support/recording-gateway.ts';
import { canReach, exactly, explore, type Stimulus } from './abstract-graph.ts';
import { WIDE } from './alphabets.ts';
import { daemonTour } from './daemon-walks.ts';
import { INVARIANTS } from './invariants/check.ts';
import { tour, type Walk } from './tour.ts';

/** Fewer means that the search has gone blind, and a tour of little proves little. */
const STATES_MIN = 2_000;

/** Boots of a daemon that fit into the time its tour has. */
const DAEMON_WALKS_MAX = 100;

const pairs = (walks: readonly Walk[]) => new Set(walks.flat().map(({ from, event }) => `${from} ${event}`));

/** Takes `walks` on real actors; returns what differs from the graph, or from any invariant and the oracle. */
function drive(stimuli: readonly Stimulus[], walks: readonly Walk[]): string[] {
  const byName = new Map(stimuli.map((stimulus) => [stimulus.name, stimulus]));
  const checks = Object.entries(INVARIANTS);
  const provided = recording(gatewayMachine);
  const wrong: string[] = [];
  for (const walk of walks) {
    const gateway = boot(provided);
    for (const { from, event: name, to } of walk) {
      const { context } = gateway.actor.getSnapshot();
      for (const event of byName.get(name)?.events(context, gateway.path()) ?? []) {
        const step = gateway.send(event);
        for (const [invariant, check] of checks) {
          const found = check(step);
          if (found !== null) wrong.push(`${name} in ${from}: ${invariant}: ${found}`);
        }
      }
      const reached = exactly(gateway.path(), gateway.actor.getSnapshot().context);
      if (reached !== to) wrong.push(`${name} in ${from} leads to ${reached}, not ${to}`);
    }
    gateway.actor.stop();
  }
  return wrong;
}

test('a running chart takes every reachable (state, event) pair as tables, invariants and search say', () => {
  const graph = explore(gatewayMachine, WIDE);
  const walks = tour(graph);
  const events = walks.reduce((sum, walk) => sum + walk.length, 0);
  const covered = pairs(walks).size;
  console.log(
    `tour: ${graph.nodes.size} states, ${covered}/${graph.edgeCount} pairs, ${walks.length} walks, ${events} events`,
  );

  expect(graph.nodes.size).toBeGreaterThan(STATES_MIN);
  expect(canReach(graph, (path) => path === 'exited', 'fatal').size).toBe(graph.nodes.size);
  expect(drive(WIDE, walks)).toEqual([]);
  expect(covered).toBe(graph.edgeCount);
});

test('the walks for a daemon take every pair of its alphabet, in few enough boots', () => {
  const { walks } = daemonTour();
  const events = walks.reduce((sum, walk) => sum + walk.length, 0);
  console.log(`daemon tour: ${walks.length} walks, ${events} events`);

  const met = new Map<string, Set<string>>();
  for (const walk of walks) {
    let state = 'starting';
    for (const step of walk) {
      met.set(state, (met.get(state) ?? new Set()).add(step.event));
      state = step.state;
    }
  }
  const everywhere = ['control', 'exec', 'alias', 'turn', 'turn, queued'].concat([
    'stop',
    'stop, hurried',
    'restart',
    'restart, hurried',
    'drain',
    'cancel',
  ]);
  expect([...met.keys()].sort()).toEqual([...LEAF_STATES].sort());
  for (const [state, names] of met) {
    expect(
      everywhere.filter((name) => !names.has(name)),
      state,
    ).toEqual([]);
  }
  expect(walks.length).toBeLessThanOrEqual(DAEMON_WALKS_MAX);
});
