/**
 * The line under the chart: what a person points at, else the transition taken last. It stands in a fixed place,
 * so that the chart never has anything floating over it.
 */
import { COLUMNS, chart, edgeMeta, isWithin, phaseOf, rowOf, transitionsOf } from './chart-data.ts';
import type { Subject } from './chart-focus.ts';
import { el, fill } from './dom.ts';
import { glyph } from './glyphs.ts';
import { gatewayNowMs, hiddenTransitions, type View } from './view.ts';
import { agoWords, counted } from './words.ts';

/** Fills the line. */
export function drawLine(line: HTMLElement, view: View, subject: Subject | null, nowMs: number): void {
  const parts =
    subject === null
      ? lastParts(view, nowMs)
      : subject.sort === 'edge'
        ? edgeParts(subject.id)
        : stateParts(subject.id);
  line.dataset.phase = parts.phase;
  fill(line, parts, () => elementsOf(parts));
}

interface Parts {
  readonly phase: string;
  /** Before the event: when it was, or where it leads from. */
  readonly lead: string;
  readonly events: readonly { readonly event: string; readonly guard: string | null }[];
  readonly to: string;
  readonly actions: string;
  /** A state whose admissions are spelled out; null for a transition. */
  readonly state: string | null;
  readonly rest: string;
}

const NOTHING: Parts = { phase: '', lead: '', events: [], to: '', actions: '', state: null, rest: '' };

function lastParts(view: View, nowMs: number): Parts {
  const hidden = hiddenTransitions(view, nowMs);
  const unseen = view.dropped > 0 ? `${counted(view.dropped, 'event')} not shown` : '';
  const rest = hidden > 0 ? `+${hidden}` : unseen;
  if (view.last === null) {
    const lead = view.status === null ? '' : 'No transition since this page was opened.';
    return { ...NOTHING, lead, rest };
  }
  const { from, event, guard, to, actions } = view.last.transition;
  const state = view.status?.state ?? from;
  return {
    ...NOTHING,
    phase: phaseOf(to ?? state),
    lead: agoWords(gatewayNowMs(view, nowMs) - view.last.atMs),
    events: [{ event, guard }],
    to: to === null ? `stays in ${from === '' ? state : from}` : `→ ${to}`,
    actions: actions.join(' · '),
    rest,
  };
}

function edgeParts(id: string): Parts {
  const { from, to } = edgeMeta(id);
  const transitions = transitionsOf(id);
  const actions = new Set(transitions.map((transition) => transition.actions.join(' · ')));
  return {
    ...NOTHING,
    phase: phaseOf(to),
    lead: from,
    events: transitions.map(({ event, guard }) => ({ event, guard })),
    to: `→ ${to}`,
    actions: [...actions].filter((each) => each !== '').join(' | '),
  };
}

function stateParts(id: string): Parts {
  return { ...NOTHING, phase: phaseOf(id), state: id, to: id };
}

function elementsOf(parts: Parts): (HTMLElement | string)[] {
  const lead = parts.lead === '' ? [] : [el('span', { class: 'quiet' }, parts.lead)];
  const to = parts.to === '' ? [] : [el('span', { class: 'mono to' }, parts.to)];
  const actions = parts.actions === '' ? [] : [el('span', { class: 'mono actions' }, parts.actions)];
  const rest = parts.rest === '' ? [] : [el('span', { class: 'rest' }, parts.rest)];
  // The spaces between are not seen, for the gap is wider; they are heard, and copied.
  return [...lead, ...eventElements(parts), ...to, ...admitted(parts.state), ...actions, ...rest].flatMap(
    (each) => [each, ' '],
  );
}

function eventElements({ events }: Parts): HTMLElement[] {
  return events.map(({ event, guard }) =>
    el(
      'span',
      { class: 'mono' },
      event,
      ...(guard === null ? [] : [' ', el('span', { class: 'quiet' }, `[${guard}]`)]),
    ),
  );
}

function admitted(state: string | null): HTMLElement[] {
  if (state === null) return [];
  const row = rowOf(state);
  if (row === undefined) {
    const isPhase = chart.admission.some((each) => isWithin(each.state, state));
    return [
      el('span', { class: 'quiet' }, isPhase ? 'admits what the state within it admits' : 'admits nothing'),
    ];
  }
  return COLUMNS.map((column) =>
    el(
      'span',
      { class: 'admitted', title: `${column}: ${row.cells[column]}` },
      glyph(row.cells[column]),
      ` ${column}`,
    ),
  );
}
