/**
 * The tables that are printed from the gateway's chart: what each state admits, what holds in every state, and the
 * code each cause leaves with. Nothing here knows an answer; all of them are asked of `machines/`.
 */
import { getInitialSnapshot } from 'xstate';
import { admissionOf, type GatewaySnapshot } from '../machines/admission.ts';
import { pathOf, statesOf, transitionsOf } from '../machines/catalog.ts';
import type { Admission, BusyMode, Cause, Failure, Intent } from '../machines/events.ts';
import { type Exit, exitFor, FAILURE_CODES, type Supervisor } from '../machines/exit.ts';
import { gatewayMachine } from '../machines/gateway.ts';
import type { AdmissionCells, AdmissionRow, Everywhere } from './scene.ts';

/** The columns of the admission table, from left to right. */
export const COLUMNS = [
  'control',
  'exec',
  'alias',
  'turn',
  'queue',
] as const satisfies (keyof AdmissionCells)[];

/** Asked about in every state while this one has a raised reason and the other has none. */
const BROKEN_AGENT = 'broken';
const USABLE_AGENT = 'usable';

/** Row by row in the order of the chart; a phase whose states admit the same is one row. `exited` admits nothing. */
export function admissionTable(): AdmissionRow[] {
  const phases = statesOf(gatewayMachine).filter(({ path, type }) => path.length === 1 && type !== 'final');
  return phases.flatMap((phase): AdmissionRow[] => {
    const rows = leavesOf(phase).map(rowOf);
    const [first] = rows;
    const alike = first !== undefined && rows.every((row) => sameCells(row, first));
    return alike ? [{ ...first, state: pathOf(phase) }] : rows;
  });
}

type StateNode = ReturnType<typeof statesOf>[number];

function leavesOf(node: StateNode): StateNode[] {
  const children = Object.values(node.states);
  return children.length === 0 ? [node] : children.flatMap(leavesOf);
}

function rowOf(leaf: StateNode): AdmissionRow {
  const snapshot = snapshotIn(leaf.path);
  const cells = cellsOf(snapshot, BROKEN_AGENT);
  const usableAgent = cellsOf(snapshot, USABLE_AGENT);
  const differs = JSON.stringify(usableAgent) !== JSON.stringify(cells);
  return { state: pathOf(leaf), cells, ...(differs ? { usableAgent } : {}) };
}

/** The chart as it rests in a state, with one agent's circuit open. */
export function snapshotIn(path: readonly string[]): GatewaySnapshot {
  const { context } = getInitialSnapshot(gatewayMachine, { supervisor: 'none' });
  const value = path.reduceRight<unknown>(
    (inner, key) => (inner === undefined ? key : { [key]: inner }),
    undefined,
  );
  return gatewayMachine.resolveState({
    value: value as GatewaySnapshot['value'],
    context: { ...context, degraded: [`agent:${BROKEN_AGENT}`] },
  });
}

function cellsOf(snapshot: GatewaySnapshot, agent: string): AdmissionCells {
  const id = '';
  const turn = (whenBusy: BusyMode) => admissionOf(snapshot, { type: 'message.turn', id, agent, whenBusy });
  return {
    control: admissionOf(snapshot, { type: 'message.control', id }),
    exec: admissionOf(snapshot, { type: 'message.exec', id }),
    alias: admissionOf(snapshot, { type: 'message.alias', id }),
    turn: turn('interrupt'),
    queue: turn('queue'),
  };
}

function sameCells(one: AdmissionRow, other: AdmissionRow): boolean {
  return JSON.stringify([one.cells, one.usableAgent]) === JSON.stringify([other.cells, other.usableAgent]);
}

const ADMISSIONS: readonly Admission[] = ['dispatch', 'hold', 'refuse'];

/** What stands once at the root: admissions, and transitions to a state with the places that override them. */
export function everywhere(): Everywhere[] {
  const all = transitionsOf(gatewayMachine);
  return all
    .filter(({ from }) => from === '')
    .flatMap(({ event, to, actions }): Everywhere[] => {
      const admission = ADMISSIONS.find((name) => actions.includes(name));
      if (admission !== undefined) return [{ event, admission }];
      if (to === null) return [];
      const except = all
        .filter((other) => other.event === event && other.from !== '')
        .map((other) => ({ from: other.from, to: other.to ?? other.from }));
      return [{ event, to, ...(except.length > 0 ? { except } : {}) }];
    });
}

/** What each cause of leaving asks for. A plain drain ends in no exit. */
const INTENTS = {
  stop: 'stop',
  takeover: 'stop',
  SIGINT: 'stop',
  hangup: 'stop',
  SIGTERM: 'stop',
  restart: 'restart',
  SIGUSR1: 'restart',
} as const satisfies Record<Exclude<Cause, 'drain'>, Intent>;

const SUPERVISORS = Object.keys({
  none: true,
  container: true,
  systemd: true,
  launchd: true,
  supervise: true,
} satisfies Record<Supervisor, true>) as Supervisor[];

export interface ExitTable {
  /** Supervisors that every cause leaves alike under. */
  readonly columns: readonly (readonly Supervisor[])[];
  readonly rows: readonly {
    readonly causes: readonly string[];
    /** One for each column. */
    readonly exits: readonly Pick<Exit, 'code' | 'reexecute'>[];
  }[];
}

/** The exit of every cause under every supervisor; equal columns and equal rows are one. */
export function exitTable(): ExitTable {
  const requests = Object.entries(INTENTS).map(([cause, intent]) => ({
    cause,
    under: (supervisor: Supervisor) =>
      exitFor({ intent, cause: cause as Cause, actor: '' }, null, supervisor),
  }));
  const failures = Object.keys(FAILURE_CODES).map((kind) => ({
    cause: kind,
    under: (supervisor: Supervisor) => exitFor(null, { kind, message: '' } as Failure, supervisor),
  }));
  const asked = [...requests, ...failures];
  const exitsOf = ({ under }: (typeof asked)[number], supervisors: readonly Supervisor[]) =>
    supervisors.map(under).map(({ code, reexecute }) => ({ code, reexecute }));
  const columns = grouped(SUPERVISORS, (supervisor) => asked.map((one) => exitsOf(one, [supervisor])));
  const firsts = columns.flatMap((column) => column.slice(0, 1));
  const rows = grouped(asked, (one) => exitsOf(one, firsts)).flatMap((group) =>
    group
      .slice(0, 1)
      .map((first) => ({ causes: group.map(({ cause }) => cause), exits: exitsOf(first, firsts) })),
  );
  return { columns, rows };
}

/** Items with an equal key together, in the order in which each key is first seen. */
function grouped<Item>(items: readonly Item[], key: (item: Item) => unknown): Item[][] {
  return [...Map.groupBy(items, (item) => JSON.stringify(key(item))).values()];
}
