/**
 * The walks that a driver of the running daemon takes: every reachable (state, stimulus) pair of the `DAEMON`
 * alphabet. Decisions and verdicts come from the oracle; the state path is the chart's, which the other tests
 * hold against the oracle.
 */
import type { Admission, Verdict } from '../../machines/events.ts';
import { gatewayMachine } from '../../machines/gateway.ts';
import { type AbstractGraph, coarsely, explore, type GraphNode, type Stimulus } from './abstract-graph.ts';
import { DAEMON } from './alphabets.ts';
import { expectedDecision } from './invariants/messages.ts';
import { expectedAnswer } from './invariants/requests.ts';
import { isMessage, isRequest } from './invariants/steps.ts';
import { tour } from './tour.ts';

export interface DaemonStep {
  /** Names the state, with all that tells it apart, and the stimulus: what coverage counts. */
  readonly pair: string;
  /** Name of the stimulus in `DAEMON`. */
  readonly event: string;
  /** What a message must meet; null when the step is none. */
  readonly decision: Admission | null;
  /** What a request must be answered with; null when the step is none. */
  readonly verdict: Verdict | null;
  /** The state path that follows, once all of the step is over. */
  readonly state: string;
}

export interface DaemonTour {
  /** Each begins with a fresh boot, in `starting`. */
  readonly walks: readonly (readonly DaemonStep[])[];
  /** States, and pairs of state and stimulus, that can be reached. */
  readonly states: number;
  readonly pairs: number;
}

export function daemonTour(): DaemonTour {
  const graph = explore(gatewayMachine, DAEMON, undefined, coarsely);
  const stimuli = new Map(DAEMON.map((stimulus) => [stimulus.name, stimulus]));
  const walks = tour(graph).map((walk) =>
    walk.map(({ from, event, to }) => {
      const stimulus = stimuli.get(event);
      if (stimulus === undefined) throw new Error(`${event} is not in the alphabet`);
      const expectation = expectationOf(nodeAt(graph, from), stimulus);
      return { pair: `${from} × ${event}`, event, ...expectation, state: nodeAt(graph, to).path };
    }),
  );
  return { walks, states: graph.nodes.size, pairs: graph.edgeCount };
}

function expectationOf(node: GraphNode, stimulus: Stimulus): Pick<DaemonStep, 'decision' | 'verdict'> {
  const [event] = stimulus.events(node.context, node.path);
  const at = { from: node.path, before: node.context };
  if (event === undefined) throw new Error(`${stimulus.name} cannot happen in ${node.key}`);
  return {
    decision: isMessage(event) ? expectedDecision(at, event) : null,
    verdict: isRequest(event) ? expectedAnswer({ ...at, event })[0] : null,
  };
}

function nodeAt(graph: AbstractGraph, key: string): GraphNode {
  const node = graph.nodes.get(key);
  if (node === undefined) throw new Error(`no node ${key}`);
  return node;
}
