/**
 * This process among the lives of its home: its row in the store, its presence in the home's files, the end of both,
 * and what it finds of lives that are over. A start whose store fails leaves out what needs it, and does it as soon
 * as the store is back: registering and recovering are each done once, and a recovery that failed was none.
 */
import { type Exit, INTERRUPTED_CODE } from '../machines/exit.ts';
import type { Clock } from './clock.ts';
import type { HomePaths } from './config/paths.ts';
import { isSluiceError } from './errors.ts';
import { takeOverFromClis } from './gateway/cli-recovery.ts';
import type { Gateway } from './gateway/gateway.ts';
import { endLeftovers } from './gateway/leftovers.ts';
import { type LastWord, type RecoveryOptions, recover } from './gateway/recovery.ts';
import { logUnlessOutage } from './gateway/unexpected.ts';
import { endsToldIn, lastWordAmong, type UnrecordedEnd, withEnd } from './last-words.ts';
import { Presence } from './presence.ts';
import type { Processes } from './process/exec.ts';
import { isAlive, isVisible, processIdentity } from './process/identity.ts';
import { readStatusFile } from './process/runtime-status.ts';
import type { Life, LifeStart, Store } from './store/store.ts';
import type { Log } from './telemetry/log.ts';

/** How often it is looked whether a command line was killed beside this life: what it ran goes on, and its message is open. */
const CLI_LOOK_PERIOD_MS = 10_000;

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
  /** Wall milliseconds; what keeps the store from it then has it written when it is back. */
  #readyAt: number | undefined;
  #recovered = false;
  #recovering: Promise<void> | undefined;
  /** Under way, or over: a recovery waits for it, for it may take up again what is being ended here. */
  #leftovers: Promise<void> | undefined;
  /** A second time would find nothing more that can be ended. */
  #hasSwept = false;
  readonly #cliLook: Disposable;
  #looksForClis = false;

  constructor(options: LifeKeeperOptions) {
    this.#options = options;
    this.#cliLook = options.clock.every(CLI_LOOK_PERIOD_MS, () => void this.#lookForClis());
    const { paths, clock } = options;
    this.#ends = endsToldIn(readStatusFile(paths.status, clock), clock.wallMs());
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
    if (this.#recovered || this.#hasSwept) return;
    const { store, log } = this.#options;
    this.#leftovers = endLeftovers({ store, log, ownLife: this.#life?.id, ...this.#judging() });
    await this.#leftovers;
  }

  /** Does what a start without a store had to leave out. Rejects with STORE_UNAVAILABLE: call it again. */
  async beginLate(): Promise<void> {
    if (this.#life === undefined) {
      await this.#register();
      this.#presence?.announce();
    }
    await this.#noteReady();
    await this.#recoverOnce();
  }

  /** Is seen in the home from now on. `config`: the file this life runs on. */
  publish(config: string | null): void {
    const { gateway, clock, log, paths, isHomeOurs: isOurs, options } = this.#options;
    const argv = [...options.argv];
    const record = () => ({ ...this.#identity, epoch: this.#epoch, argv, config, socket: paths.socket });
    const status = () => gateway.status;
    const failure = () => gateway.lifecycle.view.failure?.kind ?? null;
    const ends = () => this.#ends;
    const presence = new Presence({ clock, log, paths, isOurs, record, status, failure, ends });
    gateway.onChange((what) => presence.changed(what));
    this.#presence = presence;
  }

  /** Puts this life's files back where somebody deleted them. Only while the home is ours. */
  keepFiles(): void {
    this.#presence?.keep();
  }

  /** The start is over: a later death is not a failed start. */
  async ready(): Promise<void> {
    this.#readyAt ??= this.#options.clock.wallMs();
    await this.#noteReady();
  }

  /**
   * Says, everywhere, how it ended; a process that goes on as its next life leaves with no code. A store that cannot
   * be written learns it from the next start that can.
   */
  async end({ code, cause, reexecute }: Exit): Promise<void> {
    const { store, clock } = this.#options;
    const exit = { code: reexecute ? null : code, cause, at: clock.wallMs() };
    if (this.#life !== undefined) {
      const end = { op: 'life.end', id: this.#life.id, ...exit } as const;
      await store.commit([end]).catch(() => this.#handOn(exit));
    }
    this.#lastWord(exit, reexecute);
  }

  /**
   * Says that the process is ended at once because a person wants it, with what it works on. Asks no store, which may be
   * what does not answer: its recovery is the next start's, as after a kill. A life that is just being registered is not on
   * disk yet: what is written is known here before the process hears anything else.
   */
  cutOff(): void {
    const { gateway, clock } = this.#options;
    const cause = gateway.lifecycle.view.failure?.kind ?? 'SIGINT';
    const exit = { code: INTERRUPTED_CODE, cause, at: clock.wallMs() };
    if (this.#life !== undefined) this.#handOn(exit);
    this.#lastWord(exit, false);
  }

  [Symbol.dispose](): void {
    this.#cliLook[Symbol.dispose]();
    this.#presence?.[Symbol.dispose]();
  }

  #handOn(exit: LastWord): void {
    this.#ends = withEnd(this.#ends, { ...this.#identity, epoch: this.#epoch, ...exit });
  }

  #lastWord(exit: LastWord, becomesNextLife: boolean): void {
    const { failure } = this.#options.gateway.lifecycle.view;
    const why = failure === null ? {} : { message: failure.message };
    this.#presence?.end({ ...exit, ...why }, { becomesNextLife });
  }

  /** Does for command lines that were killed beside this life what the next start would do, which may be weeks away. */
  async #lookForClis(): Promise<void> {
    const { gateway, store, clock, log, rules } = this.#options;
    const life = this.#life;
    if (!this.#recovered || this.#looksForClis || life === undefined || !store.writable) return;
    this.#looksForClis = true;
    try {
      const found = await takeOverFromClis({
        ...{ store, clock, log, life, processes: this.#options.processes, resume: rules().resume },
        // One of another container cannot be seen: it is left to the next start.
        isLiving: (other) => isAlive(other) || !isVisible(other),
        textCharsMax: (name) => this.#textCharsMax(name),
      });
      if (found !== undefined) gateway.takeOver(found);
    } catch (error) {
      logUnlessOutage(log, error, 'what killed command lines left could not be taken over');
    } finally {
      this.#looksForClis = false;
    }
  }

  #textCharsMax(platform: string): number | undefined {
    return this.#options.gateway.connections.platform(platform)?.capabilities?.textCharsMax;
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

  async #noteReady(): Promise<void> {
    if (this.#life === undefined || this.#readyAt === undefined) return;
    const ready = { op: 'life.ready', id: this.#life.id, at: this.#readyAt } as const;
    await this.#options.store.commit([ready]).catch(() => {});
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
    const { gateway, store, clock, log, rules } = this.#options;
    await this.#leftovers;
    const recovered = await recover({
      ...{ store, clock, log, life, ...this.#judging(), ...rules() },
      lastWordOf: (other) => lastWordAmong(this.#ends, other),
      textCharsMax: (name) => this.#textCharsMax(name),
    });
    this.#recovered = true;
    this.#ends = [];
    // Known only now: a life that was killed has its end from the recovery. What was found is this life's by now and
    // would not be found again, so it goes on even where the end before cannot be read.
    const lastExit = await store.lastExit(this.#epoch).catch(() => undefined);
    gateway.resume(recovered, lastExit ?? null);
  }

  /** Whose work is whose, and how that of the dead is ended. */
  #judging() {
    const { gateway, processes } = this.#options;
    return {
      isLiving,
      isInHand: (messageId: string) => gateway.ledger.waitFor(messageId) !== undefined,
      processes: {
        sweep: async (workIds: ReadonlySet<string>) => {
          const ended = await processes.sweep(workIds);
          this.#hasSwept = true;
          return ended;
        },
      },
    };
  }

  #epochBefore(): number {
    const { paths, clock } = this.#options;
    const epoch = readStatusFile(paths.status, clock)?.status.epoch;
    return this.#presence === undefined && typeof epoch === 'number' ? epoch : 0;
  }
}

/**
 * Whoever has the lock of a home is its only daemon: every other that it knows of is over, this process before it was
 * restarted in place among them, and one that lives is another home's, of which this is a copy. A command line takes no
 * lock, so it is judged by its process.
 */
const isLiving = (other: Life): boolean => other.kind === 'cli' && isAlive(other);
