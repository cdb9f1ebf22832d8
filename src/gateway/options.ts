/** What the core is given from outside: ports, configuration, and the few things only a composition root can do. */
import type { InspectionEvent } from 'xstate';
import type { Supervisor } from '../../machines/exit.ts';
import type { Agent } from '../agents/agent.ts';
import type { Clock } from '../clock.ts';
import type { Config, ExecCommand } from '../config/schema.ts';
import type { Platform } from '../platforms/platform.ts';
import type { Processes } from '../process/exec.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { StatusReport } from './status-report.ts';

export interface GatewayOptions {
  readonly config: () => Config;
  readonly store: Store;
  readonly processes: Processes;
  readonly platforms: readonly Platform[];
  readonly agent: (name: string) => Agent | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly supervisor: Supervisor;
  readonly about: Pick<StatusReport, 'pid' | 'version' | 'startedAt'>;
  /** How long the supervisor waits before it kills; null where that is not known. */
  readonly supervisorMs: number | null;
  /** The whole environment of a command with these values for its arguments, without its marker. */
  readonly environment: (
    command: ExecCommand,
    values: Readonly<Record<string, string>>,
  ) => Record<string, string>;
  /** The text without known secrets, for whatever leaves the gateway. */
  readonly redact: (text: string) => string;
  /** What the owner of the configuration should know. */
  readonly configWarnings: () => readonly string[];
  /** What is wrong with the configuration on disk, with its lines or without; null when a restart could use it. */
  readonly configProblem: (options: { withLines: boolean }) => string | null;
  /** What keeps this program from being started again in place; null where nothing does. Absent: it is never looked at. */
  readonly programProblem?: () => string | null;
  /** The start is to end: a stop came during it, or it failed. */
  readonly abortStart: () => void;
  /** Takes no new connection on the local faces; resolves when requests under way are answered. */
  readonly closeFaces: () => Promise<void>;
  /** Looks once more whether a store that failed can be written; resolves when what waited for that is. Never rejects. */
  readonly tryStore: () => Promise<void>;
  /** A number in [0, 1), to spread waits with; absent: chance. */
  readonly random?: () => number;
  /** Another inspector of the lifecycle actor; it must not throw. */
  readonly inspect?: (event: InspectionEvent) => void;
}
