/**
 * Lays a chart of phases out as a {@link Scene}, on two levels: the states of a phase stand in a row, the phases
 * are placed and the lines between them routed by elk, which sees a phase as one box with fixed joints. (One elk
 * run over the nested chart gives a drawing three times as tall, or four times as wide.) Same input, same bytes.
 */
import elkjs, { type ElkExtendedEdge, type ElkNode, type ElkPort } from 'elkjs';
import type { Joint, Plan, Route } from './layout-plan.ts';
import {
  labelAt,
  labelOf,
  labelWidth,
  middleIn,
  nameOf,
  nodeIn,
  type Phase,
  phaseOf,
  phasesOf,
  straightEdge,
} from './layout-rows.ts';
import type { Box, EdgeMeta, Scene, SceneEdge, SceneLabel, SceneNode } from './scene.ts';
import type { Point } from './svg-path.ts';

/** Free room around the drawing. */
const MARGIN_PX = 6;

/** Between an upright line and the label beside it. */
const BESIDE_PX = 3;

const ELK_OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.padding': `[top=${MARGIN_PX},left=${MARGIN_PX},bottom=${MARGIN_PX},right=${MARGIN_PX}]`,
  'elk.spacing.edgeNode': '12',
  'elk.spacing.edgeEdge': '10',
  'elk.spacing.edgeLabel': '2',
  'elk.layered.spacing.edgeNodeBetweenLayers': '8',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '8',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.thoroughness': '80',
  'elk.layered.crossingMinimization.forceNodeModelOrder': 'true',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
};

/** A line with the way its plan gives it. */
interface Routed {
  readonly line: EdgeMeta;
  readonly route: Route;
}

/** Throws when a line has neither a place in a row nor a route between phases. */
export async function layOut(plan: Plan, lines: readonly EdgeMeta[]): Promise<Scene> {
  const phases = phasesOf(plan, lines);
  const routes = plan.routes({
    middleOf: (state) => middleIn(phases, state),
    sizeOf: (id) => [nodeIn(atOrigin(phases), id).w, nodeIn(atOrigin(phases), id).h],
  });
  const routed = lines.flatMap((line) => {
    const route = routes[nameOf(line)];
    return route === undefined ? [] : [{ line, route }];
  });
  const graph = await new elkjs.default().layout(graphOf(plan, phases, routed));
  const nodes = phases.flatMap((phase) => nodesOf(phase, graph));
  const edges = lines.map((line) => {
    const way = routed.find((candidate) => candidate.line === line);
    return way === undefined ? straightEdge(plan, line, lines, nodes) : routedEdge(plan, way, graph, nodes);
  });
  return {
    w: Math.ceil(graph.width ?? 0),
    h: Math.ceil(graph.height ?? 0),
    nodes: nodes.map(inHalves),
    edges: edges.map(tidied),
  };
}

const atOrigin = (phases: readonly Phase[]) => phases.map(({ id, w, h }) => ({ id, x: 0, y: 0, w, h }));

function graphOf(plan: Plan, phases: readonly Phase[], routed: readonly Routed[]): ElkNode {
  const last = phases.length - 1;
  return {
    id: 'chart',
    layoutOptions: {
      ...ELK_OPTIONS,
      'elk.layered.spacing.nodeNodeBetweenLayers': String(plan.rowGapPx),
      'elk.spacing.nodeNode': String(plan.besideGapPx),
    },
    children: phases.map((phase, index) => ({
      id: phase.id,
      width: phase.w,
      height: phase.h,
      ports: routed.flatMap((way) => portsOf(phase, way)),
      layoutOptions: {
        'elk.portConstraints': 'FIXED_POS',
        ...(index === 0 ? { 'elk.layered.layering.layerConstraint': 'FIRST' } : {}),
        ...(index === last ? { 'elk.layered.layering.layerConstraint': 'LAST' } : {}),
      },
    })),
    edges: routed.map((way) => edgeFor(plan, way)),
  };
}

function portsOf(phase: Phase, { line, route }: Routed): ElkPort[] {
  const port = (id: string, { side, at }: Joint): ElkPort => ({
    id,
    width: 0,
    height: 0,
    ...(side === 'NORTH' || side === 'SOUTH'
      ? { x: at, y: side === 'NORTH' ? 0 : phase.h }
      : { x: side === 'WEST' ? 0 : phase.w, y: at }),
    layoutOptions: { 'elk.port.side': side },
  });
  return [
    ...(outer(line.from) === phase.id ? [port(`${line.id}:leave`, route.leave)] : []),
    ...(outer(line.to) === phase.id ? [port(`${line.id}:enter`, route.enter)] : []),
  ];
}

