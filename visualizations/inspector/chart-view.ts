/**
 * Keeps a drawing true: the active states, the line that was taken last and those taken before it, the decided
 * message, and what each says of itself to those who do not see it.
 */

import { chart, isWithin, rowOf } from './chart-data.ts';
import { type Drawing, type DrawnNode, drawChart } from './chart-drawing.ts';
import { admissionWords, edgeWords } from './chart-words.ts';
import { epochMs } from './protocol.ts';
import { later } from './timers.ts';
import { gatewayNowMs, hiddenTransitions, litEdge, stateOf, type View } from './view.ts';
import { counted, leftWords } from './words.ts';

/** As long as the transition of `.fading` in page.css. */
const FADE_MS = 1600;
const PHONE = '(max-width: 759px)';

export interface ChartView {
  readonly draw: (view: View, nowMs: number) => void;
  /** The drawing that is shown; another one after the window has passed the width of a phone. */
  readonly drawing: () => Drawing;
}

/** Shows the chart in `canvas`; `onDrawing` is told of every new drawing. */
export function createChartView(canvas: HTMLElement, onDrawing: () => void): ChartView {
  const phone = matchMedia(PHONE);
  let drawing = drawInto(canvas, phone.matches);
  phone.addEventListener('change', () => {
    drawing = drawInto(canvas, phone.matches);
    onDrawing();
  });
  return { draw: (view, nowMs) => enliven(drawing, view, nowMs), drawing: () => drawing };
}

function drawInto(canvas: HTMLElement, narrow: boolean): Drawing {
  const drawing = narrow ? drawChart(chart.narrow, 'narrow') : drawChart(chart.wide, 'wide');
  for (const { id, group, label } of drawing.edges) group.setAttribute('aria-label', edgeWords(id, label));
  canvas.replaceChildren(drawing.root);
  return drawing;
}

function enliven(drawing: Drawing, view: View, nowMs: number): void {
  const state = stateOf(view);
  drawing.root.setAttribute(
    'aria-label',
    `Lifecycle chart, ${state === null ? 'not known yet' : `now ${state}`}`,
  );
  document.body.dataset.rate = hiddenTransitions(view, nowMs) > 0 ? 'calm' : 'each';
  const ringed = state === null ? undefined : rowOf(state)?.state;
  for (const drawn of drawing.nodes) {
    const { id, group, rings } = drawn;
    const atRest = drawn.node.note ?? '';
    const isActive = state !== null && isWithin(state, id);
    group.classList.toggle('active', isActive);
    drawn.note.classList.toggle('live', isActive);
    group.setAttribute('aria-label', `${id}${isActive ? ', active' : ''}${admissionWords(id)}`);
    drawn.note.textContent = state === id ? (liveNote(drawn, view, nowMs) ?? atRest) : atRest;
    for (const [column, ring] of rings) {
      const isRinged = id === ringed && view.decided?.column === column;
      ring.setAttribute('visibility', isRinged ? 'visible' : 'hidden');
    }
  }
  const lit = litEdge(view, nowMs);
  for (const { id, group } of drawing.edges) {
    if (group.classList.contains('lit') && lit !== id) fade(group);
    group.classList.toggle('lit', lit === id);
    group.classList.toggle('past', view.takenEdges.has(id));
  }
}

/** Lets a line go out slowly; a class of its own, so that what the pointer touches changes at once. */
function fade(group: SVGGElement): void {
  group.classList.add('fading');
  later(FADE_MS, () => group.classList.remove('fading'));
}

/** What the active state is at, in as many words as fit: `2 turns · 34 s`, else `2 turns`. */
function liveNote({ noteCharactersMax }: DrawnNode, view: View, nowMs: number): string | null {
  if (view.status === null) return null;
  const { inFlight, deadlineAt } = view.status;
  const turns = inFlight.turns.length;
  const commands = inFlight.commands.length;
  const work = turns > 0 ? counted(turns, 'turn') : commands > 0 ? counted(commands, 'command') : null;
  const left = deadlineAt === null ? null : leftWords(epochMs(deadlineAt) - gatewayNowMs(view, nowMs));
  const whole = [work, left].filter((part) => part !== null).join(' · ');
  const fits = [whole, work, left].find((words) => words && words.length <= noteCharactersMax);
  return fits ?? null;
}
