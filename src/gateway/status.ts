/** The status document: what `sluice status --json`, HTTP, `status.json` and the page show. */
import type { Admission, Cause, Intent, Kind } from '../../machines/events.ts';
import type { Supervisor } from '../../machines/exit.ts';
import type { LinkState } from '../platforms/platform.ts';
import type { LastExit } from '../store/store.ts';
import type { Link } from './connections.ts';
import type { Held } from './held.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { QuickCommands } from './quick-commands.ts';
import type { Turns } from './turns.ts';

/** Times are wall milliseconds. */
export interface StatusReport {
  /** The dotted path of the lifecycle chart: `draining.waiting`. */
  readonly state: string;
  readonly epoch: number;
  readonly pid: number;
  readonly version: string;
  readonly startedAt: number;
  readonly intent: Intent | null;
  readonly cause: Cause | null;
  readonly actor: string | null;
  readonly deadlineAt: number | null;
  /** What a message of each kind meets now; `turn` for the default agent and the configured busy mode. */
  readonly accepts: Readonly<Record<Kind, Admission>>;
  readonly degraded: readonly string[];
  readonly warnings: readonly string[];
  readonly held: number;
  readonly inFlight: {
    readonly turns: readonly { id: string; conversation: string; agent: string; startedAt: number }[];
    readonly commands: readonly { id: string; name: string; actor: string; startedAt: number }[];
  };
  readonly platforms: readonly { name: string; state: LinkState; lastEventAt: number }[];
  readonly agents: readonly {
    name: string;
    type: string;
    health: 'usable' | 'circuit-open';
    reason: string | null;
    accepts: Admission;
  }[];
  /** Where HTTP listens: `http://127.0.0.1:7171`; null while it does not. */
  readonly http: string | null;
  readonly supervisor: Supervisor;
  readonly lastExit: LastExit | null;
  /** The three limits of a shutdown, and how long the supervisor waits before it kills, where that is known. */
  readonly deadlines: { drainMs: number; killMs: number; exitMs: number; supervisorMs: number | null };
}

export interface StatusSources {
  readonly lifecycle: Lifecycle;
  readonly held: Held;
  readonly turns: Turns;
  readonly commands: QuickCommands;
  readonly links: () => readonly Link[];
  readonly agents: () => readonly { name: string; type: string }[];
  readonly about: Pick<StatusReport, 'pid' | 'version' | 'startedAt' | 'supervisor'>;
  readonly warnings: () => readonly string[];
  readonly http: () => string | null;
  readonly lastExit: () => LastExit | null;
  readonly deadlines: () => StatusReport['deadlines'];
}

export function statusReport(sources: StatusSources): StatusReport {
  const view = sources.lifecycle.view;
  return {
    state: view.state,
    epoch: sources.lifecycle.epoch,
    pid: sources.about.pid,
    version: sources.about.version,
    startedAt: sources.about.startedAt,
    intent: view.request?.intent ?? null,
    cause: view.request?.cause ?? null,
    actor: view.request?.actor ?? null,
    deadlineAt: view.deadlineAt,
    accepts: view.accepts,
    degraded: view.degraded,
    warnings: sources.warnings(),
    held: sources.held.count,
    inFlight: {
      turns: sources.turns.running.map(({ row }) => ({
        id: row.id,
        conversation: row.conversation,
        agent: row.agent,
        startedAt: row.startedAt,
      })),
      commands: sources.commands.inFlight.map(({ row, startedAt }) => ({
        id: row.id,
        name: row.name,
        actor: row.actor,
        startedAt: startedAt ?? row.receivedAt,
      })),
    },
    platforms: sources.links().map(({ name, state, lastEventAt }) => ({ name, state, lastEventAt })),
    agents: sources.agents().map(({ name, type }) => {
      const open = view.degraded.includes(`agent:${name}`);
      return {
        name,
        type,
        health: open ? 'circuit-open' : 'usable',
        reason: open ? `agent:${name}` : null,
        accepts: sources.lifecycle.turnAdmission(name),
      };
    }),
    http: sources.http(),
    supervisor: sources.about.supervisor,
    lastExit: sources.lastExit(),
    deadlines: sources.deadlines(),
  };
}
