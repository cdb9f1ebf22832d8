/**
 * What a run leaves for whoever asks afterwards: its log on disk and in memory, and a report where it ended as it
 * should not. It keeps lines from the first one on and touches the home only once that is ours; nothing that goes
 * wrong here is felt by the gateway.
 */
import { systemClock as clock } from '../clock.ts';
import { withoutSecrets } from '../config/redact.ts';
import { messageOf } from '../errors.ts';
import { type CrashDocument, type CrashReason, writeCrashReport } from '../telemetry/crash-report.ts';
import type { Log } from '../telemetry/log.ts';
import { LogFiles } from '../telemetry/log-files.ts';
import { LogTail } from '../telemetry/log-tail.ts';
import type { Secrets } from '../telemetry/secrets.ts';
import type { Fault } from './fault.ts';

export interface BlackBoxOptions {
  readonly secrets: Secrets;
  /** Of this program. */
  readonly version: string;
  /** Used once lines come, never before. */
  readonly log: () => Log;
}

export class BlackBox implements Disposable {
  readonly tail: LogTail;
  readonly #options: BlackBoxOptions;
  readonly #files: LogFiles;
  readonly #reported = new Set<CrashReason>();
  #folder: string | undefined;

  constructor(options: BlackBoxOptions) {
    this.#options = options;
    const onProblem = (message: string) => options.log().warn(message);
    this.tail = new LogTail(`${process.pid}.${clock.wallMs()}`, onProblem);
    this.#files = new LogFiles({ clock, onProblem });
  }

  /** Takes one line of the log, as JSON with its line break. */
  keep(line: string): void {
    this.tail.add(line);
    this.#files.write(line);
  }

  /** The home is ours. */
  open(folder: string): void {
    this.#folder = folder;
    this.#files.open(folder);
  }

  /** The start has worked: this life's log is worth keeping beside the next one's. */
  hasRun(): void {
    this.#files.hasRun();
  }

  /**
   * Writes a report, the first time for each reason, and says where it is. `status` is asked for what the gateway was
   * doing; a home that is not ours gets none.
   */
  report(reason: CrashReason, fault: Fault, status: () => unknown): void {
    const folder = this.#folder;
    if (folder === undefined || this.#reported.has(reason)) return;
    this.#reported.add(reason);
    const { version, log } = this.#options;
    const crash = {
      reason,
      ...fault,
      at: clock.wallMs(),
      status: quietly(status),
      versions: versionsOf(version),
      memory: { ...process.memoryUsage() },
      uptimeMs: Math.round(process.uptime() * 1000),
      lines: this.tail.after(0).map(({ line }) => line),
    };
    try {
      const path = writeCrashReport(folder, crash, (document) => this.#clean(document));
      log().error({ reason, report: path }, `a report of what happened is in ${path}`);
    } catch (error) {
      log().error({ reason, error: messageOf(error) }, 'a report of what happened could not be written');
    }
  }

  /** Of the fault what looks like a secret is out already; the rest was written by whoever logged and configured. */
  #clean({ message, stack, ...rest }: CrashDocument): unknown {
    const { secrets } = this.#options;
    const [fault, context] = [secrets.redactIn({ message, stack }), secrets.redactIn(rest, withoutSecrets)];
    return Object.assign({}, fault, context);
  }

  /** Nothing is written afterwards: the home may be another's by then. */
  [Symbol.dispose](): void {
    this.#folder = undefined;
    this.#files[Symbol.dispose]();
  }
}

function versionsOf(sluice: string): Record<string, string> {
  const { node = '', v8 = '', sqlite = '' } = process.versions;
  return { sluice, node, v8, sqlite, platform: process.platform, arch: process.arch };
}

/** A gateway with a defect may not be able to say what it was doing. */
function quietly(status: () => unknown): unknown {
  try {
    return status();
  } catch (error) {
    return { unknown: messageOf(error) };
  }
}
