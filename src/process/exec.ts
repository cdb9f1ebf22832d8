/**
 * Starts and ends every child process of the gateway: quick commands, agents, `systemd-notify`.
 *
 * - Each gets a session and process group of its own, so that a Ctrl-C in the gateway's terminal does not reach
 *   it, and markers of its work and life in its environment, so that its tree is found even after a restart.
 * - A result always comes: `timeoutMs` + `graceMs` + about 200 ms after the start at the latest, also when a
 *   descendant holds the pipes. When it comes because the process was ended, none of its tree is alive; only
 *   what left both session and marker, or became another user, escapes.
 * - Output is drained as it comes and kept within `outputBytesMax`, so a flood costs time but no memory.
 * - A process that exits by itself with its pipes at their end costs no look at the process table, and what it
 *   left in the background with other outputs is left alone: people start daemons from commands.
 */
import { execa } from 'execa';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { abandonedWork, isElsewhere, lifeMarker } from './abandoned.ts';
import { processIdentity } from './identity.ts';
import { LIFE_NAME, procTable, type TableEntry, WORK_ID_NAME } from './process-table.ts';
import { signalMarked, type TreeSignal } from './process-tree.ts';
import { PS_COMMAND, psTable } from './ps-table.ts';
import { type Child, type ProcessSpec, Run, type RunningProcess } from './run.ts';
import { explainStartFailure, type StartFailure } from './start-failure.ts';
import { endTree } from './tree-end.ts';

export type { EndReason, ProcessResult, ProcessSpec, RunningProcess } from './run.ts';

export interface Processes {
  /** Never throws: a program that cannot be started is a result. */
  start(spec: ProcessSpec): RunningProcess;
  /** Sends KILL to every running tree before it returns, for a gateway that exits in this tick. */
  killAllNow(): void;
  /**
   * Ends every process that carries one of these markers, and what dead lives of this home left running besides
   * (`abandoned.ts`). Resolves to their number. The ids must not be those of running work.
   */
  sweep(workIds: ReadonlySet<string>): Promise<number>;
  /** How many have been started and have no result yet. */
  readonly runningCount: number;
}

/**
 * Where the system itself keeps the processes of one piece of work together, as a cgroup for each does: no process gets
 * out of that, whatever it does to session and environment. Nothing here may throw.
 */
export interface Enclosures {
  /** Puts a started process in; what it starts from then on is in as well. */
  enter(workId: string, pid: number): void;
  /** The work that a process is enclosed with; undefined when it is in no enclosure of ours. */
  workOf(pid: number): string | undefined;
  /** The work has its result. */
  leave(workId: string): void;
}

/** How long a process of a dead life gets from TERM to KILL: a start of the gateway waits for it. */
const SWEEP_GRACE_MS = 500;
/** How long `ps` may take. */
const PS_TIMEOUT_MS = 2000;

/**
 * `home`: whose work it is, so that a later life of it finds what this one leaves behind; absent: nobody's.
 * `enclosures`: absent, markers and sessions alone tell what belongs together.
 */
export function createProcesses(clock: Clock, home?: string, enclosures?: Enclosures): Processes {
  const life = home === undefined ? {} : lifeOf(home);
  const table = process.platform === 'darwin' ? psTable(runPs) : procTable(enclosures?.workOf);
  const running = new Set<Run>();
  return {
    start(spec) {
      const child = launch(spec, life);
      if ('failure' in child) return notStarted(child.failure);
      enclosures?.enter(spec.workId, child.pid);
      const run = new Run(spec, child, clock, table);
      running.add(run);
      void run.result.finally(() => {
        running.delete(run);
        enclosures?.leave(spec.workId);
      });
      return run;
    },
    killAllNow() {
      const passes = Array.from(running, (run) => run.tree.beginPass('SIGKILL', new Set()));
      if (passes.length === 0) return;
      for (const pass of passes) pass.signalGroup();
      table.visitNow((entry) => {
        for (const pass of passes) pass.meet(entry);
      });
    },
    async sweep(workIds) {
      const abandoned = home === undefined ? [] : await abandonedWork(home, table);
      const all = new Set([...workIds, ...abandoned]);
      if (all.size === 0) return 0;
      const spared = ({ life }: TableEntry) =>
        home !== undefined && life !== undefined && isElsewhere(home, life);
      const marked = { signal: (signal: TreeSignal) => signalMarked(all, signal, table, spared) };
      const ended = await endTree(marked, {
        clock,
        graceMs: SWEEP_GRACE_MS,
        gone: Promise.resolve(),
        hurry: new AbortController().signal,
        count: 'all',
      });
      return ended.size;
    },
    get runningCount() {
      return running.size;
    },
  };
}

/** Without a readable `/proc` nobody could find it by its life anyway. */
function lifeOf(home: string): Record<string, string> {
  try {
    return { [LIFE_NAME]: lifeMarker(home, processIdentity()) };
  } catch {
    return {};
  }
}

function launch(
  spec: ProcessSpec,
  life: Readonly<Record<string, string>>,
): Child | { failure: Promise<StartFailure> } {
  const [file, ...args] = argvOf(spec.command);
  const explain = (code: string | undefined, message: string) =>
    explainStartFailure(code, message, file, spec.cwd);
  try {
    const child = execa(file, args, {
      cwd: spec.cwd,
      env: { ...spec.env, ...life, [WORK_ID_NAME]: spec.workId },
      extendEnv: false,
      stdin: spec.input === undefined ? 'ignore' : 'pipe',
      detached: true,
      // Output, deadlines and the end of the tree are ours: execa neither collects, waits nor kills.
      buffer: false,
      reject: false,
      cleanup: false,
    });
    const { pid, nodeChildProcess: handle } = child;
    if (pid !== undefined) return { pid, handle, closed: child };
    return { failure: child.then(({ code, cause }) => explain(code, messageOf(cause))) };
  } catch (thrown) {
    // execa refuses what no system could run, such as an argument with a zero byte.
    return { failure: Promise.resolve(explain(undefined, messageOf(thrown))) };
  }
}

function argvOf(command: ProcessSpec['command']): [file: string, ...args: string[]] {
  if (typeof command === 'string') return ['/bin/sh', '-c', command];
  const [file = '', ...args] = command;
  return [file === 'node' ? process.execPath : file, ...args];
}

function notStarted(failure: Promise<StartFailure>): RunningProcess {
  const result = failure.then((startError) => ({
    started: false,
    startError,
    exitCode: null,
    signal: null,
    ended: null,
    stdout: '',
    stderr: '',
    cutBytes: 0,
    durationMs: 0,
    leftovers: 0,
  }));
  return { pid: undefined, result, end: () => {} };
}

async function runPs(): Promise<string> {
  const [file = '', ...args] = PS_COMMAND;
  const options = { env: { LC_ALL: 'C' }, extendEnv: false, timeout: PS_TIMEOUT_MS, reject: false } as const;
  return (await execa(file, args, options)).stdout ?? '';
}
