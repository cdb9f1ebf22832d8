/** The platforms that the configuration names: made at the start; one that is parked is made anew for other keys. */
import { isDeepStrictEqual } from 'node:util';
import { systemClock as clock } from '../clock.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Platform } from '../platforms/platform.ts';
import type { World } from './world.ts';

export type PlatformSettings = Readonly<Record<string, unknown>>;

/** Those of `settings` that this program has. */
export function platformsOf({ options }: Pick<World, 'options'>, settings: PlatformSettings): Platform[] {
  return Object.entries(settings).flatMap(([name, own]) => {
    const kind = options.platformKinds?.[name];
    return kind === undefined ? [] : [kind.create(own, clock)];
  });
}

/** Follows the configuration: whoever is parked and has other keys by now is made anew and tried. */
export class ParkedPlatforms {
  readonly #world: World;
  readonly #configuration: Configuration;
  readonly #gateway: Gateway;
  /** What each platform was made of. */
  #settings: PlatformSettings;

  constructor(world: World, configuration: Configuration, gateway: Gateway) {
    this.#world = world;
    this.#configuration = configuration;
    this.#gateway = gateway;
    this.#settings = configuration.current.platforms;
  }

  /** Their names. */
  get names(): readonly string[] {
    return this.#gateway.connections.parked;
  }

  /** Another configuration runs from now on. */
  follow(): void {
    const before = this.#settings;
    this.#settings = this.#configuration.current.platforms;
    const changed = Object.entries(this.#settings).filter(
      ([name, own]) => this.names.includes(name) && !isDeepStrictEqual(own, before[name]),
    );
    for (const platform of platformsOf(this.#world, Object.fromEntries(changed))) {
      this.#gateway.connections.replace(platform);
    }
  }
}
