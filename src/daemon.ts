/**
 * The composition root of the daemon: the only place that names the concrete store, processes, agents,
 * platforms and servers. What is acquired goes on one stack and is undone in reverse. A start that fails
 * leaves by the same exit table as everything else.
 *
 * Order: home and lock, configuration, store; then the chart runs, and under it everything that a stop may
 * interrupt: control socket and HTTP, recovery, platforms, `started`.
 */
import type { InspectionEvent } from 'xstate';
import { type Exit, exitFor, INTERRUPTED_CODE, type Supervisor } from '../machines/exit.ts';
import type { Agent } from './agents/agent.ts';
import { CommandAgent } from './agents/command.ts';
import { systemClock as clock } from './clock.ts';
import { Configuration } from './config/configuration.ts';
import { findConfig, type HomePaths, homePaths, resolveHome } from './config/paths.ts';
import type { AgentConfig, Config } from './config/schema.ts';
import { Api } from './control/api.ts';
import { Faces } from './control/http.ts';
import { Inspector } from './control/inspector.ts';
import { builtPageFolder } from './control/page.ts';
import { failureOf, isSluiceError, messageOf, SluiceError } from './errors.ts';
import { Gateway } from './gateway/gateway.ts';
import { askBySignal, stopCauseOf } from './gateway/requests.ts';
import { StoreWatch } from './gateway/store-watch.ts';
import { LifeKeeper } from './life.ts';
import { LocalPlatform } from './platforms/local.ts';
import type { PlatformKind } from './platforms/platform.ts';
import { agentEnvironment, commandEnvironment } from './process/environment.ts';
import { createProcesses, type Processes } from './process/exec.ts';
import { prepareHome, readToken } from './process/home.ts';
import { isAlive } from './process/identity.ts';
import { acquireLock } from './process/lock.ts';
import { readPidFile } from './process/runtime-status.ts';
import type { Signals } from './process/signals.ts';
import { detectSupervisor, readSupervisorFacts } from './service/detect.ts';
import { start } from './start.ts';
import { openSqliteStore, type SqliteStore } from './store/sqlite.ts';
import { createLog, type Log, Secrets } from './telemetry/log.ts';

