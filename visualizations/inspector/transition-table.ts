/** The chart's twin in words: every transition of the machine as a row, the one taken last marked. */
import { chart } from './chart-data.ts';
import { el } from './dom.ts';

const HEADS = ['from', 'event', 'guard', 'to', 'actions'] as const;

/** Builds the table into `place`; the answer marks the transition that was taken last. */
export function createTransitionTable(place: HTMLElement): (last: string | null) => void {
  const rows = new Map<string, HTMLTableRowElement>();
  for (const { id, from, event, guard, to, actions } of chart.transitions) {
    const cells = [from === '' ? 'any state' : from, event, guard ?? '', to ?? 'stays', actions.join(' · ')];
    rows.set(id, el('tr', {}, ...cells.map((cell) => el('td', {}, cell))));
  }
  const heads = HEADS.map((head) => el('th', { scope: 'col' }, head));
  place.replaceChildren(
    el(
      'table',
      {},
      el('caption', { class: 'unseen' }, 'Transitions of the lifecycle chart'),
      el('thead', {}, el('tr', {}, ...heads)),
      el('tbody', {}, ...rows.values()),
    ),
  );
  let marked: HTMLTableRowElement | undefined;
  return (last) => {
    const row = last === null ? undefined : rows.get(last);
    if (row === marked) return;
    marked?.removeAttribute('aria-current');
    row?.setAttribute('aria-current', 'true');
    marked = row;
  };
}
