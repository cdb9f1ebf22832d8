/**
 * The processes of this machine, as far as the gateway needs them to end its own: where each belongs, when it
 * began, and which work it was started for. Linux reads `/proc`; macOS asks `ps`.
 *
 * Neither lists process 1, the gateway itself, or zombies: nothing may or need be sent to those.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/** The environment variable that marks every process of one piece of work. */
export const WORK_ID_NAME = 'SLUICE_WORK_ID';

/** The environment variable that names the life which started it, and its home. */
export const LIFE_NAME = 'SLUICE_LIFE';

export interface TableEntry {
  readonly pid: number;
  readonly groupId: number;
  /** The session; on macOS, which does not show it, the group. */
  readonly sessionId: number;
  /** When it began, in the table's own time. */
  readonly startedMs: number;
  /** The marker it was started with; undefined without one, and for processes of other users. */
  readonly workId: string | undefined;
  /** The life that started it, as `abandoned.ts` writes it; undefined as above, and on macOS. */
  readonly life?: string | undefined;
}

/**
 * `listed`: those who were there before the first was shown, so that `each` never meets what its own signals
 * gave rise to. `all`: also those who are born meanwhile.
 */
export type Visited = 'listed' | 'all';

export interface ProcessTable {
  /** Now, in the time of `startedMs`. */
  nowMs(): number;
  /**
   * Shows every process to `each`. On Linux an entry is read immediately before it is shown, so that a signal
   * sent from within `each` reaches the process that was read and not a later owner of its number.
   */
  visit(each: (entry: TableEntry) => void, whom: Visited): Promise<void>;
  /** Visits `all` without a pause, for a process that is about to exit. On macOS it shows nothing. */
  visitNow(each: (entry: TableEntry) => void): void;
}

/** How many processes are read in one go (about 2 ms) before the event loop gets its turn. */
const SLICE_PROCESSES = 64;
/**
 * How often a visit of all lists the processes at most. One list is not enough to meet everybody: a process
 * that was listed can fork and exit before it is read, and its child is on no list yet. So the visit lists
 * again until it sees no new number; on a busy machine there may always be one.
 */
const LISTS_MAX = 32;

/**
 * `/proc` of Linux. `workOf` tells the work of a process that shows no marker, where the system itself knows it
 * (`Enclosures` in `exec.ts`).
 */
export function procTable(workOf?: (pid: number) => string | undefined): ProcessTable {
  return {
    nowMs: () => uptime() * 1000,
    async visit(each, whom) {
      for (const _ of visitInSlices(each, whom === 'all' ? LISTS_MAX : 1, workOf))
        await new Promise((resolve) => setImmediate(resolve));
    },
    visitNow(each) {
      for (const _ of visitInSlices(each, LISTS_MAX, workOf));
    },
  };
}

type WorkOf = ((pid: number) => string | undefined) | undefined;

function* visitInSlices(
  each: (entry: TableEntry) => void,
  listsMax: number,
  workOf: WorkOf,
): Generator<void, void, void> {
  const met = new Map<number, Meeting>();
  for (let list = 0; list < listsMax; list += 1) {
    const pids = listPids().filter((pid) => met.get(pid) !== 'seen');
    if (pids.length === 0) return;
    for (let from = 0; from < pids.length; from += SLICE_PROCESSES) {
      for (const pid of pids.slice(from, from + SLICE_PROCESSES)) meet(pid, met, each, workOf);
      yield;
    }
  }
}

/**
 * A process shows no environment while it is in the middle of an `exec`, and is then read again, since it may
 * carry a marker; one that was started without any environment looks the same.
 */
type Meeting = 'seen' | 'without environment';

function meet(
  pid: number,
  met: Map<number, Meeting>,
  each: (entry: TableEntry) => void,
  workOf: WorkOf,
): void {
  const environ = readOrNothing(`/proc/${pid}/environ`);
  const meeting = environ?.length === 0 ? 'without environment' : 'seen';
  if (met.get(pid) === meeting) return;
  met.set(pid, meeting);
  const workId = valueIn(environ, WORK_ID_NAME) ?? workOf?.(pid);
  const entry = readEntry(pid, workId, valueIn(environ, LIFE_NAME));
  if (entry !== undefined) each(entry);
}

/** Newest first: a process that forks and exits all the time is met before it has moved on to a new number. */
function listPids(): number[] {
  const pids: number[] = [];
  for (const name of namesInProc()) {
    const pid = Number(name);
    if (Number.isInteger(pid) && pid > 1 && pid !== process.pid) pids.push(pid);
  }
  return pids.sort((a, b) => b - a);
}

/** Without a readable `/proc` (not mounted, no descriptor free) process groups are all that can be reached. */
function namesInProc(): string[] {
  try {
    return readdirSync('/proc');
  } catch {
    return [];
  }
}

/** Fields of `/proc/PID/stat` behind the name: state is the file's 3rd, the start time its 22nd. */
const [STATE, GROUP, SESSION, START_TICKS] = [0, 2, 3, 19];
/** `USER_HZ`, the unit of times in `/proc`, is 100 on every Linux that Node runs on. */
const CLOCK_TICK_MS = 10;

/** Undefined when the process ended meanwhile. */
function readEntry(
  pid: number,
  workId: string | undefined,
  life: string | undefined,
): TableEntry | undefined {
  const stat = readOrNothing(`/proc/${pid}/stat`)?.toString('latin1');
  // The name in the second field may itself hold spaces and brackets: what follows the last one is plain.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields === undefined || fields[STATE] === 'Z' || fields[STATE] === 'X') return undefined;
  return {
    pid,
    groupId: Number(fields[GROUP]),
    sessionId: Number(fields[SESSION]),
    startedMs: Number(fields[START_TICKS]) * CLOCK_TICK_MS,
    workId,
    life,
  };
}

function readOrNothing(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** `environ` is a list of `NAME=value`, each ended by a zero byte. */
function valueIn(environ: Buffer | undefined, name: string): string | undefined {
  if (environ === undefined) return undefined;
  const prefix = `${name}=`;
  for (let at = environ.indexOf(prefix); at !== -1; at = environ.indexOf(prefix, at + 1)) {
    if (at > 0 && environ[at - 1] !== 0) continue;
    const end = environ.indexOf(0, at);
    return environ.toString('utf8', at + prefix.length, end === -1 ? environ.length : end);
  }
  return undefined;
}
