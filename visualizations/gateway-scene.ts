/**
 * The gateway's chart as a scene: the machine, its hand-written lines and the two plans brought together, and checked
 * against one another. Throws, naming every fault, rather than giving a picture that lies or that cannot be read.
 */
import type { AnyStateMachine } from 'xstate';
import { catalog, pathOf, statesOf, transitionsOf } from '../machines/catalog.ts';
import { admissionTable, everywhere } from './admission-table.ts';
import { GATEWAY_LEGEND, GATEWAY_LINES, GATEWAY_NOTES } from './gateway-lines.ts';
import { layOut } from './layout.ts';
import { NARROW, WIDE } from './layout-plan.ts';
import { wrongLines } from './line-check.ts';
import { overlaps } from './overlaps.ts';
import type { EdgeMeta, Scene, SceneFile, SceneNode } from './scene.ts';
import { NARROW_PARTS, WIDE_PARTS } from './state-parts.ts';

export async function gatewayScene(): Promise<SceneFile> {
  const machine = catalog.gateway;
  const admission = admissionTable();
  const wide = marked(await layOut(WIDE, GATEWAY_LINES), machine, GATEWAY_LINES);
  const narrow = marked(await layOut(NARROW, GATEWAY_LINES), machine, GATEWAY_LINES);
  const faults = [
    ...wrongLines(machine, GATEWAY_LINES, GATEWAY_LEGEND),
    ...wrongStates(machine, wide),
    ...wrongStates(machine, narrow),
    ...overlaps(wide, admission, WIDE_PARTS).map((fault) => `wide: ${fault}`),
    ...overlaps(narrow, admission, NARROW_PARTS).map((fault) => `narrow: ${fault}`),
  ];
  if (faults.length > 0) throw new Error(`the drawing of the gateway is wrong:\n  ${faults.join('\n  ')}`);
  return {
    chart: 'gateway',
    wide,
    narrow,
    edges: GATEWAY_LINES,
    transitions: transitionsOf(machine),
    everywhere: everywhere(),
    admission,
  };
}

/** States of the chart that a scene does not show, or shows without the chart having them. */
export function wrongStates(machine: AnyStateMachine, scene: Scene): string[] {
  const drawn = scene.nodes.map(({ id }) => id);
  const known = statesOf(machine)
    .map(pathOf)
    .filter((path) => path !== '');
  return [
    ...known.filter((id) => !drawn.includes(id)).map((id) => `the state ${id} is not drawn`),
    ...drawn.filter((id) => !known.includes(id)).map((id) => `the chart has no state ${id}`),
  ];
}

/** Adds what the chart says of a state besides its place. */
function marked(scene: Scene, machine: AnyStateMachine, lines: readonly EdgeMeta[]): Scene {
  const entered = statesOf(machine).filter((node) => isEntered(pathOf(node), machine, lines));
  const initial = entered.flatMap((node) =>
    Object.keys(node.states).length > 0 ? node.initial.target.map(pathOf) : [],
  );
  const final = statesOf(machine)
    .filter(({ type }) => type === 'final')
    .map(pathOf);
  return {
    ...scene,
    nodes: scene.nodes.map((node): SceneNode => {
      const note = GATEWAY_NOTES[node.id];
      return {
        ...node,
        ...(initial.includes(node.id) ? { initial: true } : {}),
        ...(final.includes(node.id) ? { final: true } : {}),
        ...(note === undefined ? {} : { note }),
      };
    }),
  };
}

/** Whether a line to this phase enters it as such, and so its initial state. */
function isEntered(phase: string, machine: AnyStateMachine, lines: readonly EdgeMeta[]): boolean {
  return transitionsOf(machine).some(
    ({ id, to }) => to === phase && lines.some((line) => line.to === phase && line.transitions.includes(id)),
  );
}
