/**
 * What must hold for every (state, event) of the lifecycle chart, as named checks over a search of it. The
 * tables of the oracle are among them. They are functions of a machine, so that the mutation gate can show
 * that they bite.
 */
import { canReach, explore, type GatewayMachine, type Step, type Stimulus } from '../abstract-graph.ts';
import { course, effects } from './course.ts';
import { deadlines } from './deadlines.ts';
import { messages, workSet } from './messages.ts';
import { requests } from './requests.ts';
import type { Checks } from './steps.ts';

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

/** An invariant of the whole graph rather than of a step. */
export const ALWAYS_ENDS = 'every state can reach exited without a failure';

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
    const ends = canReach(graph, 'exited', 'fatal');
    for (const { key } of graph.nodes.values()) {
      if (!ends.has(key)) violations.push({ invariant: ALWAYS_ENDS, detail: key });
    }
  }
  return { violations, states: graph.nodes.size, edges: graph.edgeCount };
}

const describe = ({ from, event, before }: Step): string =>
  `${JSON.stringify(event)} in ${from} [${before.request?.cause ?? ''}]`;
