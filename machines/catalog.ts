/**
 * All charts, and every transition of each by a name of its own: what the drawings, the tables and the live
 * page are made from. A transition's id follows from where it stands in the chart, so the one that a running
 * actor took (in its inspection events) and the one that was drawn are the same without a list beside the chart.
 */
import type { AnyStateMachine, AnyTransitionDefinition } from 'xstate';
import { connectionMachine } from './connection.ts';
import { gatewayMachine } from './gateway.ts';

/** The charts by name: of the process, and of each platform's link. */
export const catalog = { gateway: gatewayMachine, connection: connectionMachine } as const satisfies Record<
  string,
  AnyStateMachine
>;

export interface TransitionInfo {
  /** `SOURCE|EVENT|N`: the N-th candidate (from 0) of that event in that state; the root is `(root)`. */
  readonly id: string;
  /** Dotted path of the state that has it, '' for the root. */
  readonly from: string;
  /** Dotted path of its target; null when it stays where it is. */
  readonly to: string | null;
  /** The event's type, or `always`. */
  readonly event: string;
  /** The guard in words: `restarts & idle`. */
  readonly guard: string | null;
  /** Names of its own actions in order, without those of entry and exit. */
  readonly actions: readonly string[];
}

/** The states of a chart, parents before children, in the order they are written; the first is the root. */
export function statesOf(machine: AnyStateMachine): AnyStateMachine['root'][] {
  const below = (node: AnyStateMachine['root']): AnyStateMachine['root'][] => [
    node,
    ...Object.values(node.states).flatMap(below),
  ];
  return below(machine.root);
}

/** A chart as data: what a drawing of it, or a reader of its events, has to know. JSON, and the same at each call. */
export interface ChartDefinition {
  /** Its states, parents before children; the first is the root, whose path is ''. */
  readonly states: readonly StateInfo[];
  readonly edges: readonly TransitionInfo[];
}

export interface StateInfo {
  /** Dotted path. */
  readonly path: string;
  readonly type: AnyStateMachine['root']['type'];
  /** Dotted path of the child that is entered first; null where there is none. */
  readonly initial: string | null;
}

/** The definition of a chart: its states, and its edges by the ids under which they are taken. */
export function definitionOf(machine: AnyStateMachine): ChartDefinition {
  const states = statesOf(machine).map((node): StateInfo => {
    const first = node.initial?.target?.[0];
    return { path: pathOf(node), type: node.type, initial: first === undefined ? null : pathOf(first) };
  });
  return { states, edges: transitionsOf(machine) };
}

/** Every transition of every state, `always` included, in the order they are written. */
export function transitionsOf(machine: AnyStateMachine): TransitionInfo[] {
  return statesOf(machine).flatMap((node) =>
    [...(node.always ?? []), ...[...node.transitions.values()].flat()].map(infoOf),
  );
}

/**
 * The id of a transition as an `@xstate.microstep` inspection event carries it in `_transitions`; it is the same
 * for every `provide`d copy of the chart. Never throws, for it is called while the actor runs: a transition that its
 * source does not list (xstate's own) gets the number -1, which no listed id has.
 */
export function transitionIdOf(transition: AnyTransitionDefinition): string {
  const { source, eventType } = transition;
  const candidates = eventType === '' ? source.always : source.transitions.get(eventType);
  const index = candidates?.indexOf(transition) ?? -1;
  return `${pathOf(source) || '(root)'}|${eventType || 'always'}|${index}`;
}

/** The dotted path of a state; '' for the root. */
export function pathOf(node: { readonly path: readonly string[] }): string {
  return node.path.join('.');
}

function infoOf(transition: AnyTransitionDefinition): TransitionInfo {
  const target = transition.target?.[0];
  return {
    id: transitionIdOf(transition),
    from: pathOf(transition.source),
    to: target === undefined ? null : pathOf(target),
    event: transition.eventType || 'always',
    guard: transition.guard === undefined ? null : guardName(transition.guard),
    actions: transition.actions.map(actionName),
  };
}

/** How xstate's combined guards read; each carries its parts in `guards`. */
const JOINTS: Readonly<Record<string, string>> = { and: ' & ', or: ' | ' };

function guardName(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'object' && guard !== null && 'type' in guard) return String(guard.type);
  if (typeof guard !== 'function') return '?';
  const parts = 'guards' in guard && Array.isArray(guard.guards) ? guard.guards.map(guardName) : [];
  if (guard.name === 'not') return `not ${parts.join()}`;
  return parts.length > 0 ? parts.join(JOINTS[guard.name] ?? ' ') : guard.name;
}

function actionName(action: unknown): string {
  if (typeof action === 'string') return action;
  if (typeof action === 'object' && action !== null && 'type' in action) return String(action.type);
  return typeof action === 'function' ? action.name : '?';
}
