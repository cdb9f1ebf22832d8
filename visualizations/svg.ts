/**
 * The standalone drawing for README and docs, from a scene file: light or dark as the reader's system is, in the
 * system's monospace font, with the transitions of each line as its tooltip. Same scene, same bytes.
 */

import type { Admission } from '../machines/events.ts';
import { COLUMNS } from './admission-table.ts';
import type { AdmissionRow, SceneEdge, SceneFile, SceneNode } from './scene.ts';
import { GLYPH_PX, GLYPHS, glyphBox, nameBox, shortName, WIDE_PARTS } from './state-parts.ts';
import { ARROW_PATH, arrowHead, roundedPath, underArrow } from './svg-path.ts';
import { styleSheet } from './svg-style.ts';

/** Room around the drawing, and for the three lines of the legend under it. */
const MARGIN_PX = 14;
const LEGEND_LINE_PX = 22;
const LEGEND_PX = 3 * LEGEND_LINE_PX + MARGIN_PX;
const CHAR_PX = 6.6;

const STATE_RADIUS_PX = 7;
const PHASE_RADIUS_PX = 10;
const FINAL_INSET_PX = 3;
const DOT_BEFORE_PX = 8;

/** From the edge of a label beside a line to its text. */
const INDENT_PX = 3;

/** From the middle of a line of text to its base. */
const BASELINE_PX = 4;

export function svgOf(file: SceneFile): string {
  const { w, h, nodes, edges } = file.wide;
  const width = w + 2 * MARGIN_PX;
  const height = h + MARGIN_PX + LEGEND_PX;
  const [left, top] = [-MARGIN_PX, -MARGIN_PX];
  const frame = `x="${left}" y="${top}" width="${width}" height="${height}"`;
  const states = [...nodes.filter(({ c }) => c === true), ...nodes.filter(({ c }) => c !== true)];
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${left} ${top} ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="${file.chart}-title ${file.chart}-desc">`,
    '<!-- Printed by visualizations/render.ts; do not edit. -->',
    `<title id="${file.chart}-title">The ${file.chart} chart</title>`,
    `<desc id="${file.chart}-desc">${escaped(descriptionOf(file))}</desc>`,
    `<style>${styleSheet}</style>`,
    `<defs>${maskOf(file)}</defs>`,
    `<rect class="paper" ${frame} rx="8"/>`,
    ...states.map((node) => stateOf(node, file.admission)),
    ...edges.map((edge) => lineOf(edge, file)),
    legendOf(file),
    '</svg>',
  ].join('\n')}\n`;
}

/** The drawing in words, for those who do not see it. */
function descriptionOf({ admission, edges }: SceneFile): string {
  const admits = admission.map(
    ({ state, cells }) =>
      `${state} admits ${COLUMNS.map((column) => `${column} ${cells[column]}`).join(', ')}`,
  );
  const ways = edges.map(({ from, to, label }) => `${from} to ${to} by ${label}`);
  return `${admits.join('; ')}. Ways: ${ways.join('; ')}. All transitions are listed in transitions.md.`;
}

/** Cuts the lines where a label stands on one. */
function maskOf({ chart, wide }: SceneFile): string {
  const holes = wide.edges.flatMap(({ l }) =>
    l === undefined || l.side !== undefined
      ? []
      : [`<rect x="${l.x}" y="${l.y}" width="${l.w}" height="${l.h}" fill="#000"/>`],
  );
  const all = `x="0" y="0" width="${wide.w}" height="${wide.h}"`;
  return `<mask id="${chart}-cut" maskUnits="userSpaceOnUse" ${all}><rect ${all} fill="#fff"/>${holes.join('')}</mask>`;
}

function stateOf(node: SceneNode, admission: readonly AdmissionRow[]): string {
  const row = admission.find(({ state }) => state === node.id);
  const name = nameBox(node, WIDE_PARTS, row === undefined && node.note === undefined);
  const radius = node.c === true ? PHASE_RADIUS_PX : STATE_RADIUS_PX;
  const parts = [
    `<rect class="box" x="${node.x}" y="${node.y}" width="${node.w}" height="${node.h}" rx="${radius}"/>`,
    node.final === true ? innerBorder(node) : '',
    node.initial === true
      ? `<circle class="dot" cx="${node.x - DOT_BEFORE_PX}" cy="${node.y + node.h / 2}" r="2.2"/>`
      : '',
    `<text class="name" x="${name.x}" y="${name.y + name.h - 3}">${shortName(node.id)}</text>`,
    node.note === undefined
      ? ''
      : `<text class="note" x="${name.x}" y="${node.y + node.h - 10}">${escaped(node.note)}</text>`,
    row === undefined ? '' : glyphsOf(node, row),
  ];
  return `<g class="${node.c === true ? 'phase' : 'state'}">${parts.join('')}</g>`;
}

