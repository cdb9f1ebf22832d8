/**
 * The gateway's core as whoever runs it sees it: the lifecycle chart and the parts it moves. It speaks to
 * interfaces only (store, processes, platforms, agents, clock), so a test can run it on stand-ins, and `daemon.ts`
 * on the real ones. Which part is given whom stands in `assembly.ts`, what the chart asks for in `effects.ts`.
 */
import type { Exit } from '../../machines/exit.ts';
import { messageOf } from '../errors.ts';
import type { Inbound } from '../messages/inbound.ts';
import { storeLocked } from '../messages/replies.ts';
import type { LastExit } from '../store/last-exit.ts';
import type { Life } from '../store/store.ts';
import { assemble, type Parts } from './assembly.ts';
import type { Connections } from './connections.ts';
import type { Conversations } from './conversations.ts';
import { shutdownTimes } from './deadlines.ts';
import { GatewayEffects } from './effects.ts';
import type { ProgressListener, Receipt } from './in-hand.ts';
import type { Interventions } from './interventions.ts';
import type { Ledger } from './ledger.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { GatewayOptions } from './options.ts';
import type { Recovered } from './recovery.ts';
import type { Requests } from './requests.ts';
import { statusReport } from './status.ts';
import type { StatusReport } from './status-report.ts';

/** After a crash loop what was held starts one at a time for so long. */
export const SLOW_AFTER_SAFE_MODE_MS = 60_000;

