/**
 * One run of the daemon, from its first log line to its exit. What is acquired goes on one stack and is undone in
 * reverse. A start that fails leaves by the same exit table as everything else.
 *
 * Order: home and lock, configuration, store, core and faces; then the chart runs, and under it everything that a
 * stop may interrupt: control socket and HTTP, recovery, platforms, `started`. At the end the faces, the store and
 * the lock are given back, so that whoever gets the lock finds no socket of ours and our end on disk.
 */
import { type Exit, exitFor, type Supervisor } from '../machines/exit.ts';
import { systemClock as clock } from './clock.ts';
import type { Configuration } from './config/configuration.ts';
import { homePaths, resolveHome } from './config/paths.ts';
import { secretVariables } from './config/secret-values.ts';
import type { Faces } from './control/http.ts';
import { Acquired } from './daemon/acquired.ts';
import { BlackBox } from './daemon/black-box.ts';
import { compose } from './daemon/composition.ts';
import { makeFaces, type OpenFaces } from './daemon/faces.ts';
import { faultFailure, faultOf } from './daemon/fault.ts';
import { configure, takeHome } from './daemon/ground.ts';
import { hearForChart, hearLastResort, hearLate } from './daemon/hearing.ts';
import { watchHome } from './daemon/home-watch.ts';
import type { DaemonOptions, HomeWorld, World } from './daemon/world.ts';
import { isSluiceError, messageOf, type SluiceError } from './errors.ts';
import type { Gateway } from './gateway/gateway.ts';
import type { Reloads } from './gateway/reloads.ts';
import { Retention } from './gateway/retention.ts';
import { StoreWatch } from './gateway/store-watch.ts';
import { LifeKeeper } from './life.ts';
import { createProcesses } from './process/exec.ts';
import { boundHeap } from './process/heap-bounds.ts';
import { keepToken } from './process/home.ts';
import { obstacleTo, thisProgram } from './process/in-place.ts';
import { noteFailedStart } from './process/runtime-status.ts';
import { detectSupervisor, readSupervisorFacts } from './service/detect.ts';
import { start } from './start.ts';
import { openSqliteStore, type SqliteStore } from './store/sqlite.ts';
import { createLog, logLevel } from './telemetry/log.ts';
import { Secrets } from './telemetry/secrets.ts';

/** What runs, once everything is acquired. */
interface Running extends OpenFaces {
  readonly configuration: Configuration;
  readonly gateway: Gateway;
  readonly reloads: Reloads;
  readonly life: LifeKeeper;
}

/** Runs a gateway to its end. Never rejects: a failure is an exit. */
export async function runDaemon(options: DaemonOptions): Promise<Exit> {
  const secrets = new Secrets();
  secrets.add(...secretVariables(options.env));
  const { write, isTerminal, colour } = options.stderr;
  const { level, problem } = logLevel(options.env.SLUICE_LOG_LEVEL);
  const blackBox = new BlackBox({ secrets, version: options.version, log: () => log });
  const keep = (line: string) => blackBox.keep(line);
  const log = createLog({ level, pretty: isTerminal, colour, write, keep }, secrets);
  if (problem !== undefined) log.warn(problem);
  let supervisor: Supervisor = 'none';
  try {
    const finding = detectSupervisor(readSupervisorFacts(options.env));
    supervisor = finding.kind;
    if (finding.problem !== undefined) log.warn(finding.problem);
    const home = resolveHome({ flag: options.homeFlag, env: options.env, cwd: options.cwd });
    log.info({ supervisor, because: finding.because, home }, `sluice ${options.version} starts in ${home}`);
    const late: World['late'] = { exit: undefined };
    let exit: Exit;
    {
      const { leaveNow } = options;
      const activeResources = () => process.getActiveResourcesInfo();
      await using acquired = new Acquired({ clock, log, leaveNow, activeResources });
      const paths = homePaths(home, options.env);
      const processes = createProcesses(clock, home);
      const startAbort = new AbortController();
      const basics = { options, supervisor, log, blackBox, secrets, acquired };
      const world = { ...basics, home, paths, processes, startAbort, late };
      // Before the home is let go, in whose log it shall stand.
      exit = await live(world).catch((error: unknown) => notStarted(world, error));
    }
    if (!exit.reexecute) return exit;
    await options.signals.release(() => late.exit !== undefined);
    return late.exit ?? exit;
  } catch (error) {
    return notStarted({ options, log, blackBox, secrets, supervisor }, error);
  }
}

