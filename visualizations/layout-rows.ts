/**
 * The inner level of the layout: the states of a phase in a row, with room between them for the labels of their
 * lines, and the straight lines that need no routing. Pure.
 */
import type { Plan } from './layout-plan.ts';
import type { Box, EdgeMeta, SceneEdge, SceneLabel, SceneNode } from './scene.ts';
import type { Point } from './svg-path.ts';

/** A box of the outer level: a phase with its states in its own frame, or a state that stands alone. */
export interface Phase {
  readonly id: string;
  readonly w: number;
  readonly h: number;
  readonly states: readonly SceneNode[];
}

/** Room on both sides of a label's text together. */
const LABEL_MARGIN_PX = 8;

/** How far above a line a label stands that does not cut it. */
const ABOVE_PX = 2;

/** The name under which a plan knows a line. */
export const nameOf = ({ from, to }: Pick<EdgeMeta, 'from' | 'to'>): string => `${from} → ${to}`;

/** The phase that a state stands in; null for one of the outer level. */
export const phaseOf = (id: string): string | null =>
  id.includes('.') ? (id.split('.', 1)[0] ?? null) : null;

/** The label of a line in this plan, '' where it is left out. */
export function labelOf(plan: Plan, line: EdgeMeta): string {
  const own = plan.labels[nameOf(line)];
  return own === undefined ? line.label : (own ?? '');
}

export function labelWidth(plan: Plan, text: string): number {
  return Math.ceil(text.length * plan.charPx) + LABEL_MARGIN_PX;
}

/** The boxes of the outer level; all rows of phases get the width of the widest. */
export function phasesOf(plan: Plan, lines: readonly EdgeMeta[]): Phase[] {
  const tight = plan.rows.map((row) => row.map((id) => tightPhase(plan, id, lines)));
  const gaps = (row: readonly Phase[]) => (row.length - 1) * plan.besideGapPx;
  const width = Math.max(...tight.map((row) => gaps(row) + row.reduce((sum, phase) => sum + phase.w, 0)));
  const [upper, lower] = plan.aligned;
  const all = tight.flat();
  const shift = middleIn(all, lower) - middleIn(all, upper);
  return tight.flatMap((row) =>
    row.map((phase) => {
      if (phase.states.length === 0) return phase;
      const dx = phase.id === phaseOf(upper) ? Math.max(0, shift) : 0;
      return {
        ...phase,
        w: (width - gaps(row)) / row.length,
        states: phase.states.map((state) => ({ ...state, x: state.x + dx })),
      };
    }),
  );
}

/** The x of a state's middle in its phase's frame. */
export function middleIn(phases: readonly Phase[], id: string): number {
  const state = phases.flatMap(({ states }) => states).find((candidate) => candidate.id === id);
  if (state === undefined) throw new Error(`the plan places no state ${id}`);
  return state.x + state.w / 2;
}

function tightPhase(plan: Plan, id: string, lines: readonly EdgeMeta[]): Phase {
  const names = plan.phases[id];
  if (names === undefined) {
    const [w, h] = sizeIn(plan, id);
    return { id, w, h, states: [] };
  }
  const states: SceneNode[] = [];
  for (const name of names) {
    const before = states.at(-1);
    const child = `${id}.${name}`;
    const x =
      before === undefined ? plan.phasePadPx : before.x + before.w + gapIn(plan, before.id, child, lines);
    const [w, h] = sizeIn(plan, name);
    states.push({ id: child, x, y: plan.phaseHeadPx, w, h, child: true });
  }
  const right = Math.max(...states.map((state) => state.x + state.w));
  const bottom = Math.max(...states.map((state) => state.y + state.h));
  return { id, w: right + plan.phasePadPx, h: bottom + plan.phasePadPx, states };
}

function gapIn(plan: Plan, left: string, right: string, lines: readonly EdgeMeta[]): number {
  const labels = lines
    .filter(({ from, to }) => (from === left && to === right) || (from === right && to === left))
    .map((line) => labelOf(plan, line))
    .map((text) => (text === '' ? 0 : labelWidth(plan, text)));
  return Math.max(0, ...labels) + 2 * plan.gapPx;
}

function sizeIn(plan: Plan, name: string): readonly [number, number] {
  const size = plan.sizes[name];
  if (size === undefined) throw new Error(`the plan has no size for ${name}`);
  return size;
}

/**
 * A line that is straight and level: between neighbours in a row, or from a phase's border to its own last state.
 * Of two that run against each other, the one to the left is the upper. Throws when the ends do not face each other.
 */
export function straightEdge(
  plan: Plan,
  line: EdgeMeta,
  lines: readonly EdgeMeta[],
  nodes: readonly SceneNode[],
): SceneEdge {
  const from = nodeIn(nodes, line.from);
  const to = nodeIn(nodes, line.to);
  if (phaseOf(to.id) === from.id) {
    const y = to.y + to.h / 2;
    return withLabelOn(plan, line, [from.x + from.w, y], [to.x + to.w, y]);
  }
  if (phaseOf(from.id) !== phaseOf(to.id) || from.y !== to.y) {
    throw new Error(`${nameOf(line)} is no line within a row, and the plan has no route for it`);
  }
  const leftwards = to.x < from.x;
  const [startX, endX] = leftwards ? [from.x, to.x + to.w] : [from.x + from.w, to.x];
  if (from.c === true) {
    // Level with the states inside, so that it goes on where their line ends; its label would fill the gap.
    const inside = nodes.find((node) => phaseOf(node.id) === from.id) ?? from;
    const y = inside.y + inside.h / 2;
    const edge = withLabelOn(plan, line, [startX, y], [endX, y]);
    return edge.l ? { ...edge, l: { ...edge.l, y: y - edge.l.h - ABOVE_PX } } : edge;
  }
  const paired = lines.some((other) => other.from === line.to && other.to === line.from);
  const y = from.y + from.h * (paired ? (leftwards ? 0.25 : 0.75) : 0.5);
  return withLabelOn(plan, line, [startX, y], [endX, y]);
}

/** A level line with its label in its middle. */
function withLabelOn(plan: Plan, line: EdgeMeta, start: Point, end: Point): SceneEdge {
  const text = labelOf(plan, line);
  const edge = { id: line.id, p: [start, end] };
  return text === '' ? edge : { ...edge, l: labelAt(plan, text, (start[0] + end[0]) / 2, start[1]) };
}

/** A label centred on a point. */
export function labelAt(plan: Plan, text: string, x: number, y: number): SceneLabel {
  const w = labelWidth(plan, text);
  return { t: text, x: x - w / 2, y: y - plan.labelHeightPx / 2, w, h: plan.labelHeightPx };
}

export function nodeIn<Node extends Box & { readonly id: string }>(nodes: readonly Node[], id: string): Node {
  const node = nodes.find((candidate) => candidate.id === id);
  if (node === undefined) throw new Error(`the drawing has no state ${id}`);
  return node;
}
