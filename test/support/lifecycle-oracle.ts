/**
 * What the lifecycle must do, written by hand from the requirement: who is admitted where, what each request
 * is answered with and leads to, and which code the process leaves with.
 *
 * Nothing here is computed from `machines/`; only its words (types) are used. A bug in the chart therefore
 * cannot correct the tables that judge it. The tests of the chart and of the running daemon read the same ones.
 */
import type { Admission, Cause, FailureKind, Intent, Verdict } from '../../machines/events.ts';
import type { Supervisor } from '../../machines/exit.ts';

export const LEAF_STATES = [
  'starting',
  'running.healthy',
  'running.degraded',
  'draining.waiting',
  'draining.drained',
  'draining.interrupting',
  'restarting.flushing',
  'restarting.closing',
  'stopped.flushing',
  'stopped.closing',
] as const;

/** A state in which the gateway still works; `exited` is not one. */
export type LeafState = (typeof LEAF_STATES)[number];

/** A column of the admission table: a kind of message, and for turns the busy mode of their conversation. */
export const COLUMNS = ['control', 'exec', 'alias', 'turn', 'queued'] as const;

export type Column = (typeof COLUMNS)[number];

export interface AdmissionRow extends Readonly<Record<Column, Admission>> {
  readonly state: LeafState;
  /** The raised reasons the row holds for; null where they make no difference. */
  readonly degraded: readonly string[] | null;
  /** The agent the row holds for; null where it makes no difference. */
  readonly agent: string | null;
}

const row = (
  state: LeafState,
  [degraded, agent]: readonly [readonly string[], string] | readonly [null, null],
  [control, exec, alias, turn, queued]: readonly [Admission, Admission, Admission, Admission, Admission],
): AdmissionRow => ({ state, degraded, agent, control, exec, alias, turn, queued });

const ALL = [null, null] as const;

/** The admission table. Its columns, left to right: control, exec, alias, turn, turn with `whenBusy: queue`. */
export const ADMISSION: readonly AdmissionRow[] = [
  row('starting', ALL, ['dispatch', 'dispatch', 'hold', 'hold', 'hold']),
  row('running.healthy', ALL, ['dispatch', 'dispatch', 'dispatch', 'dispatch', 'dispatch']),
  // An agent whose circuit is closed works on while another's is open …
  row(
    'running.degraded',
    [['agent:default'], 'default'],
    ['dispatch', 'dispatch', 'dispatch', 'refuse', 'refuse'],
  ),
  row(
    'running.degraded',
    [['agent:default'], 'other'],
    ['dispatch', 'dispatch', 'dispatch', 'dispatch', 'dispatch'],
  ),
  row(
    'running.degraded',
    [['agent:other'], 'default'],
    ['dispatch', 'dispatch', 'dispatch', 'dispatch', 'dispatch'],
  ),
  row(
    'running.degraded',
    [['agent:other'], 'other'],
    ['dispatch', 'dispatch', 'dispatch', 'refuse', 'refuse'],
  ),
  // … but a crash loop or an unwritable store concerns every agent.
  row(
    'running.degraded',
    [['safe-mode'], 'default'],
    ['dispatch', 'dispatch', 'dispatch', 'refuse', 'refuse'],
  ),
  row('running.degraded', [['safe-mode'], 'other'], ['dispatch', 'dispatch', 'dispatch', 'refuse', 'refuse']),
  row('running.degraded', [['store'], 'default'], ['dispatch', 'dispatch', 'dispatch', 'refuse', 'refuse']),
  row('running.degraded', [['store'], 'other'], ['dispatch', 'dispatch', 'dispatch', 'refuse', 'refuse']),
  row(
    'running.degraded',
    [['agent:default', 'store'], 'default'],
    ['dispatch', 'dispatch', 'dispatch', 'refuse', 'refuse'],
  ),
  row(
    'running.degraded',
    [['agent:default', 'store'], 'other'],
    ['dispatch', 'dispatch', 'dispatch', 'refuse', 'refuse'],
  ),
  row(
    'running.degraded',
    [['agent:default', 'agent:other'], 'default'],
    ['dispatch', 'dispatch', 'dispatch', 'refuse', 'refuse'],
  ),
  row(
    'running.degraded',
    [['agent:default', 'agent:other'], 'third'],
    ['dispatch', 'dispatch', 'dispatch', 'dispatch', 'dispatch'],
  ),
  row('draining.waiting', ALL, ['dispatch', 'dispatch', 'refuse', 'refuse', 'hold']),
  row('draining.drained', ALL, ['dispatch', 'dispatch', 'refuse', 'refuse', 'hold']),
  row('draining.interrupting', ALL, ['dispatch', 'dispatch', 'refuse', 'refuse', 'hold']),
  row('restarting.flushing', ALL, ['dispatch', 'dispatch', 'refuse', 'refuse', 'hold']),
  row('restarting.closing', ALL, ['dispatch', 'dispatch', 'refuse', 'refuse', 'hold']),
  row('stopped.flushing', ALL, ['dispatch', 'dispatch', 'refuse', 'refuse', 'hold']),
  row('stopped.closing', ALL, ['dispatch', 'dispatch', 'refuse', 'refuse', 'hold']),
];

