/**
 * This process among the lives of its home: its row in the store, its presence in the home's files, the end of both,
 * and what it finds of lives that are over. A start whose store fails leaves out what needs it, and does it as soon
 * as the store is back: registering and recovering are each done once, and a recovery that failed was none.
 */
import type { Exit } from '../machines/exit.ts';
import type { Clock } from './clock.ts';
import type { HomePaths } from './config/paths.ts';
import { isSluiceError } from './errors.ts';
import type { Gateway } from './gateway/gateway.ts';
import { endLeftovers } from './gateway/leftovers.ts';
import { type LastWord, type RecoveryOptions, recover } from './gateway/recovery.ts';
import { Presence, type UnrecordedEnd } from './presence.ts';
import type { Processes } from './process/exec.ts';
import { isAlive, processIdentity } from './process/identity.ts';
import { readStatusFile, type StatusDocument } from './process/runtime-status.ts';
import type { Life, LifeStart, Store } from './store/store.ts';
import type { Log } from './telemetry/log.ts';

export interface LifeKeeperOptions {
  readonly gateway: Gateway;
  readonly store: Store;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly log: Log;
  readonly paths: HomePaths;
  /** False once the home is no longer ours: then no file of it is touched. */
  readonly isHomeOurs: () => boolean;
  readonly options: { readonly version: string; readonly argv: readonly string[] };
  /** What the configuration says of turns that were cut off, and of crash loops. */
  readonly rules: () => Pick<RecoveryOptions, 'resume' | 'safeMode'>;
  /** The store failed this life; whoever watches over it calls `beginLate` when it is back. */
  readonly storeIsDown: (reason: string) => void;
}

export class LifeKeeper implements Disposable {
  readonly #options: LifeKeeperOptions;
  readonly #identity = processIdentity();
  #life: Life | undefined;
  #epoch = 0;
  #presence: Presence | undefined;
  /** Ends that the store does not know of; each life hands them on in its status until a recovery has written them. */
  #ends: readonly UnrecordedEnd[];
  #recovered = false;
  #recovering: Promise<void> | undefined;

  constructor(options: LifeKeeperOptions) {
    this.#options = options;
    this.#ends = unrecordedEndsIn(readStatusFile(options.paths.status, options.clock)?.status);
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
    gateway.recoveryIsLate();
    gateway.storeIsDown();
  }

