/** The three shapes that carry the product: a triangle dispatches, two bars hold, a cross refuses. */
import { GLYPHS } from '../state-parts.ts';
import { svg } from './dom.ts';
import type { Admission } from './protocol.ts';

/** The shape alone, in a square of 12: for a drawing that has its own words. */
export function glyphShape(admission: Admission): SVGPathElement {
  return svg('path', { class: `shape ${admission}`, d: GLYPHS[admission] });
}

/** The shape as a picture in a line of text; named for those who do not see it, unless words stand beside it. */
export function glyph(admission: Admission, spoken: 'named' | 'beside-words' = 'named'): SVGSVGElement {
  const name = spoken === 'named' ? { role: 'img', 'aria-label': admission } : { 'aria-hidden': 'true' };
  return svg('svg', { class: `glyph ${admission}`, viewBox: '0 0 12 12', ...name }, glyphShape(admission));
}