/** The row for a state, its raised reasons in any order, and an agent. Throws where the table has none. */
export function admissionRow(state: string, degraded: readonly string[], agent: string): AdmissionRow {
  const reasons = [...degraded].sort().join();
  const found = ADMISSION.filter(
    (candidate) =>
      candidate.state === state &&
      (candidate.degraded === null || candidate.degraded.join() === reasons) &&
      (candidate.agent === null || candidate.agent === agent),
  );
  const [only] = found;
  if (only === undefined || found.length > 1) {
    throw new Error(`${found.length} rows of the table hold for ${agent} in ${state} with [${reasons}]`);
  }
  return only;
}

/** Which causes outrank which: a higher one replaces cause and actor, whichever came first. */
export const RANKS: Readonly<Record<Cause, number>> = {
  drain: 1,
  restart: 2,
  SIGUSR1: 2,
  SIGTERM: 3,
  stop: 4,
  takeover: 4,
  SIGINT: 4,
  hangup: 4,
};

/** What each cause leaves for. */
export const INTENTS: Readonly<Record<Cause, Intent>> = {
  drain: 'drain',
  restart: 'restart',
  SIGUSR1: 'restart',
  SIGTERM: 'stop',
  stop: 'stop',
  takeover: 'stop',
  SIGINT: 'stop',
  hangup: 'stop',
};

/** A signal's sender cannot be known, and waits for the end of the process: nobody may cancel for them. */
export const IS_SIGNAL: Readonly<Record<Cause, boolean>> = {
  drain: false,
  restart: false,
  SIGUSR1: true,
  SIGTERM: true,
  stop: false,
  takeover: false,
  SIGINT: true,
  hangup: true,
};

/**
 * Where a request leads: `stays` as it is; `drains` to waiting, unless nothing is left to wait for;
 * `interrupts` the turns, unless nothing is left to interrupt; `leaves` to restarting or stopped by what was
 * asked; `runs` on, healthy or degraded.
 */
export type Place = 'stays' | 'drains' | 'interrupts' | 'leaves' | 'runs';

type Answer = readonly [Verdict, Place];

/** By the rank of the new cause against the one being carried out; none at all counts as lower. */
interface ByRank {
  readonly higher: Answer;
  readonly equal: Answer;
  readonly lower: Answer;
}

export interface VerdictRow {
  readonly stop: ByRank;
  readonly hurry: ByRank;
  readonly drain: Answer;
  readonly cancel: Answer;
  /** … when a signal has asked for a stop or restart too, whichever came first and whatever is carried out. */
  readonly cancelOfSignal: Answer;
  /** … from the timer of a drain that is no longer the one being carried out. */
  readonly cancelOfOther: Answer;
}

const always = (answer: Answer): ByRank => ({ higher: answer, equal: answer, lower: answer });
const cancels = (answer: Answer) => ({ cancel: answer, cancelOfSignal: answer, cancelOfOther: answer });

const RUNNING: VerdictRow = {
  stop: always(['taken', 'drains']),
  hurry: always(['hurried', 'interrupts']),
  drain: ['taken', 'drains'],
  ...cancels(['nothing-to-cancel', 'stays']),
};

const LEAVING: VerdictRow = {
  stop: { higher: ['raised', 'leaves'], equal: ['joined', 'stays'], lower: ['joined', 'stays'] },
  hurry: { higher: ['raised', 'leaves'], equal: ['joined', 'stays'], lower: ['joined', 'stays'] },
  drain: ['joined', 'stays'],
  ...cancels(['too-late', 'stays']),
};

/** Already stopping: a higher cause changes the exit code, and nothing starts over. */
const STOPPING: VerdictRow = {
  ...LEAVING,
  stop: { ...LEAVING.stop, higher: ['raised', 'stays'] },
  hurry: { ...LEAVING.hurry, higher: ['raised', 'stays'] },
};

/** Stopping because it failed: nothing that is asked for outranks that. */
export const FAILED: VerdictRow = {
  ...LEAVING,
  stop: always(['joined', 'stays']),
  hurry: always(['joined', 'stays']),
};

const CANCELLABLE = {
  cancel: ['cancelled', 'runs'],
  cancelOfSignal: ['too-late', 'stays'],
  cancelOfOther: ['too-late', 'stays'],
} as const;

