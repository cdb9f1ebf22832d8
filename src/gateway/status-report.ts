/** The status document: what `sluice status --json`, HTTP, `status.json` and the page show. Types only. */
import type { LinkState } from '../../machines/connection-events.ts';
import type { Admission, Cause, Intent, Kind } from '../../machines/events.ts';
import type { Supervisor } from '../../machines/exit.ts';
import type { LastExit } from '../store/last-exit.ts';

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
  /** Turns that were taken and wait for a free place, or for the one before them in their conversation. */
  readonly waiting: number;
  /** Messages that wait for a person's word: `/resume` in their conversation. */
  readonly awaitingResume: number;
  readonly inFlight: {
    readonly turns: readonly { id: string; conversation: string; agent: string; startedAt: number }[];
    /** `waiting`: for a free place, since `startedAt`. */
    readonly commands: readonly {
      id: string;
      name: string;
      actor: string;
      startedAt: number;
      waiting: boolean;
    }[];
  };
  readonly platforms: readonly {
    name: string;
    state: LinkState;
    /** Why there is no link; null while there is one, and during the first attempt. */
    reason: string | null;
    /** Of the last message or change. */
    lastEventAt: number;
  }[];
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
