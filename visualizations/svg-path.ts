/**
 * The geometry of a chart's lines: how a polyline becomes an SVG path with rounded corners, and where its arrowhead
 * stands. Pure and free of imports, so that the static drawing and the live page draw the same line.
 */

/** A point of a line: x to the right and y down, in pixels of the scene. */
export type Point = readonly [x: number, y: number];

/** Where an arrowhead stands: its tip, and the direction it points in, clockwise from the x axis in degrees. */
export interface ArrowHead {
  readonly x: number;
  readonly y: number;
  readonly degrees: number;
}

/** An arrowhead with its tip at 0,0 that points right: translate and rotate it by an {@link ArrowHead}. */
export const ARROW_PATH = 'M0 0L-7 -3.6L-7 3.6Z';

/** How much of a line's end an arrowhead covers. */
const ARROW_COVERS_PX = 5;

/**
 * The `d` of a path along the points, each corner cut by a quarter curve of at most `radius` pixels. A corner between
 * short stretches gets half the shorter one, so that neighbouring curves never meet. Fewer than two points: ''.
 */
export function roundedPath(points: readonly Point[], radius = 7): string {
  const [first] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined || points.length < 2) return '';
  const commands = [`M${pair(first)}`];
  for (let index = 1; index < points.length - 1; index += 1) {
    const before = points[index - 1];
    const corner = points[index];
    const after = points[index + 1];
    if (before && corner && after) commands.push(roundedCorner(before, corner, after, radius));
  }
  commands.push(`L${pair(last)}`);
  return commands.join('');
}

/** The points of a line that ends under its arrowhead, 5 px before the tip: a thick line would show beside it. */
export function underArrow(points: readonly Point[]): readonly Point[] {
  const last = points.at(-1);
  const before = points.at(-2);
  if (last === undefined || before === undefined) return points;
  return [...points.slice(0, -1), towards(last, before, Math.min(ARROW_COVERS_PX, distance(before, last)))];
}

/** The arrowhead at the end of a line. A line without length points right; one without points stands at 0,0. */
export function arrowHead(points: readonly Point[]): ArrowHead {
  const tip = points.at(-1) ?? [0, 0];
  const before = points.findLast((point) => distance(point, tip) > 0) ?? tip;
  const radians = Math.atan2(tip[1] - before[1], tip[0] - before[0]);
  return { x: tip[0], y: tip[1], degrees: Math.round((radians * 180) / Math.PI) };
}

function roundedCorner(before: Point, corner: Point, after: Point, radius: number): string {
  const cut = Math.min(radius, distance(before, corner) / 2, distance(corner, after) / 2);
  return `L${pair(towards(corner, before, cut))}Q${pair(corner)} ${pair(towards(corner, after, cut))}`;
}

function distance(from: Point, to: Point): number {
  return Math.hypot(to[0] - from[0], to[1] - from[1]);
}

/** The point `lengthPx` from `from` on the way to `to`. */
function towards(from: Point, to: Point, lengthPx: number): Point {
  const share = lengthPx / (distance(from, to) || 1);
  return [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share];
}

/** Two decimals at most, so that the text is the same on every machine. */
function pair([x, y]: Point): string {
  return `${Math.round(x * 100) / 100} ${Math.round(y * 100) / 100}`;
}