export interface DaemonOptions {
  readonly homeFlag?: string | undefined;
  readonly configFlag?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly argv: readonly string[];
  readonly version: string;
  readonly signals: Signals;
  /** This is the second half of an in-place restart. */
  readonly inPlace: boolean;
  /** Takes log lines. */
  readonly stderr: { write(text: string): void; readonly isTerminal: boolean; readonly colour: boolean };
  /** Shows a started gateway to a person. */
  readonly welcome: (about: Welcome) => void;
  /** Ends the process at once, without the chart. */
  readonly leaveNow: (code: number) => void;
  /** Platforms besides the local one. */
  readonly platformKinds?: Readonly<Record<string, PlatformKind>>;
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

/** What a life is made of, once it is acquired. */
interface World {
  readonly options: DaemonOptions;
  readonly supervisor: Supervisor;
  readonly log: Log;
  readonly secrets: Secrets;
  readonly stack: AsyncDisposableStack;
  readonly home: string;
  readonly paths: HomePaths;
  readonly processes: Processes;
  readonly startAbort: AbortController;
  /** How a stop leaves that came after the chart's end: it still beats an in-place restart. */
  readonly late: { exit: Exit | undefined };
}

/** Runs a gateway to its end. Never rejects: a failure is an exit. */
export async function runDaemon(options: DaemonOptions): Promise<Exit> {
  const secrets = new Secrets();
  const { write, isTerminal, colour } = options.stderr;
  const level = options.env.SLUICE_LOG_LEVEL || 'info';
  const log = createLog({ level, pretty: isTerminal, colour, write }, secrets);
  let supervisor: Supervisor = 'none';
  try {
    const finding = detectSupervisor(readSupervisorFacts(options.env));
    supervisor = finding.kind;
    const home = resolveHome({ flag: options.homeFlag, env: options.env });
    log.info({ supervisor, because: finding.because, home }, `sluice ${options.version} starts in ${home}`);
    const late: World['late'] = { exit: undefined };
    let exit: Exit;
    {
      await using stack = new AsyncDisposableStack();
      const paths = homePaths(home, options.env);
      const processes = createProcesses(clock);
      const startAbort = new AbortController();
      const basics = { options, supervisor, log, secrets, stack };
      exit = await live({ ...basics, home, paths, processes, startAbort, late });
    }
    if (!exit.reexecute) return exit;
    // A signal that has arrived is heard in the loop's next look at its files; the second turn is past it.
    for (let turn = 0; turn < 2; turn += 1) await new Promise(setImmediate);
    return late.exit ?? exit;
  } catch (error) {
    const failure = failureOf(error);
    const text = error instanceof Error ? error.message : failure.message;
    log.fatal({ failure: failure.kind }, `not started: ${text}`);
    if (isSluiceError(error)) log.fatal(error.hint);
    return exitFor(null, failure, supervisor);
  }
}

async function live(world: World): Promise<Exit> {
  const { options, log, stack, paths, processes } = world;
  options.signals.onLastResort(() => {
    processes.killAllNow();
    options.leaveNow(INTERRUPTED_CODE);
  });
  takeHome(world);
  const configuration = configure(world);
  let watch: StoreWatch | undefined;
  const store = await openSqliteStore({
    path: paths.store,
    reservePath: paths.reserve,
    migrate: true,
    clock,
    onProblem: (error) => watch?.down(error.message),
  });
  stack.defer(() => store.close());
  const { gateway, inspector, faces, token } = await compose(world, configuration, store);
  const life = stack.use(new LifeKeeper({ gateway, store, processes, clock, log, paths, options }));
  watch = new StoreWatch({
    store,
    clock,
    log,
    down: () => gateway.storeIsDown(),
    back: async () => {
      await life.beginLate();
      await gateway.storeIsBack();
    },
  });
  stack.use(watch);
  gateway.start();
  options.signals.attach((request) => askBySignal(gateway.requests, request, log));
  options.signals.onFault((fault) => {
    log.error(
      { error: messageOf(fault), stack: fault instanceof Error ? fault.stack : undefined },
      'a fault',
    );
    gateway.lifecycle.send({ type: 'fatal', failure: { kind: 'fault', message: messageOf(fault) } });
  });
  const steps = { gateway, faces, life, socket: paths.socket, config: configuration.current };
  const starting = start(steps, world.startAbort.signal)
    .then((runs) => (runs ? started(world, { configuration, gateway, token, life }) : undefined))
    .catch((error: unknown) => {
      const failure = failureOf(error);
      log.error({ failure: failure.kind }, `the start failed: ${failure.message}`);
      gateway.lifecycle.send({ type: 'start.failed', failure });
    });
  const exit = await gateway.exited;
  options.signals.attach((request) => {
    const cause = stopCauseOf(request);
    if (cause === undefined) return;
    world.late.exit ??= exitFor({ intent: 'stop', cause, actor: 'signal' }, null, world.supervisor);
  });
  // A start that a stop overtook ends before its files are put away, or it would write them once more.
  await starting;
  inspector.gone(exit);
  await gateway.stop();
  await life.end(exit);
  log.info(
    { code: exit.code, cause: exit.cause, actor: exit.actor },
    exit.reexecute ? 'restarting in place' : `exit ${exit.code} (${exit.cause})`,
  );
  return exit;
}

function takeHome({ home, paths, stack }: World): void {
  prepareHome(home);
  try {
    stack.use(acquireLock(paths.lock));
  } catch (error) {
    if (!isSluiceError(error, 'HOME_OWNED')) throw error;
    const owner = readPidFile(paths.pid);
    const who =
      owner === undefined || !isAlive(owner)
        ? 'another gateway'
        : `the gateway with pid ${owner.pid}, epoch ${owner.epoch}`;
    throw new SluiceError('HOME_OWNED', `the home ${home} is owned by ${who}`, { cause: error });
  }
}

/** Nobody watches a supervised start, nor the second half of an in-place one: those may fall back. */
function configure({ options, supervisor, paths, log }: World): Configuration {
  const { configFlag, env, cwd, inPlace, platformKinds = {} } = options;
  const platformSchemas = Object.fromEntries(
    Object.entries(platformKinds).map(([name, kind]) => [name, kind.schema]),
  );
  const found = findConfig({ flag: configFlag, env, cwd });
  const unattended = inPlace || supervisor !== 'none';
  const configuration = new Configuration(
    { ...found, env, lastGoodPath: paths.lastGood, platformSchemas },
    unattended,
  );
  for (const warning of configuration.warnings) log.warn(warning);
  return configuration;
}

/** Puts the core together. What is heavy is loaded here: nothing is imported once the gateway runs. */
async function compose(world: World, configuration: Configuration, store: SqliteStore) {
  const { options, supervisor, log, secrets, stack, home, paths, processes, startAbort } = world;
  const config = () => configuration.current;
  const agents = new Agents(processes, () => agentEnvironment(options.env, [], { SLUICE_HOME: home }));
  const inspect = await xstateInspect(world, config());
  const platforms = Object.entries(config().platforms).flatMap(([name, settings]) => {
    const kind = options.platformKinds?.[name];
    return kind === undefined ? [] : [kind.create(settings, clock)];
  });
  const gateway: Gateway = new Gateway({
    config,
    store,
    processes,
    platforms: [new LocalPlatform(), ...platforms],
    agent: (name) => agents.named(config(), name),
    clock,
    log,
    supervisor,
    about: { pid: process.pid, version: options.version, startedAt: clock.wallMs() },
    supervisorMs: null,
    environment: (command, values) =>
      commandEnvironment(options.env, command.env, { ...values, SLUICE_HOME: home }),
    configProblem: () => configuration.problem(),
    abortStart: () => startAbort.abort(),
    closeFaces: () => faces.stopAccepting(),
    ...(inspect === undefined ? {} : { inspect }),
  });
  gateway.warnings.push(...configuration.warnings);
  const token = readToken(paths.token, (problem) => gateway.warnings.push(problem));
  secrets.add(token);
  const inspector = new Inspector(gateway, clock);
  const api = new Api({ gateway, clock });
  const faces = new Faces({ api, inspector, clock, token, pageFolder: builtPageFolder() });
  stack.defer(() => faces.close());
  return { gateway, inspector, faces, token };
}

/** @xstate/inspect, where the configuration asks for it; never reachable from another machine. */
async function xstateInspect(
  { stack, log }: World,
  config: Config,
): Promise<((event: InspectionEvent) => void) | undefined> {
  const { xstateInspect: address } = config.inspector;
  if (address === 'off') return undefined;
  const { startXStateInspect } = await import('../visualizations/xstate-inspect/bridge.ts');
  const bridge = stack.use(
    await startXStateInspect({
      ...address,
      onProblem: (problem) => log.warn({ problem }, 'the XState inspector'),
    }),
  );
  log.info(`the XState inspector listens on ws://${address.host}:${bridge.port}`);
  return bridge.inspect;
}

/** What comes once the gateway runs: it is kept as a start that worked, and shown. */
async function started(world: World, { configuration, gateway, token, life }: Parts): Promise<void> {
  const { options, log, home, paths } = world;
  const config = configuration.current;
  await life.ready();
  try {
    configuration.keepAsLastGood();
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'the configuration could not be kept as the last good one');
  }
  const { drainTimeoutMs, shutdown } = config;
  const longestMs = drainTimeoutMs + shutdown.killGraceMs + shutdown.exitTimeoutMs;
  log.info(
    { longestMs },
    `a stop takes ${Math.ceil(longestMs / 1000)} s at most: give the supervisor more than that`,
  );
  const { state } = gateway.lifecycle.view;
  const about = { home, state, http: gateway.http, token, tokenFile: paths.token };
  options.welcome({ ...about, config, warnings: gateway.warnings });
}

interface Parts {
  readonly configuration: Configuration;
  readonly gateway: Gateway;
  readonly token: string;
  readonly life: LifeKeeper;
}

/** The agents of a configuration, each made at its first turn. */
class Agents {
  readonly #made = new Map<AgentConfig, Agent>();
  readonly #processes: Processes;
  readonly #environment: () => Record<string, string>;

  constructor(processes: Processes, environment: () => Record<string, string>) {
    this.#processes = processes;
    this.#environment = environment;
  }

  named(config: Config, name: string): Agent | undefined {
    const settings = config.agents[name];
    if (settings === undefined) return undefined;
    const made =
      this.#made.get(settings) ??
      new CommandAgent({ config: settings, processes: this.#processes, environment: this.#environment });
    this.#made.set(settings, made);
    return made;
  }
}
