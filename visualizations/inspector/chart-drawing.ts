/**
 * Draws a chart once, in grey and without life: states with their names and what they admit, lines with their
 * labels. `chart-view.ts` then sets what is active. One drawing has one set of handles.
 */
import type { Scene, SceneEdge, SceneNode } from '../scene.ts';
import {
  GLYPH_PX,
  glyphBox,
  NARROW_PARTS,
  nameBox,
  type Parts,
  shortName,
  WIDE_PARTS,
} from '../state-parts.ts';
import { ARROW_PATH, arrowHead, roundedPath } from '../svg-path.ts';
import { COLUMNS, type Column, chart, edgeMeta, isWithin, phaseOf, rowOf } from './chart-data.ts';
import { svg } from './dom.ts';
import { glyphShape } from './glyphs.ts';
import type { Admission } from './protocol.ts';

export interface DrawnNode {
  readonly id: string;
  readonly group: SVGGElement;
  readonly node: SceneNode;
  readonly note: SVGTextElement;
  /** How many characters the live note may have. */
  readonly noteCharactersMax: number;
  /** One ring a column, around what this state admits; empty where the phase around it shows them. */
  readonly rings: ReadonlyMap<Column, SVGCircleElement>;
}

export interface DrawnEdge {
  readonly id: string;
  readonly group: SVGGElement;
  /** What stands on the line, or would if there were room. */
  readonly label: string;
}

export interface Drawing {
  readonly root: SVGSVGElement;
  readonly nodes: readonly DrawnNode[];
  readonly edges: readonly DrawnEdge[];
}

/** A letter of a note: monospace, 10.5 px, 0.6 em wide. */
const NOTE_CHAR_PX = 6.3;
/** A state at least this tall has room for a second line. */
const TWO_LINES_MIN_PX = 40;
const STATE_RADIUS_PX = 7;
const PHASE_RADIUS_PX = 10;
/** A final state has a second border, so far within. */
const FINAL_INSET_PX = 3;
/** The dot before a state at which lines to its phase enter. */
const DOT_BEFORE_PX = 8;
/** How far around a state its focus ring stands. */
const FOCUS_PX = 3;

/** The whole drawing; `size` says which of the two scenes it is. */
export function drawChart(scene: Scene, size: 'wide' | 'narrow'): Drawing {
  const nodes = scene.nodes.map((node) => drawNode(node, size === 'wide' ? WIDE_PARTS : NARROW_PARTS));
  const edges = scene.edges.map(drawEdge);
  const root = svg(
    'svg',
    { class: size, viewBox: `0 0 ${scene.w} ${scene.h}`, role: 'group' },
    svg('defs', {}, labelCuts(scene)),
    ...nodes.map(({ group }) => group),
    // Not within the states: they are buttons, and a name that changes every second cannot be theirs.
    svg('g', { 'aria-hidden': true }, ...nodes.map(({ note }) => note)),
    ...edges.map(({ group }) => group),
  );
  return { root, nodes, edges };
}

/** Lines are cut where their own label stands on them. */
function labelCuts(scene: Scene): SVGMaskElement {
  const whole = { x: 0, y: 0, width: scene.w, height: scene.h };
  const cuts = scene.edges.flatMap(({ l }) =>
    l === undefined || l.side !== undefined
      ? []
      : [svg('rect', { x: l.x, y: l.y, width: l.w, height: l.h, fill: '#000' })],
  );
  const all = svg('rect', { ...whole, fill: '#fff' });
  return svg('mask', { id: 'label-cuts', maskUnits: 'userSpaceOnUse', ...whole }, all, ...cuts);
}