  /** Goes on with what dead lives left; where the store fails, once it is back, but for what they left running. */
  async recover(): Promise<void> {
    try {
      await this.#recoverOnce();
    } catch (error) {
      if (!isSluiceError(error, 'STORE_UNAVAILABLE')) throw error;
      this.#options.gateway.recoveryIsLate();
      this.#options.storeIsDown(error.message);
    }
    if (this.#recovered) return;
    const { store, processes, log } = this.#options;
    const isLiving = (other: Life) => this.#isLiving(other);
    await endLeftovers({ store, processes, log, ownLife: this.#life?.id, isLiving });
  }

  /** Does what a start without a store had to leave out. Rejects with STORE_UNAVAILABLE: call it again. */
  async beginLate(): Promise<void> {
    if (this.#life === undefined) {
      await this.#register();
      this.#presence?.announce();
    }
    await this.#recoverOnce();
  }

  /** Is seen in the home from now on. `config`: the file this life runs on. */
  publish(config: string | null): void {
    const { gateway, clock, log, paths, isHomeOurs: isOurs, options } = this.#options;
    const argv = [...options.argv];
    const record = () => ({ ...this.#identity, epoch: this.#epoch, argv, config, socket: paths.socket });
    const status = () => gateway.status;
    const presence = new Presence({ clock, log, paths, isOurs, record, status, ends: () => this.#ends });
    gateway.onChange((what) => presence.changed(what));
    this.#presence = presence;
  }

  /** Puts this life's files back where somebody deleted them. Only while the home is ours. */
  keepFiles(): void {
    this.#presence?.keep();
  }

  /** The start is over: a later death is not a failed start. */
  async ready(): Promise<void> {
    const { store, clock } = this.#options;
    if (this.#life === undefined) return;
    await store.commit([{ op: 'life.ready', id: this.#life.id, at: clock.wallMs() }]).catch(() => {});
  }

  /**
   * Says, everywhere, how it ended; a process that goes on as its next life leaves with no code. A store that cannot
   * be written learns it from the next start that can.
   */
  async end({ code, cause, reexecute }: Exit): Promise<void> {
    const { gateway, store, clock } = this.#options;
    const exit = { code: reexecute ? null : code, cause, at: clock.wallMs() };
    if (this.#life !== undefined) {
      const end = { op: 'life.end', id: this.#life.id, ...exit } as const;
      await store.commit([end]).catch(() => {
        this.#ends = [...this.#ends, { epoch: this.#epoch, ...exit }].slice(-ENDS_KEPT_MAX);
      });
    }
    const { failure } = gateway.lifecycle.view;
    const why = failure === null ? {} : { message: failure.message };
    this.#presence?.end({ ...exit, ...why }, { becomesNextLife: reexecute });
  }

  [Symbol.dispose](): void {
    this.#presence?.[Symbol.dispose]();
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

  /** At most one recovery at a time, and none after one that worked. */
  #recoverOnce(): Promise<void> {
    if (this.#recovered || this.#life === undefined) return Promise.resolve();
    this.#recovering ??= this.#recoverFor(this.#life).finally(() => {
      this.#recovering = undefined;
    });
    return this.#recovering;
  }

  async #recoverFor(life: Life): Promise<void> {
    const { gateway, store, processes, clock, log, rules } = this.#options;
    const isLiving = (other: Life) => this.#isLiving(other);
    const recovered = await recover({
      ...{ store, processes, clock, log, life, isLiving, ...rules() },
      lastWordOf: (other) => lastWordAmong(this.#ends, other),
      isInHand: (messageId) => gateway.ledger.waitFor(messageId) !== undefined,
      textCharsMax: (name) => gateway.connections.platform(name)?.capabilities?.textCharsMax,
    });
    this.#recovered = true;
    this.#ends = [];
    // Known only now: a life that was killed has its end from the recovery. What was found is this life's by now and
    // would not be found again, so it goes on even where the end before cannot be read.
    const lastExit = await store.lastExit(this.#epoch).catch(() => undefined);
    gateway.resume(recovered, lastExit ?? null);
  }

  #isLiving(other: Life): boolean {
    return isAlive(other) && !this.#isOurs(other);
  }

  /** An in-place restart keeps pid and start time: a life of ours with a smaller epoch is over. */
  #isOurs({ pid, startTime, bootId }: Life): boolean {
    const own = this.#identity;
    return pid === own.pid && startTime === own.startTime && bootId === own.bootId;
  }

  #epochBefore(): number {
    const { paths, clock } = this.#options;
    const epoch = readStatusFile(paths.status, clock)?.status.epoch;
    return this.#presence === undefined && typeof epoch === 'number' ? epoch : 0;
  }
}

/** Ends that are handed on in the status; one end more and the oldest counts as a death. */
const ENDS_KEPT_MAX = 16;

function unrecordedEndsIn(status: StatusDocument | undefined): readonly UnrecordedEnd[] {
  const ends: unknown = status?.ends;
  return Array.isArray(ends) ? ends.filter(isUnrecordedEnd).slice(-ENDS_KEPT_MAX) : [];
}

function isUnrecordedEnd(value: unknown): value is UnrecordedEnd {
  if (typeof value !== 'object' || value === null) return false;
  const { epoch, code, cause, at }: Partial<Record<keyof UnrecordedEnd, unknown>> = value;
  const isCode = code === null || typeof code === 'number';
  return typeof epoch === 'number' && isCode && typeof cause === 'string' && typeof at === 'number';
}

function lastWordAmong(ends: readonly UnrecordedEnd[], { kind, epoch }: Life): LastWord | undefined {
  const end = kind === 'daemon' ? ends.find((one) => one.epoch === epoch) : undefined;
  return end && { code: end.code, cause: end.cause, at: end.at };
}
