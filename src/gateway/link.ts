/**
 * One platform's link: runs its chart, carries out what that asks for, and shows how the link stands. Whatever the
 * platform says belongs to the attempt it was asked for, so that words which come late change nothing.
 *
 * The chart's effects only enqueue here and run after the event, so none of them can disturb it. At most one clock runs:
 * the limit of an attempt, the wait after it, or the time until its link counts as stable.
 */
import { type Actor, createActor } from 'xstate';
import { connectionMachine } from '../../machines/connection.ts';
import type { ConnectionEvent, LinkState } from '../../machines/connection-events.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Inbound } from '../messages/inbound.ts';
import { LinkFailure, type Platform, type PlatformContext } from '../platforms/platform.ts';
import type { Log } from '../telemetry/log.ts';
import { ChartEffects } from './chart-effects.ts';
import { reconnectWaitMs } from './reconnect-policy.ts';

/** How long one attempt of a platform to connect may take. */
export const CONNECT_ATTEMPT_MS_MAX = 30_000;

/** How long a link has to hold until its next loss counts as the first. */
export const LINK_STABLE_MS = 60_000;

/** How a link stands, as a status shows it. */
export interface LinkView {
  readonly name: string;
  readonly state: LinkState;
  /** Why there is no link; null while there is one, and during the first attempt. */
  readonly reason: string | null;
  /** Wall milliseconds of the last message or change. */
  readonly lastEventAt: number;
}

export interface LinkOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** A number in [0, 1): spreads the waits. */
  readonly random: () => number;
  /** Hands a message in; rejects when the platform shall deliver it again. */
  readonly receive: (inbound: Inbound) => Promise<void>;
  /** The platform can be asked to send from now on. */
  readonly up: (name: string) => void;
  /** It cannot any more; said only after `up`. */
  readonly down: (name: string, reason: string) => void;
  /** What a status shows has changed. */
  readonly changed: () => void;
}

export class Link {
  readonly name: string;
  readonly #options: LinkOptions;
  readonly #actor: Actor<typeof connectionMachine>;
  readonly #tasks: ChartEffects;
  readonly #firstOver = Promise.withResolvers<void>();
  #platform: Platform;
  #attempt = new AbortController();
  #timer: Disposable | undefined;
  /** Whether the platform can be asked to send, as it was last said. */
  #isUp = false;
  #view: LinkView | undefined;
  /** The reason that the log knows already. */
  #reasonLogged: string | null = null;

