/**
 * Everything that one started process has become: its group, its session, and whatever carries its marker.
 *
 * A process belongs to the tree when
 * - it carries the marker (it may have left the group and the session, as daemons do), or
 * - it is in the session that the leader opened (it may have been started with an empty environment).
 * Only a process that did both, left the session and dropped the environment, escapes.
 *
 * Numbers are reused, so a signal needs a proof that its target is ours. The kernel keeps a number from being
 * given away while any process has it as its pid, group or session. So:
 * - while the leader is not reaped, its number is ours, and so are the group and the session of that number;
 * - afterwards they stay ours until the last member ends. A member that began before a moment at which the
 *   session was ours is proof that it still is: nobody can join a session, only be born into it. Each pass
 *   that sees such a member moves that moment forward.
 */
import type { ProcessTable, TableEntry, Visited } from './process-table.ts';

/** 0 only asks who is there. */
export type TreeSignal = 'SIGTERM' | 'SIGKILL' | 0;

/** One signal for the whole tree. */
interface Pass {
  /** Signals the group, once, where that is safe without a look at its members. */
  signalGroup(): void;
  /** Signals this process, if it is of the tree and its group is not signalled already. */
  meet(entry: TableEntry): void;
}

export class ProcessTree {
  readonly #leader: number;
  readonly #workId: string;
  readonly #table: ProcessTable;
  /** The latest moment at which the session was ours, in the table's time; undefined until the leader is reaped. */
  #oursAtMs: number | undefined;

  /** `leader` is the pid of a process that opened a session of its own and is not reaped yet. */
  constructor(leader: number, workId: string, table: ProcessTable) {
    this.#leader = leader;
    this.#workId = workId;
    this.#table = table;
  }

  /** To be called in the tick in which the leader's exit is reported. */
  leaderReaped(): void {
    this.#oursAtMs = this.#table.nowMs();
  }

  /** Signals the whole tree once and resolves to the pids that were alive, the leader's among them. */
  async signal(signal: TreeSignal): Promise<ReadonlySet<number>> {
    const alive = new Set<number>();
    const pass = this.beginPass(signal, alive);
    // One call reaches a whole group, so that none of its members can fork away from it. TERM waits for the list:
    // what its handlers start to clean up with is not on it and may finish.
    if (signal !== 'SIGTERM') pass.signalGroup();
    await this.#table.visit(pass.meet, whomToMeet(signal));
    pass.signalGroup();
    if (this.#oursAtMs === undefined) alive.add(this.#leader);
    return alive;
  }

  /** Whom the pass meets alive is added to `alive`. */
  beginPass(signal: TreeSignal, alive: Set<number>): Pass {
    const begunMs = this.#table.nowMs();
    let groupIsSignalled = false;
    return {
      signalGroup: () => {
        if (!groupIsSignalled && this.#oursAtMs === undefined) groupIsSignalled = send(-this.#leader, signal);
      },
      meet: (entry) => {
        if (entry.workId !== this.#workId && !this.#isMember(entry)) return;
        alive.add(entry.pid);
        if (this.#oursAtMs !== undefined && entry.sessionId === this.#leader) {
          this.#oursAtMs = Math.max(this.#oursAtMs, begunMs);
        }
        if (entry.groupId !== this.#leader) send(entry.pid, signal);
        else if (!groupIsSignalled) groupIsSignalled = send(-this.#leader, signal);
      },
    };
  }

  #isMember(entry: TableEntry): boolean {
    if (entry.sessionId !== this.#leader) return false;
    return this.#oursAtMs === undefined || entry.startedMs <= this.#oursAtMs;
  }
}

/** Signals every process that carries one of the markers, but for those that are `spared`; resolves to the pids that were alive. */
export async function signalMarked(
  workIds: ReadonlySet<string>,
  signal: TreeSignal,
  table: ProcessTable,
  spared: (entry: TableEntry) => boolean,
): Promise<ReadonlySet<number>> {
  const alive = new Set<number>();
  const meet = (entry: TableEntry) => {
    if (entry.workId === undefined || !workIds.has(entry.workId) || spared(entry)) return;
    alive.add(entry.pid);
    send(entry.pid, signal);
  };
  await table.visit(meet, whomToMeet(signal));
  return alive;
}

const whomToMeet = (signal: TreeSignal): Visited => (signal === 'SIGTERM' ? 'listed' : 'all');

/**
 * False when nothing was reached: the target ended by itself a moment ago, or runs as another user (sudo),
 * where no signal of ours arrives. Targets that would mean "everybody" or the gateway itself are refused.
 */
function send(target: number, signal: TreeSignal): boolean {
  if (Math.abs(target) <= 1 || target === process.pid) return false;
  try {
    return process.kill(target, signal);
  } catch {
    return false;
  }
}
