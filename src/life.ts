/**
 * This process as others see it: its row among the lives, the pid file, the status file and their end. Also
 * what it finds of lives that are over.
 */
import type { Exit } from '../machines/exit.ts';
import type { Clock } from './clock.ts';
import type { HomePaths } from './config/paths.ts';
import { isSluiceError, messageOf } from './errors.ts';
import type { Gateway } from './gateway/gateway.ts';
import { recover } from './gateway/recovery.ts';
import type { Processes } from './process/exec.ts';
import { isAlive, processIdentity } from './process/identity.ts';
import { readStatusFile, removePidFile, StatusFile, writePidFile } from './process/runtime-status.ts';
import type { Life, LifeStart, Store } from './store/store.ts';
import type { Log } from './telemetry/log.ts';

/** How often counters are gathered for the status file; a change of state is written at once. */
const COUNTERS_MS = 250;

export interface LifeKeeperOptions {
  readonly gateway: Gateway;
  readonly store: Store;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly log: Log;
  readonly paths: HomePaths;
  readonly options: { readonly version: string; readonly argv: readonly string[] };
}

export class LifeKeeper implements Disposable {
  readonly #options: LifeKeeperOptions;
  readonly #identity = processIdentity();
  #life: Life | undefined;
  #epoch = 0;
  #status: StatusFile | undefined;
  #counters: Disposable | undefined;

  constructor(options: LifeKeeperOptions) {
    this.#options = options;
  }

  /** Registers this life; with a store that cannot be written, counts on from what `status.json` knows. */
  async begin(): Promise<void> {
    const { gateway, store } = this.#options;
    if (store.writable) {
      try {
        await this.#register();
        return;
      } catch (error) {
        // It was opened, and refuses the first write: an outage like any other.
        if (!isSluiceError(error, 'STORE_UNAVAILABLE')) throw error;
      }
    }
    this.#epoch = this.#epochBefore() + 1;
    gateway.begin({ ...this.#identity, kind: 'daemon', id: 0, epoch: this.#epoch });
    gateway.storeIsDown();
  }

  /** Goes on with what dead lives left, once the store is there. */
  async recover(): Promise<void> {
    const { gateway, store, processes, clock, log } = this.#options;
    if (this.#life === undefined) return;
    const isLiving = (other: Life) => isAlive(other) && !this.#isOurs(other);
    const recovered = await recover({ store, processes, clock, log, life: this.#life, isLiving });
    // Known only now: a life that was killed has its end from the recovery.
    gateway.resume(recovered, (await store.lastExit(this.#epoch)) ?? null);
  }

  /** Does what a start without a store had to leave out. */
  async beginLate(): Promise<void> {
    if (this.#life !== undefined) return;
    await this.#register();
    await this.recover();
  }

  /** Writes the pid file and keeps `status.json` true from now on. */
  publish(config: string): void {
    const { gateway, clock, log, paths, options } = this.#options;
    const epoch = this.#epoch;
    try {
      writePidFile(paths.pid, {
        ...this.#identity,
        epoch,
        argv: [...options.argv],
        config,
        socket: paths.socket,
      });
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'the pid file could not be written');
    }
    const onProblem = (error: Error) => log.warn({ error: error.message }, 'the status could not be written');
    const status = new StatusFile({ path: paths.status, epoch, clock, onProblem });
    status.update(gateway.status, { changed: true });
    let stale = false;
    gateway.onChange((what) => {
      if (what === 'state') status.update(gateway.status, { changed: true });
      else stale = true;
    });
    this.#counters = clock.every(COUNTERS_MS, () => {
      if (stale) status.update(gateway.status, { changed: false });
      stale = false;
    });
    this.#status = status;
  }

  /** The start is over: a later death is not a failed start. */
  async ready(): Promise<void> {
    const { store, clock } = this.#options;
    if (this.#life === undefined) return;
    await store.commit([{ op: 'life.ready', id: this.#life.id, at: clock.wallMs() }]).catch(() => {});
  }

  /**
   * Says, everywhere, how it ended. A store that cannot be written learns it from the next start. The pid file
   * outlives an in-place restart, as the process does.
   */
  async end({ code, cause, reexecute }: Exit): Promise<void> {
    const { gateway, store, clock, paths } = this.#options;
    if (this.#life !== undefined) {
      const end = { op: 'life.end', id: this.#life.id, at: clock.wallMs(), code, cause } as const;
      await store.commit([end]).catch(() => {});
    }
    this.#status?.close({ ...gateway.status, exit: { code, cause, at: clock.wallMs() } });
    if (!reexecute) removePidFile(paths.pid, this.#epoch);
  }

  [Symbol.dispose](): void {
    this.#counters?.[Symbol.dispose]();
    this.#status?.[Symbol.dispose]();
  }

  async #register(): Promise<void> {
    const { gateway, store, clock, options } = this.#options;
    const start: LifeStart = {
      ...this.#identity,
      kind: 'daemon',
      version: options.version,
      startedAt: clock.wallMs(),
      epochAbove: Math.max(this.#epochBefore(), this.#epoch - 1),
    };
    this.#life = await store.begin(start);
    this.#epoch = this.#life.epoch ?? this.#epoch;
    gateway.begin(this.#life);
  }

  /** An in-place restart keeps pid and start time: a life of ours with a smaller epoch is over. */
  #isOurs({ pid, startTime, bootId }: Life): boolean {
    const own = this.#identity;
    return pid === own.pid && startTime === own.startTime && bootId === own.bootId;
  }

  #epochBefore(): number {
    const { paths, clock } = this.#options;
    const epoch = readStatusFile(paths.status, clock)?.status.epoch;
    return this.#status === undefined && typeof epoch === 'number' ? epoch : 0;
  }
}
