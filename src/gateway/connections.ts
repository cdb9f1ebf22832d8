/**
 * The platforms' links: started side by side so that one that hangs delays no other, and bounded, so that none delays
 * the start. A link lives on by itself (`link.ts`): one that failed or was lost comes back during the whole life. What
 * the platforms hand in goes to the intake.
 */
import { messageOf } from '../errors.ts';
import type { Inbound } from '../messages/inbound.ts';
import type { Platform } from '../platforms/platform.ts';
import type { Receipt } from './in-hand.ts';
import { Link, type LinkOptions, type LinkView } from './link.ts';

/** How long a start waits for platforms that neither connect nor give up. */
export const CONNECT_MS_MAX = 10_000;

/** How long stopping one platform may take. */
const STOP_MS_MAX = 2000;

export interface ConnectionsOptions extends Omit<LinkOptions, 'receive'> {
  readonly platforms: readonly Platform[];
  readonly receive: (inbound: Inbound) => Promise<Receipt>;
}

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #links: ReadonlyMap<string, Link>;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    const receive = (inbound: Inbound): Promise<void> => this.#receive(inbound);
    const forLink = { ...options, receive };
    this.#links = new Map(options.platforms.map((platform) => [platform.name, new Link(platform, forLink)]));
  }

  /** Of the links that were started. */
  get links(): readonly LinkView[] {
    return [...this.#links.values()].flatMap(({ view }) => view ?? []);
  }

  platform(name: string): Platform | undefined {
    return this.#links.get(name)?.platform;
  }

  /** Whether the platform can be asked to send now. */
  isUp(name: string): boolean {
    return this.#links.get(name)?.isUp ?? false;
  }

  /** Platforms that refuse us: each is tried again when it is made anew, or by a restart. */
  get parked(): readonly string[] {
    return [...this.#links.values()].filter((link) => link.isParked).map(({ name }) => name);
  }

  /** Puts a platform made of other settings in the place of the parked one of its name, and tries it at once. */
  replace(platform: Platform): void {
    const link = this.#links.get(platform.name);
    if (link === undefined || !link.isParked) return;
    void this.#logged(link.platform, link.platform.stop());
    link.replace(platform);
  }

  /** Resolves when each platform is connected, backing off or parked, after the limit, or on `signal`. */
  async start(signal: AbortSignal): Promise<void> {
    const enough = new AbortController();
    const limit = this.#options.clock.delay(CONNECT_MS_MAX, AbortSignal.any([signal, enough.signal]));
    const all = Promise.all([...this.#links.values()].map((link) => link.start()));
    await Promise.race([all, limit]);
    enough.abort();
  }

  /** Takes nothing more in from any platform; one that fails or hangs does not keep the others. */
  async stopReceiving(): Promise<void> {
    for (const link of this.#links.values()) link.leave();
    await this.#each((platform) => platform.stopReceiving());
  }

  async stop(): Promise<void> {
    for (const link of this.#links.values()) link.end();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    using _ = this.#options.clock.timer(STOP_MS_MAX, resolve);
    await Promise.race([this.#each((platform) => platform.stop()), late]);
  }

  async #receive(inbound: Inbound): Promise<void> {
    const receipt = await this.#options.receive(inbound);
    // Not on disk and not run: the platform shall deliver it again.
    if (receipt.reason === 'store') throw new Error('the store cannot be written');
  }

  async #each(work: (platform: Platform) => Promise<void>): Promise<void> {
    const platforms = [...this.#links.values()].map(({ platform }) => platform);
    await Promise.all(platforms.map((platform) => this.#logged(platform, work(platform))));
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