export class Gateway {
  readonly lifecycle: Lifecycle;
  readonly requests: Requests;
  readonly connections: Connections;
  readonly ledger: Ledger;
  readonly conversations: Conversations;
  readonly interventions: Interventions;
  /** Of this life, besides those of the configuration. */
  readonly warnings: string[] = [];
  /** Where HTTP listens; set by whoever listens. */
  http: string | null = null;
  readonly #options: GatewayOptions;
  readonly #parts: Parts;
  readonly #listeners: ((what: 'state' | 'counters') => void)[] = [];
  #life: Life | undefined;
  #awaitsRecovery = false;
  #lastExit: LastExit | null = null;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#parts = assemble(options, {
      life: () => this.#life?.id ?? 0,
      lastExit: () => this.#lastExit,
      status: () => this.status,
      receive: (inbound) => this.receive(inbound),
      changed: (what) => this.#changed(what),
      settled: (messageId) => this.#settled(messageId),
      nowHeld: (row) => this.#parts.intake.nowHeld(row),
      leavingSafeMode: () => this.#parts.takeUp.goSlowly(SLOW_AFTER_SAFE_MODE_MS),
      resume: (message) => this.#parts.resuming.run(message),
      heldLate: () => this.#parts.takeUp.all(),
      awaitsRecovery: () => this.#awaitsRecovery,
    });
    const { lifecycle, requests, connections, ledger, conversations, interventions } = this.#parts;
    this.lifecycle = lifecycle;
    this.requests = requests;
    this.connections = connections;
    this.ledger = ledger;
    this.conversations = conversations;
    this.interventions = interventions;
  }

  /** Starts the chart, in `starting`. */
  start(): void {
    const { log, abortStart, closeFaces, tryStore } = this.#options;
    this.lifecycle.start(new GatewayEffects({ ...this.#parts, log, abortStart, closeFaces, tryStore }));
  }

  /** Resolves when the chart has reached its end. */
  get exited(): Promise<Exit> {
    return this.lifecycle.exited;
  }

  /** This process is known to the store from now on; with the id 0 it is not yet, and its epoch a guess. */
  begin(life: Life): void {
    this.#life = life;
    this.lifecycle.begin(life.epoch ?? 0, life.id !== 0);
  }

  /** Calls `listener` when something that a status shows has changed; `state` when it is the chart's. */
  onChange(listener: (what: 'state' | 'counters') => void): void {
    this.#listeners.push(listener);
  }

  /** The store keeps earlier lives' messages from being found: `resume` follows when it is back, after `started`. */
  recoveryIsLate(): void {
    this.#awaitsRecovery = true;
  }

  /** Goes on with what earlier lives left; before `started`, or late. `lastExit`: how the one before ended. */
  resume(recovered: Recovered, lastExit: LastExit | null): void {
    const { held, resumes, safeMode, takeUp, delivery } = this.#parts;
    const { safeMode: rules } = this.#options.config();
    this.#lastExit = lastExit;
    if (recovered.crashLoop && rules !== null) safeMode.enter(rules.quietMs);
    held.recovered(recovered.held, recovered.arrived);
    resumes.recovered(recovered);
    for (const row of [...recovered.held, ...recovered.awaiting]) void this.ledger.open(row.id);
    for (const row of recovered.commands) takeUp.command(row);
    delivery.recovered(recovered.outbound);
    this.#awaitsRecovery = false;
    this.conversations.recovered();
  }

  /** Goes on with what was left by a process that worked beside this one. */
  takeOver({ commands, outbound }: Pick<Recovered, 'commands' | 'outbound'>): void {
    for (const row of commands) this.#parts.takeUp.command(row);
    for (const row of outbound) this.#parts.delivery.deliver(row, true);
  }

  /** The store can be written again: what ran unrecorded is written, then turns are taken, unless it failed anew. */
  async storeIsBack(): Promise<void> {
    await this.ledger.catchUp();
    await this.#parts.delivery.catchUp();
    await this.#parts.notices.catchUp();
    await this.#parts.safeMode.catchUp();
    if (!this.#options.store.writable) return;
    this.lifecycle.send({ type: 'degraded.cleared', reason: 'store' });
    void this.#parts.notices.tell();
  }

  /** `degraded` has that the store cannot be written; a lock is what nobody would look for. */
  #storeWarnings(): string[] {
    const { writable, obstacle } = this.#options.store;
    return !writable && obstacle === 'lock' ? [storeLocked()] : [];
  }

  /** The store cannot be written: turns are refused, commands go on unrecorded. */
  storeIsDown(): void {
    this.lifecycle.send({ type: 'degraded.raised', reason: 'store' });
  }

  /** Takes a message in; see `Intake.receive`. */
  async receive(inbound: Inbound, listener?: ProgressListener): Promise<Receipt> {
    this.#parts.delivery.heardFrom(inbound.conversation);
    const receipt = await this.#parts.intake.receive(inbound, listener);
    this.#changed('counters');
    return receipt;
  }

  /** Another configuration runs: what waits for a place may have one now, and a status shows it. */
  reconfigured(): void {
    this.#parts.circuits.reconfigured();
    this.#parts.turns.takeWaiting();
    this.#parts.commands.takeWaiting();
    this.#changed('state');
  }

  /** Logs what failed at one of the gateway's faces: a defect, which no caller can do anything about. */
  reportFault(error: unknown): void {
    const stack = error instanceof Error ? error.stack : undefined;
    this.#options.log.error({ error: messageOf(error), stack }, 'a request failed');
  }

  get status(): StatusReport {
    const { about, supervisor, supervisorMs, config } = this.#options;
    return statusReport({
      ...this.#parts,
      links: () => this.connections.links,
      agents: () => Object.values(config().agents),
      outage: (agent) => this.#parts.circuits.outage(agent),
      about: { ...about, supervisor },
      warnings: () => [...this.#options.configWarnings(), ...this.warnings, ...this.#storeWarnings()],
      http: () => this.http,
      lastExit: () => this.#lastExit,
      deadlines: () => ({ ...shutdownTimes(config()), supervisorMs }),
      redact: this.#options.redact,
    });
  }

  /** Resolves when nothing is in hand: what has no outcome by then gets none in this life, unless it is taken up. */
  async idle(): Promise<void> {
    await this.#parts.intake.idle();
    await this.#parts.dispatch.idle();
  }

  /** Writes what was promised, then ends waiting for platforms and timers of the core; after the chart's end. */
  async stop(): Promise<void> {
    const { delivery, held, circuits, requests, intake, notices, safeMode, takeUp, progress } = this.#parts;
    circuits[Symbol.dispose]();
    safeMode[Symbol.dispose]();
    takeUp[Symbol.dispose]();
    progress[Symbol.dispose]();
    intake[Symbol.dispose]();
    delivery.stop();
    held.forgetAnnounced();
    requests[Symbol.dispose]();
    await Promise.all([this.connections.stop(), notices.catchUpLast()]);
  }

  #settled(messageId: string): void {
    this.lifecycle.send({ type: 'work.settled', id: messageId });
    this.#parts.takeUp.roomFreed(messageId);
    this.#changed('counters');
  }

  #changed(what: 'state' | 'counters'): void {
    const hearers =
      what === 'state' ? [() => this.#parts.backNotices.tell(), ...this.#listeners] : this.#listeners;
    for (const hear of hearers) {
      try {
        hear(what);
      } catch (error) {
        this.#options.log.error({ error: messageOf(error) }, 'whoever hears of a change failed');
      }
    }
  }
}
