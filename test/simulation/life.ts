/**
 * One life of the gateway in a simulated world: the core, its recovery and its start are the product's; what stands
 * behind its ports is the world's. It is put together as `daemon.ts` does, without what only a process has: faces, a home,
 * signals. Those ask the chart, and so does the world.
 */
import type { InspectionEvent } from 'xstate';
import { type GatewaySnapshot, statePath } from '../../machines/admission.ts';
import { homePaths } from '../../src/config/paths.ts';
import type { Faces } from '../../src/control/http.ts';
import { failureOf } from '../../src/errors.ts';
import { Gateway } from '../../src/gateway/gateway.ts';
import { StoreWatch } from '../../src/gateway/store-watch.ts';
import { LifeKeeper } from '../../src/life.ts';
import { LocalPlatform } from '../../src/platforms/local.ts';
import type { Platform } from '../../src/platforms/platform.ts';
import { start } from '../../src/start.ts';
import type { Store } from '../../src/store/store.ts';
import type { Log } from '../../src/telemetry/log.ts';
import { type BackendOptions, SimAgent, SimPrograms } from './backends.ts';
import { ChatPlatform, type ChatServer } from './chat-server.ts';
import { CrashingStore, type Disk } from './crashing-store.ts';
import type { Happening } from './happening.ts';
import { Mortal, MortalClock } from './mortal.ts';
import type { Profile } from './profile.ts';
import type { Random } from './random.ts';
import type { WorldClock } from './world-clock.ts';

/** A file of the home that is never there: what a start without a store would count its epoch from. */
const PATHS = homePaths('/nonexistent/home-of-a-simulation', {});

/** Bugs that are planted where the gateway meets the world, to see that they are found. */
export interface Planted {
  readonly gateway?: (gateway: Gateway) => void;
  readonly store?: (store: CrashingStore) => Store;
  readonly platform?: (platform: Platform) => Platform;
}

export interface SimLifeOptions {
  readonly number: number;
  readonly profile: Profile;
  readonly random: Random;
  readonly clock: WorldClock;
  readonly disk: Disk;
  readonly server: ChatServer;
  readonly happens: (happening: Happening) => void;
  readonly died: (life: SimLife, where: string) => void;
  readonly planted: Planted;
}

/** Without files in a home: nobody looks there. */
class SimKeeper extends LifeKeeper {
  override publish(): void {}
}

/** Failures that the log of a gateway may tell of without a defect. */
const NO_DEFECT = /^the store cannot be written/;

export class SimLife {
  readonly number: number;
  readonly mortal: Mortal;
  readonly store: CrashingStore;
  readonly agent: SimAgent;
  readonly programs: SimPrograms;
  readonly gateway: Gateway;
  readonly #options: SimLifeOptions;
  readonly #watch: StoreWatch;
  readonly #keeper: SimKeeper;
  readonly #startAbort = new AbortController();
  #snapshot: GatewaySnapshot | undefined;