  constructor(platform: Platform, options: LinkOptions) {
    this.name = platform.name;
    this.#platform = platform;
    this.#options = options;
    this.#tasks = new ChartEffects((error) =>
      options.log.error({ platform: this.name, error: messageOf(error) }, 'an effect of a link failed'),
    );
    this.#actor = createActor(this.#machine());
  }

  /** Begins the first attempt; resolves when that has ended, in whatever way. */
  start(): Promise<void> {
    this.#actor.start();
    this.#tasks.run();
    return this.#firstOver.promise;
  }

  /** Undefined until it is started. */
  get view(): LinkView | undefined {
    return this.#view;
  }

  get platform(): Platform {
    return this.#platform;
  }

  /** Whether the platform can be asked to send. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** It is refused by its platform, and waits for a person. */
  get isParked(): boolean {
    return this.#actor.getSnapshot().matches('parked');
  }

  /** Goes on with `platform`, which was made of other settings, and tries it now. Only while the link is parked. */
  replace(platform: Platform): void {
    this.#platform = platform;
    this.#reasonLogged = null;
    this.#send({ type: 'retry.requested' });
  }

  /** Makes no further attempt; what is connected, or about to be, holds until its platform is stopped. */
  leave(): void {
    this.#send({ type: 'stop' });
  }

  /** The same, and an attempt that is under way is given up. */
  end(): void {
    this.leave();
    this.#attempt.abort();
    this.#disarm();
  }

  #machine() {
    const later = (task: () => void): void => this.#tasks.later(task);
    const { random } = this.#options;
    return connectionMachine.provide({
      actions: {
        attempt: (_, { serial }) => later(() => this.#begin(serial)),
        attemptOver: () => later(() => this.#firstOver.resolve()),
        giveUpAttempt: () => later(() => this.#attempt.abort()),
        armRetry: (_, { serial, failures }) =>
          later(() => this.#arm(reconnectWaitMs(failures, random()), { type: 'retry.due', serial })),
        armStable: (_, { serial }) => later(() => this.#arm(LINK_STABLE_MS, { type: 'stable.due', serial })),
        disarm: () => later(() => this.#disarm()),
        linkUp: () => later(() => this.#up()),
        linkDown: (_, { reason }) => later(() => this.#down(reason ?? 'no link')),
        tell: (_, { state, reason }) => later(() => this.#show(state, reason)),
      },
    });
  }

  #send(event: ConnectionEvent): void {
    if (this.#actor.getSnapshot().status !== 'active') return;
    this.#actor.send(event);
    this.#tasks.run();
  }

  #begin(serial: number): void {
    const attempt = new AbortController();
    this.#attempt = attempt;
    const seconds = CONNECT_ATTEMPT_MS_MAX / 1000;
    const reason = `it did not connect within ${seconds} s`;
    this.#arm(CONNECT_ATTEMPT_MS_MAX, { type: 'attempt.expired', serial, reason });
    const context: PlatformContext = {
      receive: (inbound) => this.#receive(inbound, serial),
      lost: (error) => this.#send(failureEvent('link.lost', error, serial)),
    };
    void this.#connect(context, attempt.signal, serial);
  }

  async #connect(context: PlatformContext, signal: AbortSignal, serial: number): Promise<void> {
    try {
      await this.#platform.start(context, signal);
    } catch (error) {
      this.#send(failureEvent('connect.failed', error, serial));
      return;
    }
    this.#send({ type: 'connect.succeeded', serial });
  }

  #receive(inbound: Inbound, serial: number): Promise<void> {
    if (!this.#isUp) this.#send({ type: 'message.arrived', serial });
    if (this.#view !== undefined) {
      this.#view = { ...this.#view, lastEventAt: this.#options.clock.wallMs() };
    }
    return this.#options.receive(inbound);
  }

  #arm(delayMs: number, event: ConnectionEvent): void {
    this.#disarm();
    this.#timer = this.#options.clock.timer(delayMs, () => this.#send(event));
  }

  #disarm(): void {
    this.#timer?.[Symbol.dispose]();
  }

  #up(): void {
    if (this.#isUp) return;
    this.#isUp = true;
    this.#options.up(this.name);
  }

  #down(reason: string): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#options.down(this.name, reason);
  }

  #show(state: LinkState, reason: string | null): void {
    const { clock, log, changed } = this.#options;
    const { name } = this;
    // A server that stays away is a line when it goes and a line when it is back.
    const level = reason === null || reason !== this.#reasonLogged ? LEVELS[state] : 'debug';
    this.#reasonLogged = reason;
    const why = reason === null ? '' : `: ${reason}`;
    log[level]({ platform: name, state, reason }, `${name} is ${state}${why}${NEXT_STEPS[state] ?? ''}`);
    this.#view = { name, state, reason, lastEventAt: clock.wallMs() };
    changed();
  }
}

const LEVELS = {
  connecting: 'info',
  connected: 'info',
  'backing-off': 'warn',
  parked: 'error',
} as const satisfies Record<LinkState, keyof Log>;

const NEXT_STEPS: Partial<Record<LinkState, string>> = {
  parked: '; change its keys in the configuration and reload, or restart the gateway, to try again',
};

/** What went wrong, as the chart takes it: whom the platform refuses is another thing than a link that failed. */
function failureEvent(type: 'connect.failed' | 'link.lost', error: unknown, serial: number): ConnectionEvent {
  const isRefused = error instanceof LinkFailure && error.trouble === 'auth';
  return { type: isRefused ? 'auth.failed' : type, serial, reason: messageOf(error) };
}