export const VERDICTS: Readonly<Record<LeafState, VerdictRow>> = {
  starting: {
    stop: always(['taken', 'leaves']),
    hurry: always(['taken', 'leaves']),
    drain: ['still-starting', 'stays'],
    ...cancels(['nothing-to-cancel', 'stays']),
  },
  'running.healthy': RUNNING,
  'running.degraded': RUNNING,
  'draining.waiting': {
    stop: { higher: ['raised', 'stays'], equal: ['joined', 'stays'], lower: ['joined', 'stays'] },
    hurry: {
      higher: ['hurried', 'interrupts'],
      equal: ['hurried', 'interrupts'],
      lower: ['joined', 'stays'],
    },
    drain: ['joined', 'stays'],
    ...CANCELLABLE,
  },
  'draining.drained': {
    stop: always(['taken', 'drains']),
    hurry: always(['hurried', 'interrupts']),
    drain: ['joined', 'stays'],
    ...CANCELLABLE,
  },
  'draining.interrupting': {
    stop: { higher: ['raised', 'stays'], equal: ['joined', 'stays'], lower: ['joined', 'stays'] },
    hurry: { higher: ['raised', 'stays'], equal: ['joined', 'stays'], lower: ['joined', 'stays'] },
    drain: ['joined', 'stays'],
    ...cancels(['too-late', 'stays']),
  },
  'restarting.flushing': LEAVING,
  'restarting.closing': LEAVING,
  'stopped.flushing': STOPPING,
  'stopped.closing': STOPPING,
};

/** The leaf a place comes to, by what is carried out after the answer and by what is still in the work set. */
export function leafAt(
  place: Place,
  now: { state: string; intent: Intent | null; turns: number; commands: number; degraded: number },
): string {
  const left = now.intent === 'restart' ? 'restarting.flushing' : 'stopped.flushing';
  const busy = now.turns + now.commands > 0;
  switch (place) {
    case 'stays':
      return now.state;
    case 'leaves':
      return left;
    case 'runs':
      return now.degraded > 0 ? 'running.degraded' : 'running.healthy';
    case 'interrupts':
      return busy ? 'draining.interrupting' : left;
    case 'drains':
      if (now.intent === 'drain') return now.turns > 0 ? 'draining.waiting' : 'draining.drained';
      return busy ? 'draining.waiting' : left;
  }
}

export const SUPERVISORS = [
  'none',
  'systemd',
  'launchd',
  'supervise',
  'container',
] as const satisfies readonly Supervisor[];

/** The exit code, or `reexecute` where the process starts itself anew in place. */
export type Leaving = number | 'reexecute';

/** The exit of a gateway that was asked to leave. A plain drain never leaves. */
export const EXITS: Readonly<Record<Exclude<Cause, 'drain'>, Readonly<Record<Supervisor, Leaving>>>> = {
  stop: { none: 0, systemd: 0, launchd: 0, supervise: 0, container: 0 },
  SIGINT: { none: 0, systemd: 0, launchd: 0, supervise: 0, container: 0 },
  takeover: { none: 0, systemd: 0, launchd: 0, supervise: 0, container: 0 },
  hangup: { none: 0, systemd: 0, launchd: 0, supervise: 0, container: 0 },
  SIGTERM: { none: 0, systemd: 1, launchd: 1, supervise: 1, container: 0 },
  restart: { none: 'reexecute', systemd: 75, launchd: 75, supervise: 75, container: 'reexecute' },
  SIGUSR1: { none: 'reexecute', systemd: 75, launchd: 75, supervise: 75, container: 'reexecute' },
};

/** The exit of a gateway that failed, whatever it was asked for before or afterwards. */
export const FAILURES: Readonly<Record<FailureKind, Readonly<Record<Supervisor, number>>>> = {
  'config-invalid': { none: 78, systemd: 78, launchd: 78, supervise: 78, container: 78 },
  'schema-newer': { none: 78, systemd: 78, launchd: 78, supervise: 78, container: 78 },
  'store-corrupt': { none: 78, systemd: 78, launchd: 78, supervise: 78, container: 78 },
  'home-lost': { none: 72, systemd: 72, launchd: 72, supervise: 72, container: 72 },
  'home-owned': { none: 73, systemd: 73, launchd: 73, supervise: 73, container: 73 },
  'no-permission': { none: 77, systemd: 77, launchd: 77, supervise: 77, container: 77 },
  unavailable: { none: 69, systemd: 69, launchd: 69, supervise: 69, container: 69 },
  fault: { none: 70, systemd: 70, launchd: 70, supervise: 70, container: 70 },
};

/** What the third Ctrl-C leaves with under every supervisor; it does not ask the chart. */
export const THIRD_SIGINT = 130;
