/**
 * This process as others see it in its home: the pid file, which says who owns it, and the status file, which says
 * what it does. Both are information only, and neither keeps a gateway from running: what finds no room on the disk
 * is tried again until there is some.
 */
import { statSync } from 'node:fs';
import type { FailureKind } from '../machines/events.ts';
import type { Clock } from './clock.ts';
import type { HomePaths } from './config/paths.ts';
import { messageOf } from './errors.ts';
import type { StatusReport } from './gateway/status-report.ts';
import type { UnrecordedEnd } from './last-words.ts';
import { type FinalExit, type PidRecord, removePidFile, writePidFile } from './process/runtime-status.ts';
import { StatusFile } from './process/status-file.ts';
import type { Log } from './telemetry/log.ts';

/** Of the life that says it itself; one without an epoch is that of a start which failed before it had one. */
interface OwnExit extends FinalExit {
  readonly epoch: number;
}

/** How often counters are gathered for the status file; a change of state is written at once. */
const COUNTERS_MS = 250;

/** States that a gateway runs through while it leaves, each for about a millisecond. */
const LEAVING = /^(restarting|stopped|exited)/;

export interface PresenceOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly paths: HomePaths;
  /** False once the home is no longer this life's: then nothing of it is touched. */
  readonly isOurs: () => boolean;
  /** What the pid file says now; a start without a store may learn its epoch later. */
  readonly record: () => PidRecord;
  readonly status: () => StatusReport;
  /** Why it leaves without having been asked to, also when it had been; null: it does not. */
  readonly failure: () => FailureKind | null;
  /** Ends of lives that the store does not know of; kept here until it does. */
  readonly ends: () => readonly UnrecordedEnd[];
}

export class Presence implements Disposable {
  readonly #options: PresenceOptions;
  readonly #status: StatusFile;
  readonly #timers = new DisposableStack();
  /** The pid file as it was written, by its place on the disk; undefined while it could not be. */
  #pidFile: string | undefined;
  /** The file lacks something that waits for the next look. */
  #stale = false;
  /** The request, and the failure, that the last change of state belonged to. */
  #why = '';

  constructor(options: PresenceOptions) {
    const { clock, log, paths, record, isOurs } = options;
    this.#options = options;
    const onProblem = (error: Error) => log.warn({ error: error.message }, 'the status could not be written');
    this.#status = new StatusFile({
      path: paths.status,
      isOurs,
      epoch: () => record().epoch,
      clock,
      onProblem,
    });
    this.#timers.use(this.#status);
    this.#timers.use(clock.every(COUNTERS_MS, () => this.#gather()));
    this.announce();
    this.#status.update(this.#document(), { changed: true });
  }

  /** Writes the pid file; again when what it says has changed. What finds no room is written by `keep`. */
  announce(): void {
    this.#pidFile = this.#writtenPidFile((error) =>
      this.#options.log.warn({ error }, 'the pid file could not be written'),
    );
  }

  /** Puts the pid file back where somebody deleted or changed it, or where it had found no room. */
  keep(): void {
    const { paths, log } = this.#options;
    if (this.#timers.disposed) return;
    if (this.#pidFile !== undefined && fileAt(paths.pid) === this.#pidFile) return;
    this.#pidFile = this.#writtenPidFile();
    if (this.#pidFile !== undefined) log.info('the pid file is written');
  }

  /**
   * Something that a status shows has changed. A state is written before whoever asked for it is answered; the steps
   * that follow of themselves while the gateway leaves are gathered like counters, and the last word is `end`'s.
   */
  changed(what: 'state' | 'counters'): void {
    this.#stale = true;
    if (what === 'counters') return;
    const status = this.#options.status();
    const why = [status.intent, status.cause, status.actor, this.#options.failure()].join(' ');
    const follows = LEAVING.test(status.state) && why === this.#why;
    this.#why = why;
    if (follows) return;
    this.#stale = false;
    this.#status.update(this.#document(status), { changed: true });
  }

  /** The last status, with how it ended. The pid file outlives an in-place restart, as the process does. */
  end(exit: FinalExit, { becomesNextLife }: { becomesNextLife: boolean }): void {
    const { paths, record, isOurs } = this.#options;
    const { epoch } = record();
    const own: OwnExit = { epoch, ...exit };
    const document = this.#document();
    const { state, pid, version, startedAt, startTime, bootId, ends } = document;
    const brief = { state, pid, version, startedAt, startTime, bootId, ends, exit: own };
    this.#status.close({ ...document, exit: own }, brief);
    this[Symbol.dispose]();
    if (!becomesNextLife && isOurs()) removePidFile(paths.pid, epoch);
  }

  [Symbol.dispose](): void {
    this.#timers.dispose();
  }

  #gather(): void {
    if (this.#stale) this.#status.update(this.#document(), { changed: false });
    this.#stale = false;
  }

  /** With what tells this process from a later one of its pid, for a reader who finds no pid file. */
  #document(status: StatusReport = this.#options.status()) {
    const { startTime, bootId } = this.#options.record();
    const [ends, failure] = [this.#options.ends(), this.#options.failure()];
    return {
      ...{ ...status, startTime, bootId },
      ...(failure === null ? {} : { failure }),
      ...(ends.length > 0 ? { ends } : {}),
    };
  }

  #writtenPidFile(onError: (message: string) => void = () => {}): string | undefined {
    const { paths, record } = this.#options;
    try {
      writePidFile(paths.pid, record());
      return fileAt(paths.pid);
    } catch (error) {
      onError(messageOf(error));
      return undefined;
    }
  }
}

/** Which file lies there, in which version: changed contents have another time. */
function fileAt(path: string): string | undefined {
  try {
    const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}`;
  } catch {
    // Also a link to itself, or a place that may not be looked at: not our file.
    return undefined;
  }
}
