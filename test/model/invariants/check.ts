/**
 * What must hold for every (state, event) of the lifecycle chart, as named checks over a search of it. The
 * tables of the oracle are among them. They are functions of a machine, so that the mutation gate can show
 * that they bite.
 */
import { IS_SIGNAL } from '../../support/lifecycle-oracle.ts';
import {
  type AbstractGraph,
  canReach,
  explore,
  type GatewayMachine,
  type Step,
  type Stimulus,
} from '../abstract-graph.ts';
import { course, effects } from './course.ts';
import { deadlines } from './deadlines.ts';
import { messages, workSet } from './messages.ts';
import { requests } from './requests.ts';
import { type Checks, isIn } from './steps.ts';

export interface Violation {
  readonly invariant: string;
  readonly detail: string;
}

/** Every invariant, by its sentence. */
export const INVARIANTS: Checks = {
  ...messages,
  ...workSet,
  ...requests,
  ...deadlines,
  ...effects,
  ...course,
};

/**
 * Invariants of the whole graph rather than of a step, by their sentences. Each returns what violates it. They know
 * nothing of the chart's context, so that what it forgets cannot hide from them.
 */
export const ALWAYS_ENDS = 'every state can reach exited without a failure';
export const SIGNALS_STAND =
  'once a signal has asked for a stop or restart, no sequence of events leads back to running';

const COURSES: Readonly<
  Record<string, (graph: AbstractGraph, stimuli: readonly Stimulus[]) => readonly string[]>
> = {
  [ALWAYS_ENDS]: (graph) => {
    const ends = canReach(graph, (path) => path === 'exited', 'fatal');
    return [...graph.nodes.keys()].filter((key) => !ends.has(key));
  },
  [SIGNALS_STAND]: (graph, stimuli) => {
    const runs = canReach(graph, (path) => isIn(path, 'running'));
    return [...graph.nodes.values()].flatMap(({ key, path, context, edges }) =>
      stimuli
        .filter(({ events }) => events(context, path).some(isAskedBySignal))
        .filter(({ name }) => runs.has(edges.get(name) ?? ''))
        .map(({ name }) => `${name} in ${key}`),
    );
  },
};

const isAskedBySignal = (event: Step['event']): boolean =>
  event.type === 'stop.requested' && IS_SIGNAL[event.cause];

/**
 * Searches `machine` under `stimuli` and returns what it violates, beside how much was searched. The search
 * ends with the step at which `limit` findings are reached. Throws where XState itself does, or where the chart
 * is in a state that the tables do not know.
 */
export function checkInvariants(
  machine: GatewayMachine,
  stimuli: readonly Stimulus[],
  limit = 100,
): { violations: Violation[]; states: number; edges: number } {
  const violations: Violation[] = [];
  const checks = Object.entries(INVARIANTS);
  const graph = explore(machine, stimuli, (step) => {
    for (const [invariant, check] of checks) {
      const wrong = check(step);
      if (wrong !== null) violations.push({ invariant, detail: `${describe(step)}: ${wrong}` });
    }
    return violations.length < limit;
  });
  if (violations.length < limit) {
    for (const [invariant, wrongIn] of Object.entries(COURSES)) {
      for (const detail of wrongIn(graph, stimuli)) violations.push({ invariant, detail });
    }
  }
  return { violations, states: graph.nodes.size, edges: graph.edgeCount };
}

const describe = ({ from, event, before }: Step): string =>
  `${JSON.stringify(event)} in ${from} [${before.request?.cause ?? ''}]`;
