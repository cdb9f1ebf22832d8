/**
 * The platforms' links: started side by side so that one that hangs delays no other, and bounded, so that
 * none delays the start. What they hand in goes to the intake.
 */
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Inbound } from '../messages/inbound.ts';
import type { LinkState, Platform } from '../platforms/platform.ts';
import type { Log } from '../telemetry/log.ts';
import type { Receipt } from './in-hand.ts';

/** How long a start waits for platforms that neither connect nor give up. */
export const CONNECT_MS_MAX = 10_000;

/** How long stopping one platform may take. */
const STOP_MS_MAX = 2000;

export interface Link {
  readonly name: string;
  readonly state: LinkState;
  readonly reason: string | null;
  /** Wall milliseconds of the last message or change. */
  readonly lastEventAt: number;
}

export interface ConnectionsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly platforms: readonly Platform[];
  readonly receive: (inbound: Inbound) => Promise<Receipt>;
  readonly changed: () => void;
}

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #links = new Map<string, Link>();
  /** By platform: settled when it can send, or never will in this life. */
  readonly #sendable = new Map<string, PromiseWithResolvers<boolean>>();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    for (const { name } of options.platforms) this.#sendable.set(name, Promise.withResolvers());
  }

  get links(): readonly Link[] {
    return [...this.#links.values()];
  }

  platform(name: string): Platform | undefined {
    return this.#options.platforms.find((platform) => platform.name === name);
  }

  /** Resolves with true once the platform can send, with false when this life will not come to that. */
  async canSend(name: string): Promise<boolean> {
    return (await this.#sendable.get(name)?.promise) ?? false;
  }

  /** The start ends here: who has not connected by now is not waited for. */
  abandonStart(): void {
    for (const { resolve } of this.#sendable.values()) resolve(false);
  }

  /** Resolves when each platform is connected, backing off or parked, after the limit, or on `signal`. */
  async start(signal: AbortSignal): Promise<void> {
    const { platforms, clock } = this.#options;
    const enough = new AbortController();
    const limit = clock.delay(CONNECT_MS_MAX, AbortSignal.any([signal, enough.signal]));
    const all = Promise.all(platforms.map((platform) => this.#start(platform, signal)));
    await Promise.race([all, limit]);
    enough.abort();
  }

  /** Takes nothing more in from any platform; one that fails or hangs does not keep the others. */
  async stopReceiving(): Promise<void> {
    await Promise.all(
      this.#options.platforms.map((platform) => this.#logged(platform, platform.stopReceiving())),
    );
  }

  async stop(): Promise<void> {
    const { platforms, clock } = this.#options;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    using _ = clock.timer(STOP_MS_MAX, resolve);
    const all = Promise.all(platforms.map((platform) => this.#logged(platform, platform.stop())));
    await Promise.race([all, late]);
  }

  async #start(platform: Platform, signal: AbortSignal): Promise<void> {
    const { name } = platform;
    const canSend = (can: boolean): void => this.#sendable.get(name)?.resolve(can);
    const link = (state: LinkState, reason: string | null = null): void => {
      this.#links.set(name, { name, state, reason, lastEventAt: this.#options.clock.wallMs() });
      this.#options.log.info({ platform: name, state, reason }, `${name} is ${state}`);
      this.#options.changed();
      if (state === 'connected') canSend(true);
    };
    link('connecting');
    const receive = async (inbound: Inbound): Promise<void> => {
      canSend(true);
      const receipt = await this.#options.receive(inbound);
      // Not on disk and not run: the platform shall deliver it again.
      if (receipt.reason === 'store') throw new Error('the store cannot be written');
    };
    try {
      await platform.start({ receive, link }, signal);
      canSend(!signal.aborted);
    } catch (error) {
      link('parked', messageOf(error));
      canSend(false);
    }
  }

  async #logged(platform: Platform, work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#options.log.warn(
        { platform: platform.name, error: messageOf(error) },
        'a platform did not stop cleanly',
      );
    }
  }
}
