/**
 * XState 5's charts and snapshots in the JSON that XState 4 reads. Pure.
 *
 * The definition is built from the chart's nodes and not from `machine.definition`, which leaves out `always`.
 * Targets are written as ids, so that no relative path is resolved a second time by other rules.
 */
import { plain } from './plain.ts';
import type { ChartNode, ChartSnapshot, ChartTransition, EventLike } from './xstate5.ts';

/** A transition of a definition as XState 4 writes it: `cond` is its word for a guard. */
interface TransitionJson {
  readonly target?: readonly string[];
  readonly cond?: string;
  readonly actions: readonly string[];
  readonly internal: boolean;
  readonly description?: string;
}

/** A node as an XState 4 machine configuration: `createMachine` of version 4 takes it as it is. */
interface DefinitionJson {
  readonly id: string;
  readonly key: string;
  readonly type: string;
  readonly initial?: string;
  readonly history?: 'shallow' | 'deep';
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly tags: readonly string[];
  readonly description?: string;
  readonly meta?: unknown;
  readonly on: Readonly<Record<string, readonly TransitionJson[]>>;
  readonly always?: readonly TransitionJson[];
  readonly states: Readonly<Record<string, DefinitionJson>>;
}

/** A whole chart; the flag keeps XState 4 from warning in every viewer's console. */
export interface MachineJson extends DefinitionJson {
  readonly predictableActionArguments: true;
}

/** The chart below this root. */
export function machineOf(root: ChartNode): MachineJson {
  return { ...definitionOf(root), predictableActionArguments: true };
}

function definitionOf(node: ChartNode): DefinitionJson {
  const initial = node.initial.target[0]?.key;
  const transition = (taken: ChartTransition) => transitionOf(node, taken);
  return {
    id: node.id,
    key: node.key,
    type: node.type,
    ...(initial === undefined ? {} : { initial }),
    ...(node.history === false ? {} : { history: node.history }),
    entry: node.entry.map(nameOf),
    exit: node.exit.map(nameOf),
    tags: node.tags,
    ...(node.description === undefined ? {} : { description: node.description }),
    ...(node.meta === undefined ? {} : { meta: plain(node.meta) }),
    on: Object.fromEntries([...node.transitions].map(([event, taken]) => [event, taken.map(transition)])),
    ...(node.always === undefined ? {} : { always: node.always.map(transition) }),
    states: Object.fromEntries(Object.entries(node.states).map(([key, child]) => [key, definitionOf(child)])),
  };
}

function transitionOf(source: ChartNode, taken: ChartTransition): TransitionJson {
  const targets = taken.target ?? [];
  return {
    ...(targets.length === 0 ? {} : { target: targets.map((node) => `#${node.id}`) }),
    ...(taken.guard === undefined ? {} : { cond: nameOf(taken.guard) }),
    actions: taken.actions.map(nameOf),
    // Version 5 leaves the source only when told to, version 4 unless told not to: say it where both can mean it.
    internal: !taken.reenter && targets.every((target) => isWithin(target, source)),
    ...(taken.description === undefined ? {} : { description: taken.description }),
  };
}

function isWithin(node: ChartNode, ancestor: ChartNode): boolean {
  return node.parent !== undefined && (node.parent === ancestor || isWithin(node.parent, ancestor));
}

/** The name of an action or guard; combined guards are spelled out, as in `and(hurried, noDowngrade)`. */
function nameOf(action: unknown): string {
  if (typeof action === 'string') return action;
  if (typeof action === 'function') {
    if ('guards' in action && Array.isArray(action.guards)) {
      return `${action.name}(${action.guards.map(nameOf).join(', ')})`;
    }
    return action.name || 'inline';
  }
  if (typeof action === 'object' && action !== null && 'type' in action) return String(action.type);
  return 'inline';
}

/** What XState 4 wraps every event in. `data` must be plain. */
function scxmlOf(data: EventLike) {
  return { name: data.type, data, $$type: 'scxml', type: 'external' } as const;
}

/** An event as plain JSON that has kept its type. */
export function eventOf(event: EventLike): EventLike {
  const rendered = plain(event);
  return { ...(typeof rendered === 'object' ? rendered : {}), type: event.type };
}

/** The snapshot after `event`, in the shape of XState 4's `State` without its methods. */
export function stateOf(
  snapshot: ChartSnapshot,
  event: EventLike,
  sessionId: string,
): Record<string, unknown> {
  const data = eventOf(event);
  return {
    value: snapshot.value,
    context: plain(snapshot.context),
    event: data,
    _event: scxmlOf(data),
    _sessionid: sessionId,
    actions: [],
    activities: {},
    meta: {},
    events: [],
    children: {},
    transitions: [],
    changed: true,
    done: snapshot.status === 'done',
    tags: [...snapshot.tags],
  };
}
