/** What one run of the daemon is called with, and what it is made of. */
import type { Exit, Supervisor } from '../../machines/exit.ts';
import type { HomePaths, WorkingFolder } from '../config/paths.ts';
import type { Config } from '../config/schema.ts';
import type { PlatformKind } from '../platforms/platform.ts';
import type { Processes } from '../process/exec.ts';
import type { HomeLock } from '../process/lock.ts';
import type { Signals } from '../process/signals.ts';
import type { SqliteStore } from '../store/sqlite.ts';
import type { Log } from '../telemetry/log.ts';
import type { Secrets } from '../telemetry/secrets.ts';
import type { Acquired } from './acquired.ts';
import type { BlackBox } from './black-box.ts';

export interface DaemonOptions {
  readonly homeFlag?: string | undefined;
  readonly configFlag?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Undefined where it was deleted. */
  readonly cwd: WorkingFolder;
  readonly argv: readonly string[];
  readonly version: string;
  readonly signals: Signals;
  /** This is the second half of an in-place restart. */
  readonly inPlace: boolean;
  /** The environment of the next life, if this process becomes it. */
  readonly nextEnv: NodeJS.ProcessEnv;
  /** Takes log lines. */
  readonly stderr: { write(text: string): void; readonly isTerminal: boolean; readonly colour: boolean };
  /** Shows a started gateway to a person. */
  readonly welcome: (about: Welcome) => void;
  /** Told of the error that ends the gateway, before it leaves; absent: the log alone has it. */
  readonly failed?: (error: unknown) => void;
  /** Ends the process at once, without the chart. */
  readonly leaveNow: (code: number) => void;
  /** Platforms besides the local one. */
  readonly platformKinds?: Readonly<Record<string, PlatformKind>>;
  /** What is put around the store as soon as it is open; absent: nothing. */
  readonly wrapStore?: (store: SqliteStore) => SqliteStore;
}

/** What the banner of a started gateway shows. */
export interface Welcome {
  readonly home: string;
  readonly state: string;
  readonly http: string | null;
  readonly token: string;
  readonly tokenFile: string;
  readonly config: Config;
  readonly warnings: readonly string[];
}

/** What every part of a run is given. */
export interface World {
  readonly options: DaemonOptions;
  readonly supervisor: Supervisor;
  readonly log: Log;
  readonly blackBox: BlackBox;
  readonly secrets: Secrets;
  readonly acquired: Acquired;
  readonly home: string;
  readonly paths: HomePaths;
  readonly processes: Processes;
  readonly startAbort: AbortController;
  /** How a stop leaves that came after the chart's end: it still beats an in-place restart. */
  readonly late: { exit: Exit | undefined };
}

/** A run whose home is its own. */
export interface HomeWorld extends World {
  readonly lock: HomeLock;
}