/** Says why, and gives the exit that it stands for. */
function notStarted(
  world: Pick<World, 'options' | 'log' | 'blackBox' | 'secrets' | 'supervisor'>,
  error: unknown,
): Exit {
  const { options, log, blackBox, secrets, supervisor } = world;
  const failure = faultFailure(error, secrets);
  const text = isSluiceError(error) ? error.message : failure.message;
  log.fatal({ failure: failure.kind }, `not started: ${text}`);
  if (isSluiceError(error)) log.fatal(error.hint);
  if (failure.kind === 'fault') blackBox.report('fault', faultOf(error, secrets), () => null);
  options.failed?.(error);
  return exitFor(null, failure, supervisor);
}

/** From an empty stack to an exit. Rejects only before the chart runs; from then on every failure is the chart's. */
async function live(ground: World): Promise<Exit> {
  hearLastResort(ground);
  const world = { ...ground, lock: takeHome(ground) };
  const running = await acquireAll(world);
  const { gateway, life } = running;
  gateway.start();
  hearLastResort(world, () => life.cutOff());
  hearForChart(world, gateway, running.reloads);
  const starting = begin(world, running);
  const exit = inPlaceOrNot(world, await gateway.exited);
  hearLate(world);
  world.acquired.limit(exit);
  // A start that a stop overtook ends before its files are put away, or it would write them once more.
  await world.acquired.step('the start', () => starting);
  await leave(world, running, exit);
  return exit;
}

/** A restart in place that the system would refuse leaves with its code instead, for whoever may start the next one. */
function inPlaceOrNot({ options, log }: World, exit: Exit): Exit {
  if (!exit.reexecute) return exit;
  const obstacle = obstacleTo(thisProgram(options.argv), options.nextEnv);
  if (obstacle === null) return exit;
  log.error({ code: exit.code }, `cannot restart in place: ${obstacle}; start it again from where it is now`);
  return { ...exit, reexecute: false };
}

/** Everything the chart needs. What fails is noted in the home, for whoever waits for this start. */
async function acquireAll(world: HomeWorld): Promise<Running> {
  try {
    return await acquire(world, configure(world));
  } catch (error) {
    const failure = faultFailure(error, world.secrets);
    const { code, cause } = exitFor(null, failure, world.supervisor);
    const exit = { code, cause, at: clock.wallMs(), message: failure.message };
    if (world.lock.isOurs()) noteFailedStart(world.paths.status, exit);
    throw error;
  }
}

/** Opens the store and puts core and faces together; each goes on the stack as it comes. */
async function acquire(world: HomeWorld, configuration: Configuration): Promise<Running> {
  const { options, log, acquired, paths, processes, lock } = world;
  let watch: StoreWatch | undefined;
  let faces: Faces | undefined;
  const storeIsDown = (reason: string) => watch?.down(reason);
  const store = await openStore(world, storeIsDown);
  const { gateway, reloads } = await compose(world, configuration, store, {
    closeFaces: async () => faces?.stopAccepting(),
    tryStore: async () => watch?.look(),
  });
  const opened = makeFaces(world, gateway, configuration, store, reloads);
  faces = opened.faces;
  const isHomeOurs = () => lock.isOurs();
  const rules = () => ({ resume: configuration.current.turns, safeMode: configuration.current.safeMode });
  const parts = { gateway, store, processes, clock, log, paths, isHomeOurs, options, rules, storeIsDown };
  const life = new LifeKeeper(parts);
  acquired.defer('the files of this life', () => life[Symbol.dispose]());
  const back = async () => {
    await life.beginLate();
    await gateway.storeIsBack();
  };
  const failed = (error: unknown) => failLate(world, gateway, error);
  const storeWatch = new StoreWatch({ store, clock, log, down: () => gateway.storeIsDown(), back, failed });
  watch = storeWatch;
  acquired.defer('the watch over the store', () => storeWatch[Symbol.dispose]());
  const retentionMs = () => configuration.current.store.retentionMs;
  const retention = new Retention({ store, clock, log, retentionMs });
  acquired.defer('the deletion of old messages', () => retention[Symbol.dispose]());
  const heap = boundHeap(clock);
  acquired.defer('the bounds of the heap', () => heap[Symbol.dispose]());
  const running = { ...opened, configuration, gateway, reloads, life };
  keepHome(world, running);
  return running;
}

