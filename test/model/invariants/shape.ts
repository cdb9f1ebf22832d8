/**
 * What may not stand in the chart at all, whether an event ever gets there or not: these are the ways in
 * which the rules for machines and the one place of control and exec would be broken by a later hand.
 */
import type { GatewayMachine } from '../abstract-graph.ts';
import type { Violation } from './check.ts';

/** What a state node may look like; XState's own type leaves out what we look for. */
interface Node {
  readonly path: readonly string[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly states: Readonly<Record<string, Node>>;
}

const ONLY_AT_THE_ROOT: readonly string[] = ['message.control', 'message.exec'];
const FINAL: readonly string[] = ['exited'];

/** Walks all state nodes of `machine`. Empty when the chart keeps to its shape. */
export function checkShape(machine: GatewayMachine): Violation[] {
  return nodesOf(machine.root as unknown as Node).flatMap((node) =>
    wrongIn(node).map((invariant) => ({ invariant, detail: node.path.join('.') || 'the root' })),
  );
}

const nodesOf = (node: Node): Node[] => [node, ...Object.values(node.states).flatMap(nodesOf)];

function wrongIn({ path, config }: Node): string[] {
  const named = Object.keys(config.on ?? {});
  const wrong: string[] = [];
  if (named.some((event) => event.includes('*'))) wrong.push('no wildcard events');
  if (path.length > 0 && named.some((event) => ONLY_AT_THE_ROOT.includes(event))) {
    wrong.push('control and exec stand once, at the root');
  }
  if (path.length === 0 && !ONLY_AT_THE_ROOT.every((event) => named.includes(event))) {
    wrong.push('control and exec stand at the root');
  }
  if ('invoke' in config) wrong.push('no invoke');
  if ('after' in config) wrong.push('no timers of XState');
  if ((config.type === 'final') !== FINAL.includes(path.join('.'))) wrong.push('only exited is final');
  if (config.type === 'parallel' || config.type === 'history') wrong.push('one state at a time');
  return wrong;
}
