/**
 * The admission table as the machine has it, the row of the current state tall and in words. States in a row
 * that admit the same are one row.
 */
import type { AdmissionRow } from '../scene.ts';
import { shortName } from '../state-parts.ts';
import { COLUMNS, chart, isWithin, phaseOf } from './chart-data.ts';
import { el } from './dom.ts';
import { glyph } from './glyphs.ts';

interface Row {
  readonly states: readonly string[];
  readonly name: string;
  readonly row: AdmissionRow;
}

/** What `restarting` and `stopped` are together. */
const LEAVING = ['restarting', 'stopped'];

/** Builds the table into `place`; the answer marks the row of a state. */
export function createAdmissionTable(place: HTMLElement): (state: string | null) => void {
  const body = el('tbody');
  const heads = COLUMNS.map((column) =>
    el(
      'th',
      { scope: 'col', title: column === 'queue' ? 'a turn whose busy mode is queue' : undefined },
      column,
    ),
  );
  place.replaceChildren(
    el(
      'table',
      { class: 'admission' },
      el('caption', { class: 'unseen' }, 'What each state does with a message of each kind'),
      el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'state'), ...heads)),
      body,
    ),
  );
  let shown: string | null | undefined;
  return (state) => {
    if (state === shown) return;
    shown = state;
    body.replaceChildren(...rows().map((row) => rowElement(row, state)));
  };
}

function rows(): Row[] {
  const leaving = chart.admission.filter(({ state }) => LEAVING.includes(state));
  const others = chart.admission.filter(({ state }) => !LEAVING.includes(state));
  const [first] = leaving;
  const single = others.map((row) => ({ states: [row.state], name: shortName(row.state), row }));
  return first === undefined ? single : [...single, { states: LEAVING, name: 'leaving', row: first }];
}

function rowElement({ states, name, row }: Row, state: string | null): HTMLTableRowElement {
  const isCurrent = state !== null && states.some((each) => isWithin(state, each));
  const cells = COLUMNS.map((column) => {
    const admission = row.cells[column];
    const usable = row.usableAgent?.[column];
    const but = usable === undefined || usable === admission ? [] : [butFor(usable)];
    const words = isCurrent ? [el('small', { class: admission, 'aria-hidden': 'true' }, admission)] : [];
    return el('td', { title: `${name}: ${admission}` }, glyph(admission), ...but, ...words);
  });
  return el(
    'tr',
    {
      'aria-current': isCurrent ? 'true' : undefined,
      'data-phase': isCurrent && state ? phaseOf(state) : undefined,
    },
    el('th', { scope: 'row' }, name),
    ...cells,
  );
}

/** The small glyph beside: what an agent without a raised reason meets. */
function butFor(admission: Parameters<typeof glyph>[0]): SVGSVGElement {
  const small = glyph(admission);
  small.classList.add('but');
  small.setAttribute('aria-label', `${admission} for an agent without an open circuit`);
  return small;
}