  constructor(options: SimLifeOptions) {
    const { number, profile, clock: worldClock, disk, server, happens, died, planted, random } = options;
    this.#options = options;
    this.number = number;
    this.mortal = new Mortal((where) => died(this, where));
    const { mortal } = this;
    const clock = new MortalClock(worldClock, mortal);
    this.store = new CrashingStore({
      ...{ disk, mortal },
      applied: (unit, result) =>
        happens({
          ...{ what: 'committed', life: number, unit, taken: result === 'committed' },
          wallMs: worldClock.wallMs(),
        }),
      registered: ({ id }) => happens({ what: 'registered', life: number, id }),
      failed: (reason) => this.#watch.down(reason),
    });
    const store = planted.store?.(this.store) ?? this.store;
    const backend: BackendOptions = { life: number, mortal, clock, happens };
    this.agent = new SimAgent(backend, profile.rules.effects);
    this.programs = new SimPrograms({ ...backend, isOutage: () => !this.store.writable });
    const chat = new ChatPlatform(server, number, mortal, profile.partCharsMax);
    const log = this.#log();
    this.gateway = new Gateway({
      ...{ store, clock, log, processes: this.programs, config: () => profile.config },
      platforms: [new LocalPlatform(), planted.platform?.(chat) ?? chat],
      agent: () => this.agent,
      ...{ supervisor: 'none', supervisorMs: null },
      about: { pid: 1, version: '0.0.0', startedAt: clock.wallMs() },
      environment: (_command, values) => ({ ...values }),
      redact: (text) => text,
      configWarnings: () => [],
      configProblem: () => null,
      abortStart: () => this.#startAbort.abort(),
      closeFaces: async () => {},
      tryStore: () => this.#watch.look(),
      random: () => random.next(),
      inspect: (event) => this.#inspect(event),
    });
    planted.gateway?.(this.gateway);
    this.#watchDecisions();
    this.#watchResumption();
    this.#keeper = new SimKeeper({
      ...{ gateway: this.gateway, store, processes: this.programs, clock, log, paths: PATHS },
      isHomeOurs: () => true,
      options: { version: '0.0.0', argv: [] },
      rules: () => ({ resume: profile.config.turns, safeMode: profile.config.safeMode }),
      storeIsDown: (reason) => this.#watch.down(reason),
    });
    const back = async () => {
      await this.#keeper.beginLate();
      await this.gateway.storeIsBack();
    };
    const failed = (error: unknown) => {
      this.gateway.lifecycle.send({ type: 'fatal', failure: failureOf(error) });
      if (!this.isOver) this.#defect(`the store could not be taken up again: ${String(error)}`);
    };
    this.#watch = new StoreWatch({ store, clock, log, down: () => this.gateway.storeIsDown(), back, failed });
    mortal.atEnd(() => {
      this.#watch[Symbol.dispose]();
      this.#keeper[Symbol.dispose]();
    });
  }

  get isOver(): boolean {
    return this.mortal.isDead;
  }

  get state(): string {
    return this.#standing.state;
  }

  /** What the chart counts as work: ids of messages. */
  get work(): readonly string[] {
    const { turns = [], commands = [] } = this.#snapshot?.context ?? {};
    return [...turns, ...commands];
  }

  /** Nothing is under way in it: no turn, no program, and nothing on its way to the disk or back. */
  get isIdle(): boolean {
    const { store, agent, programs } = this;
    return store.queued + store.untold + agent.turns.length + programs.running.length === 0;
  }

  /** Lives, until it leaves in order. Never resolves when it dies. */
  async live(): Promise<{ cause: string; restarts: boolean }> {
    const { gateway } = this;
    gateway.start();
    const starting = this.#begin();
    const exit = await gateway.exited;
    await starting;
    await gateway.stop();
    await this.#keeper.end(exit);
    await this.store.close();
    if (this.isOver) return new Promise(() => {});
    this.#options.happens({ what: 'left', life: this.number, cause: exit.cause });
    this.mortal.end();
    return { cause: exit.cause, restarts: exit.reexecute };
  }

  async #begin(): Promise<void> {
    const { gateway } = this;
    const faces = { listenSocket: async () => {}, listenHttp: async () => '' } as unknown as Faces;
    const config = this.#options.profile.config;
    try {
      const steps = { gateway, faces, life: this.#keeper, socket: '', config };
      if (await start(steps, this.#startAbort.signal)) await this.#keeper.ready();
    } catch (error) {
      gateway.lifecycle.send({ type: 'start.failed', failure: failureOf(error) });
      if (!this.isOver) this.#defect(`the start failed: ${String(error)}`);
    }
  }

  /** Each decision of the chart, with what it stood in when it was asked. */
  #watchDecisions(): void {
    const { lifecycle } = this.gateway;
    const admit = lifecycle.admit.bind(lifecycle);
    lifecycle.admit = (event) => {
      const { state, degraded } = this.#standing;
      const decision = admit(event);
      const admission = decision?.admission;
      if (!this.isOver)
        this.#options.happens({ what: 'judged', life: this.number, event, state, degraded, admission });
      return decision;
    };
  }

  #watchResumption(): void {
    const { gateway } = this;
    const resume = gateway.resume.bind(gateway);
    gateway.resume = (...found) => {
      if (!this.isOver) this.#options.happens({ what: 'resumed', life: this.number });
      resume(...found);
    };
  }

  /** Where the chart stands, without what its own view works out besides. */
  get #standing(): { state: string; degraded: readonly string[] } {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) return { state: 'starting', degraded: [] };
    return { state: statePath(snapshot), degraded: snapshot.context.degraded };
  }

  #inspect(event: InspectionEvent): void {
    if (event.type === '@xstate.snapshot') this.#snapshot = event.snapshot as GatewaySnapshot;
  }

  /** Only what is an error is looked at; a whole log for each life would take longer than the life. */
  #log(): Log {
    const nothing = () => {};
    const error = (fields: unknown, message: unknown) => {
      if (this.isOver || NO_DEFECT.test(String(message))) return;
      this.#defect(`${String(message)} ${JSON.stringify(fields)}`);
    };
    const log = { debug: nothing, info: nothing, warn: nothing, error, fatal: error, flush: nothing };
    return log as unknown as Log;
  }

  #defect(message: string): void {
    this.#options.happens({ what: 'defect', life: this.number, message });
  }
}