/** What a start had to leave out fails by more than the store: that ends the gateway as it would have ended the start. */
function failLate({ options, log, secrets }: World, gateway: Gateway, error: unknown): void {
  const failure = faultFailure(error, secrets);
  log.fatal({ failure: failure.kind }, `the store could not be taken up again: ${failure.message}`);
  options.failed?.(error);
  gateway.lifecycle.send({ type: 'fatal', failure });
}

/** Ends the gateway when its home is gone, and keeps the files there by which others find it. */
function keepHome({ options, home, paths, lock, log, secrets, acquired }: HomeWorld, running: Running): void {
  const { gateway, life, faces, token } = running;
  const socketProblem = (error: unknown) =>
    log.warn({ error: messageOf(error) }, 'the control socket could not be put back');
  const keep = [
    () => life.keepFiles(),
    () => keepToken(paths.token, token),
    () => void faces.keepSocket().catch(socketProblem),
  ];
  const lost = (error: SluiceError) => {
    log.fatal({ hint: error.hint }, error.message);
    options.failed?.(error);
    gateway.lifecycle.send({ type: 'fatal', failure: faultFailure(error, secrets) });
  };
  const watch = watchHome({ clock, home, lock, keep, lost });
  acquired.defer('the watch over the home', () => watch[Symbol.dispose]());
}

async function openStore(
  { paths, acquired, log, options }: World,
  storeIsDown: (reason: string) => void,
): Promise<SqliteStore> {
  const opened = await openSqliteStore({
    path: paths.store,
    reservePath: paths.reserve,
    migrate: true,
    clock,
    onProblem: (error) => storeIsDown(`${error.message}. ${error.hint}`),
    onRowLost: (error) =>
      log.error({ error: error.message }, 'a step of the chart is missing in the journal'),
  });
  const store = options.wrapStore?.(opened) ?? opened;
  acquired.defer('the store', () => store.close());
  return store;
}

/** Starts under the chart. Never rejects: a start that fails is an event. */
async function begin(world: World, running: Running): Promise<void> {
  const { gateway, faces, life, configuration } = running;
  const steps = { gateway, faces, life, socket: world.paths.socket, config: configuration.current };
  try {
    if (await start(steps, world.startAbort.signal)) await started(world, running);
  } catch (error) {
    const failure = faultFailure(error, world.secrets);
    world.log.error({ failure: failure.kind }, `the start failed: ${failure.message}`);
    world.options.failed?.(error);
    gateway.lifecycle.send({ type: 'start.failed', failure });
  }
}

/** What comes once the gateway runs: it is kept as a start that worked, and shown. */
async function started(world: World, running: Running): Promise<void> {
  const { options, log, home, paths } = world;
  const { configuration, gateway, token, life } = running;
  const config = configuration.current;
  world.blackBox.hasRun();
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
  options.welcome({ ...about, config, warnings: gateway.status.warnings });
}

/** Says everywhere how it leaves; the stack does the rest. */
async function leave(
  { log, acquired, blackBox, secrets }: World,
  running: Running,
  exit: Exit,
): Promise<void> {
  const { inspector, conversations, gateway, life } = running;
  const { failure } = gateway.lifecycle.view;
  if (exit.cause === 'fault')
    blackBox.report('fault', faultOf(failure?.message, secrets), () => gateway.status);
  await acquired.step('the live chart', () => inspector.gone(exit));
  await acquired.step('the event streams', () => conversations.gone(exit));
  await acquired.step('the platforms', () => gateway.stop());
  await acquired.step('the record of this life', () => life.end(exit));
  log.info(
    { code: exit.code, cause: exit.cause, actor: exit.actor },
    exit.reexecute ? 'restarting in place' : `exit ${exit.code} (${exit.cause})`,
  );
}
