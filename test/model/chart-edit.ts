/**
 * A copy of the lifecycle chart's configuration to be edited: every transition a list of branches, every
 * action a member of a list. An edit that finds nothing to change throws, because a mutant that mutates
 * nothing would count as found for no reason.
 */
import { gatewayMachine } from '../../machines/gateway.ts';
import { parts } from '../../machines/gateway-parts.ts';
import type { GatewayMachine } from './abstract-graph.ts';

interface Branch {
  guard?: unknown;
  target?: string;
  actions?: unknown[];
}

interface StateConfig {
  type?: string;
  output?: unknown;
  entry?: unknown[];
  always?: Branch[];
  on: Record<string, Branch[]>;
  states: Record<string, StateConfig>;
  [more: string]: unknown;
}

export class ChartEdit {
  readonly root: StateConfig;

  constructor() {
    this.root = copied(gatewayMachine.config as unknown as Loose);
  }

  state(path: string): StateConfig {
    let state = this.root;
    for (const name of path === '' ? [] : path.split('.')) state = present(state.states[name], path);
    return state;
  }

  /** The branches of a transition, in order. `always` is the one without an event. */
  on(path: string, event: string): Branch[] {
    const state = this.state(path);
    return present(event === 'always' ? state.always : state.on[event], `${event} in ${path}`);
  }

  branch(path: string, event: string, index = 0): Branch {
    return present(this.on(path, event)[index], `branch ${index} of ${event} in ${path}`);
  }

  /** Takes an action out of a list that must hold it. */
  drop(list: unknown[] | undefined, action: string): void {
    const kept = present(list, action).filter((entry) => nameOf(entry) !== action);
    if (kept.length === list?.length) throw new Error(`no ${action} to drop`);
    list?.splice(0, list.length, ...kept);
  }

  /** The chart as edited. */
  build(): GatewayMachine {
    return parts.createMachine(this.root as never) as unknown as GatewayMachine;
  }

  /** The action as the chart writes it in that list, to be put elsewhere. */
  action(list: unknown[] | undefined, action: string): unknown {
    return present(
      list?.find((entry) => nameOf(entry) === action),
      action,
    );
  }
}

type Loose = Readonly<Record<string, unknown>>;

const nameOf = (action: unknown): unknown =>
  typeof action === 'object' && action !== null && 'type' in action ? action.type : action;

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the chart has no ${what}`);
  return value;
}

const list = (value: unknown): unknown[] =>
  Array.isArray(value) ? [...value] : value === undefined ? [] : [value];

const branches = (value: unknown): Branch[] =>
  list(value).map((branch) => {
    const { actions, ...rest } = (typeof branch === 'string' ? { target: branch } : branch) as Branch;
    return { ...rest, actions: list(actions) };
  });

/** A state node of its own, down to its lists; actions and guards, which nobody edits, are shared. */
function copied(config: Loose): StateConfig {
  const entries = (value: unknown) => Object.entries((value ?? {}) as Loose);
  const copy: StateConfig = {
    ...config,
    on: Object.fromEntries(entries(config.on).map(([event, value]) => [event, branches(value)])),
    states: Object.fromEntries(entries(config.states).map(([name, state]) => [name, copied(state as Loose)])),
  };
  if (config.entry !== undefined) copy.entry = list(config.entry);
  if (config.always !== undefined) copy.always = branches(config.always);
  return copy;
}
