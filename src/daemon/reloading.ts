/** Reloads of this gateway: what a configuration needs before it may run, and who is told once it does. */
import { systemClock as clock } from '../clock.ts';
import type { Configuration } from '../config/configuration.ts';
import { FileWatch, fileMark } from '../config/file-watch.ts';
import type { Config } from '../config/schema.ts';
import { secretValues } from '../config/secret-values.ts';
import { messageOf, SluiceError } from '../errors.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { LifecycleView } from '../gateway/lifecycle.ts';
import { Reloads } from '../gateway/reloads.ts';
import type { Agents } from './agents.ts';
import { ParkedPlatforms } from './platforms.ts';
import type { World } from './world.ts';

/** The reloads; the file is watched as long as the configuration that runs says so. */
export function makeReloads(
  world: World,
  configuration: Configuration,
  gateway: Gateway,
  agents: Agents,
): Reloads {
  const { options, log, secrets, acquired } = world;
  const view = () => gateway.lifecycle.view;
  const parked = new ParkedPlatforms(world, configuration, gateway);
  const reloads = new Reloads({
    configuration,
    log,
    view,
    parked: () => parked.names,
    prepare: async (config) => {
      secrets.add(...secretValues(config, options.env));
      await prepareAgents(agents, config, view());
    },
    applied: () => {
      agents.keep(configuration.current);
      parked.follow();
      gateway.reconfigured();
      watch.follow();
    },
    failed: () => gateway.reconfigured(),
  });
  const watch = new Watch(configuration, reloads);
  acquired.defer('the watch over the configuration', () => watch[Symbol.dispose]());
  watch.follow();
  return reloads;
}

/** Loads code that was not used before, unless the file it is in may be the next version's by now. */
async function prepareAgents(
  agents: Agents,
  config: Config,
  { request, failure }: LifecycleView,
): Promise<void> {
  const problem = 'an agent of type openai is the first of its kind here, and its code';
  if (agents.lacks(config) && (request !== null || failure !== null)) {
    throw new SluiceError('RESTART_NEEDED', `${problem} is not loaded while the gateway drains or leaves`);
  }
  try {
    await agents.load(config);
  } catch (cause) {
    throw new SluiceError('RESTART_NEEDED', `${problem} could not be loaded: ${messageOf(cause)}`, { cause });
  }
}

class Watch implements Disposable {
  readonly #configuration: Configuration;
  readonly #reloads: Reloads;
  #watch: FileWatch | undefined;

  constructor(configuration: Configuration, reloads: Reloads) {
    this.#configuration = configuration;
    this.#reloads = reloads;
  }

  /** Begins or ends, as the configuration says now. */
  follow(): void {
    const { reload, source } = this.#configuration.current;
    if (!reload.watch) this[Symbol.dispose]();
    else {
      this.#watch ??= new FileWatch({
        clock,
        look: () => fileMark(source.path),
        changed: () => void this.#reloads.ask({ cause: 'watch', actor: 'watch' }),
      });
    }
  }

  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
  }
}
