/**
 * This process as others see it in its home: the pid file, which says who owns it, and the status file, which says
 * what it does. Both are information only, and neither keeps a gateway from running: what finds no room on the disk
 * is tried again until there is some.
 */
import type { Clock } from './clock.ts';
import type { HomePaths } from './config/paths.ts';
import { messageOf } from './errors.ts';
import type { StatusReport } from './gateway/status.ts';
import { type PidRecord, removePidFile, StatusFile, writePidFile } from './process/runtime-status.ts';
import type { LastExit } from './store/store.ts';
import type { Log } from './telemetry/log.ts';

/** How often counters are gathered for the status file; a change of state is written at once. */
const COUNTERS_MS = 250;

/** States that a gateway runs through while it leaves, each for about a millisecond. */
const LEAVING = /^(restarting|stopped|exited)/;

/** How often a pid file is tried again that found no room. */
const PID_FILE_RETRY_MS = 1000;

export interface PresenceOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly paths: HomePaths;
  /** What the pid file says now; a start without a store may learn its epoch later. */
  readonly record: () => PidRecord;
  readonly status: () => StatusReport;
}

export class Presence implements Disposable {
  readonly #options: PresenceOptions;
  readonly #status: StatusFile;
  readonly #timers = new DisposableStack();
  #pidFileRetry: Disposable | undefined;
  /** The file lacks something that waits for the next look. */
  #stale = false;
  /** The request that the last change of state belonged to. */
  #request = '';

  constructor(options: PresenceOptions) {
    const { clock, log, paths, record, status } = options;
    this.#options = options;
    const onProblem = (error: Error) => log.warn({ error: error.message }, 'the status could not be written');
    this.#status = new StatusFile({ path: paths.status, epoch: () => record().epoch, clock, onProblem });
    this.#timers.use(this.#status);
    this.#timers.defer(() => this.#pidFileRetry?.[Symbol.dispose]());
    this.#timers.use(clock.every(COUNTERS_MS, () => this.#gather()));
    this.announce();
    this.#status.update(status(), { changed: true });
  }

  /** Writes the pid file, now or as soon as there is room; again when what it says has changed. */
  announce(): void {
    const { clock, log } = this.#options;
    this.#pidFileRetry?.[Symbol.dispose]();
    if (this.#wrotePidFile((error) => log.warn({ error }, 'the pid file could not be written'))) return;
    const retry = clock.every(PID_FILE_RETRY_MS, () => {
      if (!this.#wrotePidFile()) return;
      retry[Symbol.dispose]();
      log.info('the pid file is written');
    });
    this.#pidFileRetry = retry;
  }

  /**
   * Something that a status shows has changed. A state is written before whoever asked for it is answered; the steps
   * that follow of themselves while the gateway leaves are gathered like counters, and the last word is `end`'s.
   */
  changed(what: 'state' | 'counters'): void {
    this.#stale = true;
    if (what === 'counters') return;
    const status = this.#options.status();
    const request = [status.intent, status.cause, status.actor].join(' ');
    const follows = LEAVING.test(status.state) && request === this.#request;
    this.#request = request;
    if (follows) return;
    this.#stale = false;
    this.#status.update(status, { changed: true });
  }

  /** The last status, with how it ended. The pid file outlives an in-place restart, as the process does. */
  end(exit: LastExit, { becomesNextLife }: { becomesNextLife: boolean }): void {
    const { paths, record, status } = this.#options;
    this.#status.close({ ...status(), exit });
    this[Symbol.dispose]();
    if (!becomesNextLife) removePidFile(paths.pid, record().epoch);
  }

  [Symbol.dispose](): void {
    this.#timers.dispose();
  }

  #gather(): void {
    if (this.#stale) this.#status.update(this.#options.status(), { changed: false });
    this.#stale = false;
  }

  #wrotePidFile(onError: (message: string) => void = () => {}): boolean {
    const { paths, record } = this.#options;
    try {
      writePidFile(paths.pid, record());
      return true;
    } catch (error) {
      onError(messageOf(error));
      return false;
    }
  }
}