function drawNode(node: SceneNode, parts: Parts): DrawnNode {
  const { id, x, y, w, h, c: isPhase } = node;
  const row = rowOf(id);
  // A phase whose states all admit the same shows it once, in its head.
  const cells = row?.state === id ? row.cells : undefined;
  const hasSecondLine = !isPhase && (cells !== undefined || h >= TWO_LINES_MIN_PX);
  const name = nameBox(node, parts, !hasSecondLine);
  const note = cells
    ? svg('text', {
        class: 'note',
        'aria-hidden': true,
        x: x + w - parts.insetPx + 2,
        y: name.y + name.h - 3,
        'text-anchor': 'end',
      })
    : svg('text', { class: 'note', x: name.x, y: y + h - 10 }, node.note ?? '');
  const rings = new Map<Column, SVGCircleElement>();
  const radius = isPhase ? PHASE_RADIUS_PX : STATE_RADIUS_PX;
  const group = svg(
    'g',
    {
      class: isPhase ? 'node phase' : 'node',
      role: 'button',
      tabindex: -1,
      'data-state': id,
      'data-phase': phaseOf(id),
    },
    frame('box', node, 0, radius),
    ...(isFinal(id) ? [frame('inner', node, -FINAL_INSET_PX, radius - 2)] : []),
    frame('focus', node, FOCUS_PX, radius + 2),
    ...(node.initial
      ? [svg('circle', { class: 'entry', cx: x - DOT_BEFORE_PX, cy: y + h / 2, r: 2.2 })]
      : []),
    svg('text', { class: 'name', x: name.x, y: name.y + name.h - 3 }, shortName(id)),
    ...(cells ? [drawStrip(node, cells, rings, parts)] : []),
  );
  const beside = cells ? name.w + 2 : 0;
  const roomPx = hasSecondLine ? w - 2 * parts.insetPx - beside + 2 : 0;
  return { id, group, node, note, rings, noteCharactersMax: Math.floor(roomPx / NOTE_CHAR_PX) };
}

/** The border of a state, or one that stands `by` pixels around it. */
function frame(name: string, { x, y, w, h }: SceneNode, by: number, radius: number): SVGRectElement {
  return svg('rect', {
    class: name,
    x: x - by,
    y: y - by,
    width: w + 2 * by,
    height: h + 2 * by,
    rx: radius,
  });
}

/** A state that no transition of its own or of its phase leaves. */
function isFinal(id: string): boolean {
  return !chart.transitions.some(({ from }) => from !== '' && (isWithin(id, from) || isWithin(from, id)));
}

function drawStrip(
  node: SceneNode,
  cells: Readonly<Record<Column, Admission>>,
  rings: Map<Column, SVGCircleElement>,
  parts: Parts,
): SVGGElement {
  const { x, y, w } = glyphBox(node, parts);
  const step = (w - GLYPH_PX) / (COLUMNS.length - 1);
  const glyphs = COLUMNS.map((column, index) => {
    const ring = svg('circle', { class: 'ring', cx: 6, cy: 6, r: node.c ? 7.5 : 8.5, visibility: 'hidden' });
    rings.set(column, ring);
    const place = { class: cells[column], transform: `translate(${index * step} 0)` };
    return svg('g', place, ring, glyphShape(cells[column]));
  });
  return svg('g', { class: 'strip', transform: `translate(${x} ${y})` }, ...glyphs);
}

function drawEdge({ id, p, l }: SceneEdge): DrawnEdge {
  const meta = edgeMeta(id);
  const head = arrowHead(p);
  const way = roundedPath(p);
  const label = l === undefined ? [] : [drawLabel(l)];
  const group = svg(
    'g',
    {
      class: `edge ${meta.tier}`,
      role: 'button',
      tabindex: -1,
      'data-edge': id,
      'data-phase': phaseOf(meta.to),
    },
    svg('g', { mask: 'url(#label-cuts)' }, svg('path', { class: 'way', d: way })),
    svg('path', {
      class: 'head',
      d: ARROW_PATH,
      transform: `translate(${head.x} ${head.y}) rotate(${head.degrees})`,
    }),
    svg('path', { class: 'hit', d: way }),
    ...label,
  );
  return { id, group, label: l?.t ?? meta.label };
}

function drawLabel({ t, x, y, w, h, side }: NonNullable<SceneEdge['l']>): SVGTextElement {
  const across = side === undefined ? x + w / 2 : side > 0 ? x + 3 : x + w - 3;
  const anchor = side === undefined ? 'middle' : side > 0 ? 'start' : 'end';
  return svg('text', { x: across, y: y + h / 2 + 4, 'text-anchor': anchor }, t);
}
