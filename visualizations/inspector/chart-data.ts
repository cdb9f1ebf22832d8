/**
 * The lifecycle chart as it was printed from the machine, built into the page, and the questions the page asks
 * of it. Nothing about the chart is written in the page itself.
 */
import type { TransitionInfo } from '../../machines/catalog.ts';
import file from '../generated/gateway.scene.json' with { type: 'json' };
import type { AdmissionCells, AdmissionRow, EdgeMeta, SceneFile } from '../scene.ts';
import type { Admission, Kind } from './protocol.ts';

/** A column of the admission table; `queue` is a turn whose busy mode is queue. */
export type Column = keyof AdmissionCells;

export const COLUMNS: readonly Column[] = ['control', 'exec', 'alias', 'turn', 'queue'];

// The compiler reads the file's pairs as arrays and its words as strings; `render.ts` wrote it from a SceneFile.
export const chart = file as unknown as SceneFile;

const edges = new Map(chart.edges.map((edge) => [edge.id, edge]));
const transitions = new Map(chart.transitions.map((transition) => [transition.id, transition]));
const edgeOfTransition = new Map(
  chart.edges.flatMap((edge) => edge.transitions.map((transition) => [transition, edge.id])),
);

/** What the drawn line `id` means. Throws for a line that the chart does not have. */
export function edgeMeta(id: string): EdgeMeta {
  const meta = edges.get(id);
  if (meta === undefined) throw new Error(`the chart has no line ${id}`);
  return meta;
}

/** The line that stands for a transition; null where none is drawn (the state is not left, or it holds everywhere). */
export function edgeOf(transition: string): string | null {
  return edgeOfTransition.get(transition) ?? null;
}

/**
 * A transition by its id. Of one that the chart does not have (the gateway's is not the one this page was built with),
 * what its id says.
 */
export function transitionOf(id: string): TransitionInfo {
  const [from = '', event = id] = id.split('|');
  return transitions.get(id) ?? { id, from, to: null, event, guard: null, actions: [] };
}

/** The transitions a line stands for. */
export function transitionsOf(edge: string): readonly TransitionInfo[] {
  return edgeMeta(edge).transitions.map(transitionOf);
}

/** The column a message event falls under; null for an event that is no message. */
export function columnOf(eventType: string, whenBusy: string | undefined): Column | null {
  if (eventType === 'message.turn' && whenBusy === 'queue') return 'queue';
  return COLUMNS.find((column) => eventType === `message.${column}`) ?? null;
}

/** True where `state` is `ancestor` or stands within it. */
export function isWithin(state: string, ancestor: string): boolean {
  return state === ancestor || state.startsWith(`${ancestor}.`);
}

/** The row of the admission table for a state; undefined for the final one, which takes nothing. */
export function rowOf(state: string): AdmissionRow | undefined {
  return chart.admission.find((row) => isWithin(state, row.state));
}

/** True where the chart can decide so in `state`; the busy mode and the agent are not known here. */
export function canDecide(state: string, kind: Kind, admission: Admission): boolean {
  const row = rowOf(state);
  const cells = row === undefined ? [] : [row.cells, ...(row.usableAgent ? [row.usableAgent] : [])];
  return cells.some((each) => each[kind] === admission || (kind === 'turn' && each.queue === admission));
}

/** The colour a state is shown in: its phase, or `degraded`. */
export function phaseOf(state: string): string {
  return state === 'running.degraded' ? 'degraded' : (state.split('.')[0] ?? state);
}