const outer = (id: string): string => phaseOf(id) ?? id;

/** A line that leaves at the top runs up; elk is told the opposite, so that its layers stay in order. */
const runsUp = (route: Route): boolean => route.leave.side === 'NORTH';

function edgeFor(plan: Plan, { line, route }: Routed): ElkExtendedEdge {
  const ends = [`${line.id}:leave`, `${line.id}:enter`];
  const [source = '', target = ''] = runsUp(route) ? ends.toReversed() : ends;
  const text = labelOf(plan, line);
  const straight = line.tier === 'spine' || runsUp(route);
  return {
    id: line.id,
    sources: [source],
    targets: [target],
    // A label beside its line needs no width, but the same height between the phases.
    labels:
      text === '' || route.label === 'far'
        ? []
        : [
            {
              text,
              width: route.label === 'on' ? labelWidth(plan, text) : 1,
              height: plan.labelHeightPx,
              layoutOptions: { 'elk.edgeLabels.inline': 'true', 'elk.edgeLabels.placement': 'CENTER' },
            },
          ],
    layoutOptions: {
      'elk.layered.priority.straightness': straight ? '10' : '1',
      'elk.layered.priority.direction': '5',
    },
  };
}

function nodesOf(phase: Phase, graph: ElkNode): SceneNode[] {
  const { x = 0, y = 0 } = graph.children?.find(({ id }) => id === phase.id) ?? {};
  const { id, w, h, states } = phase;
  const box: SceneNode = { id, x, y, w, h };
  return states.length === 0
    ? [box]
    : [{ ...box, c: true }, ...states.map((state) => ({ ...state, x: state.x + x, y: state.y + y }))];
}

function routedEdge(plan: Plan, way: Routed, graph: ElkNode, nodes: readonly SceneNode[]): SceneEdge {
  const { line, route } = way;
  const edge = graph.edges?.find(({ id }) => id === line.id);
  const section = edge?.sections?.[0];
  if (edge === undefined || section === undefined) throw new Error(`elk gave no way for ${nameOf(line)}`);
  const corners = [section.startPoint, ...(section.bendPoints ?? []), section.endPoint];
  const between = (runsUp(route) ? corners.toReversed() : corners).map(({ x, y }): Point => [x, y]);
  const p = [
    ...stretchTo(nodeIn(nodes, line.from), between[0]),
    ...between,
    ...stretchTo(nodeIn(nodes, line.to), between.at(-1)),
  ];
  const text = labelOf(plan, line);
  if (text === '') return { id: line.id, p };
  const inline = edge.labels?.[0];
  const l =
    route.label === 'on' && inline !== undefined
      ? labelAt(
          plan,
          text,
          (inline.x ?? 0) + (inline.width ?? 0) / 2,
          (inline.y ?? 0) + plan.labelHeightPx / 2,
        )
      : besideOrFar(plan, text, way, between);
  return { id: line.id, p, l };
}

/** From the border of a phase to its state, upright. */
function stretchTo(node: SceneNode, border: Point | undefined): Point[] {
  if (node.child !== true || border === undefined) return [];
  const [x, y] = border;
  return [[x, y <= node.y ? node.y : node.y + node.h]];
}

function besideOrFar(plan: Plan, text: string, { route }: Routed, between: readonly Point[]): SceneLabel {
  const [start = [0, 0], second = start] = between;
  const end = between.at(-1) ?? start;
  const w = labelWidth(plan, text);
  if (route.label === 'far') {
    const inward = (second[0] < start[0] ? 1 : -1) * (plan.farPx + w / 2);
    return labelAt(plan, text, second[0] + inward, start[1]);
  }
  const side = route.label === 'right' ? 1 : -1;
  return { ...labelAt(plan, text, start[0] + side * (BESIDE_PX + w / 2), (start[1] + end[1]) / 2), side };
}

const half = (value: number): number => Math.round(value * 2) / 2;

function inHalves<T extends Box>(box: T): T {
  return { ...box, x: half(box.x), y: half(box.y), w: half(box.w), h: half(box.h) };
}

/** Rounds a line, and drops the points where it does not turn. */
function tidied({ id, p, l }: SceneEdge): SceneEdge {
  const points = p.map(([x, y]): Point => [half(x), half(y)]);
  const turns = points.filter((point, index) => {
    const before = points[index - 1];
    const after = points[index + 1];
    if (before === undefined || after === undefined) return true;
    return [0, 1].every((axis) => !(before[axis] === point[axis] && point[axis] === after[axis]));
  });
  return { id, p: turns, ...(l === undefined ? {} : { l: inHalves(l) }) };
}
