/**
 * What a picture must not do: a label on a state, on another label or across a border, a line through a state or
 * through a label that is not its own, a name that does not fit its box. Pure; returns the faults in words.
 */
import type { AdmissionRow, Box, Scene, SceneEdge, SceneNode } from './scene.ts';
import { glyphBox, nameBox, type Parts } from './state-parts.ts';
import type { Point } from './svg-path.ts';

interface Named {
  readonly name: string;
  readonly box: Box;
}

/** Faults of one scene, drawn with these measures; empty when it is clear. */
export function overlaps(scene: Scene, admission: readonly AdmissionRow[], parts: Parts): string[] {
  const phases = scene.nodes.filter(({ c }) => c === true);
  const hasGlyphs = (id: string) => admission.some(({ state }) => state === id);
  const solid: Named[] = [
    ...scene.nodes.filter(({ c }) => c !== true).map((node) => ({ name: node.id, box: node })),
    ...phases.map((node) => ({ name: `the name of ${node.id}`, box: nameBox(node, parts, false) })),
    ...phases
      .filter(({ id }) => hasGlyphs(id))
      .map((node) => ({ name: `the glyphs of ${node.id}`, box: glyphBox(node, parts) })),
  ];
  const labels = scene.edges.flatMap(({ id, l }) =>
    l === undefined ? [] : [{ id, name: `the label ${l.t} of ${id}`, box: l }],
  );
  const borders = phases.map((node) => ({ name: `the border of ${node.id}`, box: node }));
  const picture = { x: 0, y: 0, w: scene.w, h: scene.h };
  return [
    ...scene.nodes
      .filter((node) => !partsFit(node, parts, hasGlyphs(node.id)))
      .map(({ id }) => `the name or the glyphs of ${id} do not fit in it`),
    ...labels.flatMap((label, index) => [
      ...[...solid, ...labels.slice(index + 1)]
        .filter(({ box }) => meet(label.box, box))
        .map(({ name }) => `${label.name} lies on ${name}`),
      ...borders
        .filter(({ box }) => meet(label.box, box) && !inside(label.box, box))
        .map(({ name }) => `${label.name} lies across ${name}`),
      ...(inside(label.box, picture) ? [] : [`${label.name} leaves the picture`]),
    ]),
    ...scene.edges.flatMap((edge) => [
      ...solid.filter(({ box }) => crosses(edge, box)).map(({ name }) => `${edge.id} runs through ${name}`),
      ...labels
        .filter(({ id, box }) => id !== edge.id && crosses(edge, box))
        .map(({ name }) => `${edge.id} runs through ${name}`),
    ]),
  ];
}

function partsFit(node: SceneNode, parts: Parts, glyphs: boolean): boolean {
  const name = nameBox(node, parts, !glyphs && node.note === undefined);
  const strip = glyphBox(node, parts);
  return inside(name, node) && (!glyphs || (inside(strip, node) && !meet(name, strip)));
}

function crosses({ p }: SceneEdge, box: Box): boolean {
  return p.slice(1).some((point, index) => meet(stretch(p[index] ?? point, point), box));
}

/** A stretch of a line as a box without breadth. */
function stretch([fromX, fromY]: Point, [toX, toY]: Point): Box {
  return {
    x: Math.min(fromX, toX),
    y: Math.min(fromY, toY),
    w: Math.abs(fromX - toX),
    h: Math.abs(fromY - toY),
  };
}

/** True when they share more than a border. */
function meet(one: Box, other: Box): boolean {
  return (
    one.x < other.x + other.w &&
    other.x < one.x + one.w &&
    one.y < other.y + other.h &&
    other.y < one.y + one.h
  );
}

function inside(inner: Box, outer: Box): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.w <= outer.x + outer.w &&
    inner.y + inner.h <= outer.y + outer.h
  );
}