/** A final state has a double border. */
function innerBorder({ x, y, w, h }: SceneNode): string {
  const [inset, both] = [FINAL_INSET_PX, 2 * FINAL_INSET_PX];
  return `<rect class="box" x="${x + inset}" y="${y + inset}" width="${w - both}" height="${h - both}" rx="5"/>`;
}

function glyphsOf(node: SceneNode, { cells }: AdmissionRow): string {
  const box = glyphBox(node, WIDE_PARTS);
  const step = (box.w - GLYPH_PX) / (COLUMNS.length - 1);
  return COLUMNS.map((column, index) => glyph(cells[column], box.x + index * step, box.y)).join('');
}

function glyph(admission: Admission, x: number, y: number): string {
  return `<path class="${admission}" transform="translate(${x} ${y})" d="${GLYPHS[admission]}"/>`;
}

function lineOf({ id, p, l }: SceneEdge, { chart, edges, transitions }: SceneFile): string {
  const meta = edges.find((candidate) => candidate.id === id);
  const tip = transitions
    .filter((transition) => meta?.transitions.includes(transition.id))
    .map(({ from, event, guard, to }) => `${from}: ${event}${guard ? ` [${guard}]` : ''} → ${to}`);
  const arrow = arrowHead(p);
  return [
    `<g class="line ${meta?.tier ?? 'side'}"><title>${escaped(tip.join('\n'))}</title>`,
    `<g mask="url(#${chart}-cut)"><path class="way" d="${roundedPath(underArrow(p))}"/></g>`,
    `<path class="arrow" d="${ARROW_PATH}" transform="translate(${arrow.x} ${arrow.y}) rotate(${arrow.degrees})"/>`,
    l === undefined ? '' : labelText(l),
    '</g>',
  ].join('');
}

function labelText({ t, x, y, w, h, side }: NonNullable<SceneEdge['l']>): string {
  const anchors = {
    '-1': ['end', x + w - INDENT_PX],
    '0': ['middle', x + w / 2],
    '1': ['start', x + INDENT_PX],
  } as const;
  const [anchor, at] = anchors[`${side ?? 0}`];
  return `<text x="${at}" y="${y + h / 2 + BASELINE_PX}" text-anchor="${anchor}">${escaped(t)}</text>`;
}

/** A word of the legend, or the glyph of an admission. */
type Token = string | { readonly glyph: Admission };

/** What the glyphs mean, what holds in every state, and who is exempt. */
function legendOf({ wide, everywhere, admission }: SceneFile): string {
  const meanings = (['dispatch', 'hold', 'refuse'] as const).flatMap((name): Token[] => [
    { glyph: name },
    `${name} `,
  ]);
  const rules = everywhere.flatMap(({ event, admission: met, to, except }): Token[] =>
    met === undefined ? [`${event} → ${to}${exceptionOf(except)}`] : [event, { glyph: met }, ''],
  );
  const exempt = admission.flatMap(({ state, cells, usableAgent }): Token[] => {
    const other = usableAgent && COLUMNS.find((column) => usableAgent[column] !== cells[column]);
    return other ? [`In ${state}, a turn for a usable agent:`, { glyph: usableAgent[other] }] : [];
  });
  const rows: Token[][] = [
    [...meanings, 'for control, exec, alias, turn, turn with whenBusy: queue'],
    ['In every state: ', ...rules],
    exempt,
  ];
  const first = wide.h + LEGEND_LINE_PX;
  return `<g class="legend">${rows.map((row, index) => legendRow(row, first + index * LEGEND_LINE_PX)).join('')}</g>`;
}

function legendRow(tokens: readonly Token[], y: number): string {
  let x = 0;
  const parts = tokens.map((token) => {
    const at = MARGIN_PX + Math.round(x);
    x += CHAR_PX + (typeof token === 'string' ? token.length * CHAR_PX : GLYPH_PX);
    return typeof token === 'string'
      ? `<text x="${at}" y="${y}">${escaped(token)}</text>`
      : glyph(token.glyph, at, y - GLYPH_PX + 2);
  });
  return parts.join('');
}

function exceptionOf(except: SceneFile['everywhere'][number]['except'] = []): string {
  const places = except.map(({ from }) => from).join(', ');
  const [first] = except;
  return first === undefined ? '' : ` (${places}: → ${first.to})`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
