/**
 * The lifecycle chart as a finite graph, found by breadth-first search with XState's pure `transition`.
 *
 * Two snapshots are one node when nothing a later event can ask for tells them apart: state path, request,
 * failure, work, raised reasons, and which deadlines are armed. Serials only ever compare for equality, so a
 * stimulus names its serial as "the armed one" or "a stale one" and the number itself stays out of the key.
 * Each node keeps the first snapshot that reached it; the tour checks that every other one behaves alike.
 */
import { initialTransition, type SnapshotFrom, transition } from 'xstate';
import { statePath } from '../../machines/admission.ts';
import type { DeadlineName, LifecycleEvent, Refusal, Verdict } from '../../machines/events.ts';
import type { gatewayMachine } from '../../machines/gateway.ts';
import type { GatewayContext } from '../../machines/gateway-parts.ts';

export type GatewayMachine = typeof gatewayMachine;
type Snapshot = SnapshotFrom<GatewayMachine>;

/** The effects of the chart that carry nothing. */
const BARE_EFFECTS = [
  'takeUpHeld',
  'holdUnstarted',
  'abortStart',
  'interruptWork',
  'killCommands',
  'stopDeadlines',
  'flush',
  'stopReceiving',
  'askWhetherClosed',
] as const;

/** Every effect the chart may ask the world for. */
export const EFFECTS = ['dispatch', 'hold', 'refuse', 'answer', 'startDeadline', ...BARE_EFFECTS] as const;

/** What the chart asked the world to do. */
export type Effect =
  | { readonly type: 'dispatch' | 'hold'; readonly params: { readonly id: string } }
  | { readonly type: 'refuse'; readonly params: { readonly id: string } & Refusal }
  | { readonly type: 'answer'; readonly params: { readonly requestId: string; readonly verdict: Verdict } }
  | { readonly type: 'startDeadline'; readonly params: DeadlineStart }
  | { readonly type: (typeof BARE_EFFECTS)[number] };

interface DeadlineStart {
  readonly deadline: DeadlineName;
  readonly serial: number;
  readonly closing: boolean;
}

/** One event and what it did. */
export interface Step {
  readonly from: string;
  readonly event: LifecycleEvent;
  readonly to: string;
  readonly before: GatewayContext;
  readonly after: GatewayContext;
  readonly effects: readonly Effect[];
  /** What the final state leaves with; undefined while the gateway works. */
  readonly output: Snapshot['output'];
}

/** Something that can happen to a gateway. */
export interface Stimulus {
  readonly name: string;
  /** The events it comes as, sent one after another; none where it cannot happen. */
  readonly events: (context: GatewayContext, path: string) => readonly LifecycleEvent[];
}

export interface GraphNode {
  readonly key: string;
  /** Dotted path of the state. */
  readonly path: string;
  readonly context: GatewayContext;
  /** Stimulus name → key of the node it leads to. */
  readonly edges: Map<string, string>;
}

export interface AbstractGraph {
  readonly start: string;
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly edgeCount: number;
}

/** More nodes than this mean that the abstraction has become infinite, not that the chart grew. */
const NODES_MAX = 20_000;

/** Which snapshots count as one node. */
export type Abstraction = (path: string, context: GatewayContext) => string;

/** All that any event can ask for. */
export const exactly: Abstraction = (path, context) =>
  [
    path,
    requestKey(context),
    context.failure?.kind ?? '-',
    [...context.turns, ...context.commands].sort().join(),
    [...context.degraded].sort().join(),
    Object.entries(context.deadlines)
      .filter(([, serial]) => serial !== null)
      .map(([name]) => name)
      .join(),
  ].join(' | ');

/** Whether a signal asks for it, first or as well: no event asks which. */
const requestKey = ({ request }: GatewayContext): string =>
  request === null
    ? '-'
    : `${request.intent}/${request.cause}${request.signal === null ? '' : ' with a signal'}`;

/** For a system whose deadlines nobody fires by hand and where only people ask: what remains then. */
export const coarsely: Abstraction = (path, { request, turns, commands, degraded }) =>
  [path, request?.intent ?? '-', `${turns.size} turns`, `${commands.size} commands`, degraded.join()].join(
    ' | ',
  );

/**
 * Everything reachable from a boot under `stimuli`. `onStep` sees every single event that is tried, and ends
 * the search by returning false.
 */
export function explore(
  machine: GatewayMachine,
  stimuli: readonly Stimulus[],
  onStep: (step: Step) => boolean = () => true,
  abstraction: Abstraction = exactly,
): AbstractGraph {
  const [boot] = initialTransition(machine, { supervisor: 'none' });
  const nodes = new Map<string, GraphNode>();
  const snapshots: Snapshot[] = [];
  const add = (snapshot: Snapshot): string => {
    const path = statePath(snapshot);
    const key = abstraction(path, snapshot.context);
    if (!nodes.has(key)) {
      if (nodes.size === NODES_MAX) throw new Error(`more than ${NODES_MAX} states: ${key}`);
      nodes.set(key, { key, path, context: snapshot.context, edges: new Map() });
      snapshots.push(snapshot);
    }
    return key;
  };
  const start = add(boot);
  let edgeCount = 0;
  for (let next = 0; next < snapshots.length; next += 1) {
    const snapshot = snapshots[next] as Snapshot;
    if (snapshot.status !== 'active') continue;
    const node = nodes.get(add(snapshot)) as GraphNode;
    for (const stimulus of stimuli) {
      const events = stimulus.events(snapshot.context, node.path);
      if (events.length === 0) continue;
      let now: Snapshot = snapshot;
      for (const event of events) {
        const [step, after] = take(machine, now, event);
        if (!onStep(step)) return { start, nodes, edgeCount };
        now = after;
      }
      node.edges.set(stimulus.name, add(now));
      edgeCount += 1;
    }
  }
  return { start, nodes, edgeCount };
}

function take(machine: GatewayMachine, before: Snapshot, event: LifecycleEvent): [Step, Snapshot] {
  const [after, actions] = transition(machine, before, event);
  const step: Step = {
    from: statePath(before),
    event,
    to: statePath(after),
    before: before.context,
    after: after.context,
    effects: actions as unknown as readonly Effect[],
    output: after.output,
  };
  return [step, after];
}

/** The keys of all nodes from which a node whose path is `wanted` can be reached, if need be without one stimulus. */
export function canReach(
  graph: AbstractGraph,
  wanted: (path: string) => boolean,
  without?: string,
): ReadonlySet<string> {
  const into = new Map<string, string[]>();
  for (const node of graph.nodes.values()) {
    for (const [name, to] of node.edges) {
      if (name === without) continue;
      const sources = into.get(to) ?? [];
      sources.push(node.key);
      into.set(to, sources);
    }
  }
  const found = new Set([...graph.nodes.values()].filter(({ path }) => wanted(path)).map(({ key }) => key));
  for (const key of found) for (const source of into.get(key) ?? []) found.add(source);
  return found;
}
