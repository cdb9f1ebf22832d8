/** Puts the core together: with its neighbours for agents and platforms, all that names what stands behind its ports. */
import type { InspectionEvent } from 'xstate';
import { restartsInPlace } from '../../machines/exit.ts';
import { systemClock as clock } from '../clock.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Config } from '../config/schema.ts';
import { secretValues } from '../config/secret-values.ts';
import { Gateway } from '../gateway/gateway.ts';
import type { GatewayOptions } from '../gateway/options.ts';
import type { Reloads } from '../gateway/reloads.ts';
import { LocalPlatform } from '../platforms/local.ts';
import { agentEnvironment, commandEnvironment } from '../process/environment.ts';
import { missingFor, thisProgram } from '../process/in-place.ts';
import type { Store } from '../store/store.ts';
import { Agents } from './agents.ts';
import { platformsOf } from './platforms.ts';
import { makeReloads } from './reloading.ts';
import type { World } from './world.ts';

export interface Composed {
  readonly gateway: Gateway;
  readonly reloads: Reloads;
}

/**
 * The gateway on this configuration and store. What is heavy is loaded here: nothing is imported once it runs.
 * `closeFaces` is called when it takes no more requests, `tryStore` before it leaves.
 */
export async function compose(
  world: World,
  configuration: Configuration,
  store: Store,
  { closeFaces, tryStore }: Pick<GatewayOptions, 'closeFaces' | 'tryStore'>,
): Promise<Composed> {
  const { options, supervisor, log, secrets, home, processes, startAbort } = world;
  const config = () => configuration.current;
  secrets.add(...secretValues(config(), options.env));
  const environment = () => agentEnvironment(options.env, [], { SLUICE_HOME: home });
  const agents = new Agents({ env: options.env, processes, environment, store, secrets });
  await agents.load(config());
  const inspect = await xstateInspect(world, config());
  const gateway = new Gateway({
    config,
    store,
    processes,
    platforms: [new LocalPlatform(), ...platformsOf(world, config().platforms)],
    agent: (name) => agents.named(config(), name),
    clock,
    log,
    supervisor,
    about: { pid: process.pid, version: options.version, startedAt: clock.wallMs() },
    supervisorMs: null,
    environment: (command, values) =>
      commandEnvironment(options.env, command.env, { ...values, SLUICE_HOME: home }),
    redact: (text) => secrets.redact(text),
    configWarnings: () => configuration.warnings,
    configProblem: ({ withLines }) => configuration.problem({ withLines }),
    programProblem: () => (restartsInPlace(supervisor) ? missingFor(thisProgram(options.argv)) : null),
    abortStart: () => startAbort.abort(),
    closeFaces,
    tryStore,
    ...(inspect === undefined ? {} : { inspect }),
  });
  return { gateway, reloads: makeReloads(world, configuration, gateway, agents) };
}

/** @xstate/inspect, where the configuration asks for it; never reachable from another machine. */
async function xstateInspect(
  { acquired, log }: World,
  config: Config,
): Promise<((event: InspectionEvent) => void) | undefined> {
  const { xstateInspect: address } = config.inspector;
  if (address === 'off') return undefined;
  const { startXStateInspect } = await import('../../visualizations/xstate-inspect/bridge.ts');
  const bridge = await startXStateInspect({
    ...address,
    onProblem: (problem) => log.warn({ problem }, 'the XState inspector'),
  });
  acquired.defer('the XState inspector', () => bridge[Symbol.asyncDispose]());
  log.info(`the XState inspector listens on ws://${address.host}:${bridge.port}`);
  return bridge.inspect;
}
