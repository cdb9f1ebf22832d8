/**
 * Carries out what the chart asks for: takes up and holds messages, ends work whose time is over, and leaves in
 * order: what is in hand settles, replies leave, nothing more is taken in. Each effect is called after the event
 * that asked for it; one that takes time is answered by an event of its own.
 */
import { messageOf } from '../errors.ts';
import type { Parts } from './assembly.ts';
import { commandsCutOff, interruption } from './departure.ts';
import type { Effects } from './lifecycle.ts';
import type { GatewayOptions } from './options.ts';

export interface GatewayEffectsOptions
  extends Pick<GatewayOptions, 'log' | 'abortStart' | 'closeFaces' | 'tryStore'>,
    Pick<
      Parts,
      | 'lifecycle'
      | 'connections'
      | 'intake'
      | 'dispatch'
      | 'delivery'
      | 'turns'
      | 'commands'
      | 'held'
      | 'holding'
      | 'refusals'
      | 'takeUp'
    > {}

export class GatewayEffects implements Effects {
  readonly #options: GatewayEffectsOptions;
  #flushing = false;
  #receivingStopped = false;

  constructor(options: GatewayEffectsOptions) {
    this.#options = options;
  }

  /** The gateway takes turns again. */
  takeUpHeld(): void {
    const { refusals, held, takeUp } = this.#options;
    refusals.forget();
    held.forgetAnnounced();
    takeUp.all();
  }

  /** What was admitted and not begun is kept for the next start, or for the drain's end. */
  holdUnstarted(): void {
    const { turns, holding } = this.#options;
    void this.#go('holding what has not begun', holding.hold(turns.takeUnstarted(), 'state'));
  }

  abortStart(): void {
    this.#options.abortStart();
  }

  /** Turns are aborted, and commands asked to end: what still runs at the end of the grace is killed. */
  interruptWork(): void {
    const { turns, commands, lifecycle } = this.#options;
    turns.abortAll(interruption(lifecycle.view));
    commands.interruptAll(commandsCutOff(lifecycle.view));
  }

  killCommands(): void {
    const { turns, commands, lifecycle } = this.#options;
    turns.killAll(interruption(lifecycle.view));
    commands.killAll(commandsCutOff(lifecycle.view));
  }

  /** Says `outbox.flushed` when nothing is in hand and everything has left. One flush at a time. */
  flush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    void this.#go('the last flush', this.#lastFlush()).then(() => {
      this.#flushing = false;
      this.#options.lifecycle.send({ type: 'outbox.flushed' });
    });
  }

  /** Says `intake.closed` when no face takes anything in and what came before is answered. */
  stopReceiving(): void {
    const { connections, closeFaces } = this.#options;
    void this.#go('ending what platforms send', connections.stopReceiving())
      .then(() => this.#go('closing the faces', closeFaces()))
      .then(() => {
        this.#receivingStopped = true;
        return this.#sayClosed();
      });
  }

  askWhetherClosed(): void {
    if (this.#receivingStopped) void this.#sayClosed();
  }

  /** What came in while the gateway was closing is answered first; platforms go on sending until their end. */
  async #sayClosed(): Promise<void> {
    await this.#go('the last messages', this.#nothingInHand());
    this.#options.lifecycle.send({ type: 'intake.closed' });
  }

  /** What an outage kept in memory alone is written before the end, where it can be: the next look would be too late. */
  async #lastFlush(): Promise<void> {
    await this.#nothingInHand();
    await this.#options.tryStore();
    await this.#nothingInHand();
  }

  async #nothingInHand(): Promise<void> {
    const { intake, dispatch, delivery } = this.#options;
    await intake.idle();
    await dispatch.idle();
    await delivery.idle();
  }

  /** One failing step never skips the next: it is logged, and the gateway goes on leaving. */
  async #go(what: string, step: Promise<void>): Promise<void> {
    try {
      await step;
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, `${what} failed`);
    }
  }
}
