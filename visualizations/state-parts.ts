/**
 * What stands inside the box of a state, and where: its name, and the five admission glyphs. Pure; the drawing
 * places by it and the overlap check measures by it.
 */
import type { Admission } from '../machines/events.ts';
import type { Box, SceneNode } from './scene.ts';

/** Each admission as a shape of 12 × 12 px; `refuse` is stroked, the others are filled. */
export const GLYPHS: Readonly<Record<Admission, string>> = {
  dispatch: 'M3 1.8v8.4L10 6z',
  hold: 'M3 2h2.2v8H3zM6.8 2H9v8H6.8z',
  refuse: 'M2.5 2.5l7 7m0-7l-7 7',
};

export const GLYPH_PX = 12;

/** The measures of one drawing. */
export interface Parts {
  /** From a box's edge to its text. */
  readonly insetPx: number;
  readonly nameCharPx: number;
  /** From one glyph to the next, in a state and in the narrower head of a phase. */
  readonly glyphStepPx: number;
  readonly phaseGlyphStepPx: number;
}

export const WIDE_PARTS: Parts = { insetPx: 12, nameCharPx: 7.2, glyphStepPx: 18, phaseGlyphStepPx: 16 };
export const NARROW_PARTS: Parts = { insetPx: 8, nameCharPx: 6.6, glyphStepPx: 15, phaseGlyphStepPx: 12 };

const GLYPH_COUNT = 5;
const NAME_HEIGHT_PX = 14;

/** The last word of a state's path. */
export const shortName = (id: string): string => id.slice(id.lastIndexOf('.') + 1);

/** The room of a state's name; `y + h` is 3 px under the base of its letters. */
export function nameBox(node: SceneNode, parts: Parts, alone: boolean): Box {
  const h = NAME_HEIGHT_PX;
  const top = node.c === true ? 7 : alone ? (node.h - h) / 2 + 0.5 : 8;
  return {
    x: node.x + parts.insetPx,
    y: node.y + top,
    w: shortName(node.id).length * parts.nameCharPx,
    h,
  };
}

/** The room of the five glyphs: at the right of a phase's head, or in a state under its name. */
export function glyphBox(node: SceneNode, parts: Parts): Box {
  const step = node.c === true ? parts.phaseGlyphStepPx : parts.glyphStepPx;
  const w = (GLYPH_COUNT - 1) * step + GLYPH_PX;
  return node.c === true
    ? { x: node.x + node.w - parts.insetPx - w, y: node.y + 8, w, h: GLYPH_PX }
    : { x: node.x + parts.insetPx - 1, y: node.y + node.h - 19, w, h: GLYPH_PX };
}
