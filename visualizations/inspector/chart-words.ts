/** What the chart's states and lines are called where they are spoken or written out. */
import { COLUMNS, edgeMeta, rowOf, transitionsOf } from './chart-data.ts';

/** `, admits control dispatch, … queue hold`; nothing for a state that takes no messages. */
export function admissionWords(state: string): string {
  const row = rowOf(state);
  if (row === undefined) return '';
  return `, admits ${COLUMNS.map((column) => `${column} ${row.cells[column]}`).join(', ')}`;
}

/** `hurry: stop.requested if hurried, from running to draining.interrupting`; each transition of the line once. */
export function edgeWords(edge: string, label: string): string {
  const { from, to } = edgeMeta(edge);
  const events = transitionsOf(edge).map(({ event, guard }) =>
    guard === null ? event : `${event} if ${guard}`,
  );
  return `${label}: ${[...new Set(events)].join(', or ')}, from ${from} to ${to}`;
}
