/**
 * The gateway's core: the lifecycle chart and the parts it moves, put together. It speaks to interfaces only
 * (store, processes, platforms, agents, clock), so a test can run it on stand-ins, and `daemon.ts` on the
 * real ones.
 */
import type { InspectionEvent } from 'xstate';
import type { BusyMode } from '../../machines/events.ts';
import type { Exit, Supervisor } from '../../machines/exit.ts';
import type { Agent } from '../agents/agent.ts';
import type { Clock } from '../clock.ts';
import type { Config, ExecCommand } from '../config/schema.ts';
import { messageOf } from '../errors.ts';
import { newId } from '../messages/ids.ts';
import type { Inbound } from '../messages/inbound.ts';
import * as replies from '../messages/replies.ts';
import type { Platform } from '../platforms/platform.ts';
import type { Processes } from '../process/exec.ts';
import type { LastExit, Life, MessageRow, OutboundRow, Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import { Access } from './access.ts';
import { Connections } from './connections.ts';
import { ControlCommands } from './control-commands.ts';
import { Delivery } from './delivery.ts';
import { Dispatch } from './dispatch.ts';
import { Held } from './held.ts';
import type { ProgressListener, Receipt } from './in-hand.ts';
import { Intake } from './intake.ts';
import { Judge } from './judge.ts';
import { Ledger } from './ledger.ts';
import { type Effects, Lifecycle } from './lifecycle.ts';
import { Placing } from './placing.ts';
import { QuickCommands } from './quick-commands.ts';
import type { Recovered } from './recovery.ts';
import { Refusals } from './refusals.ts';
import { Requests } from './requests.ts';
import { type StatusReport, statusReport } from './status.ts';
import { TakeUp } from './take-up.ts';
import { Turns } from './turns.ts';

export interface GatewayOptions {
  readonly config: () => Config;
  readonly store: Store;
  readonly processes: Processes;
  readonly platforms: readonly Platform[];
  readonly agent: (name: string) => Agent | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly supervisor: Supervisor;
  readonly about: Pick<StatusReport, 'pid' | 'version' | 'startedAt'>;
  readonly supervisorMs: number | null;
  readonly environment: (
    command: ExecCommand,
    values: Readonly<Record<string, string>>,
  ) => Record<string, string>;
  /** What is wrong with the configuration on disk; null when a restart could use it. */
  readonly configProblem: () => string | null;
  /** The start is to end: a stop came during it, or it failed. */
  readonly abortStart: () => void;
  /** Takes no new connection on the local faces; resolves when requests under way are answered. */
  readonly closeFaces: () => Promise<void>;
  /** Another inspector of the lifecycle actor; it must not throw. */
  readonly inspect?: (event: InspectionEvent) => void;
}

export class Gateway {
  readonly lifecycle: Lifecycle;
  readonly requests: Requests;
  readonly connections: Connections;
  readonly ledger: Ledger;
  readonly warnings: string[] = [];
  /** Where HTTP listens; set by whoever listens. */
  http: string | null = null;
  readonly #options: GatewayOptions;
  readonly #life: { current: Life | undefined } = { current: undefined };
  readonly #turns: Turns;
  readonly #commands: QuickCommands;
  readonly #held: Held;
  readonly #refusals = new Refusals();
  readonly #delivery: Delivery;
  readonly #dispatch: Dispatch;
  readonly #intake: Intake;
  readonly #takeUp: TakeUp;
  readonly #listeners: ((what: 'state' | 'counters') => void)[] = [];
  #lastExit: LastExit | null = null;
  #flushing = false;
  #receivingStopped = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { clock, log, store, config, processes } = options;
    const life = () => this.#life.current?.id ?? 0;
    const settled = (id: string) => this.#settled(id);
    this.lifecycle = new Lifecycle({
      supervisor: options.supervisor,
      clock,
      log,
      journal: (row) => store.journal(row),
      times: () => this.#times(),
      usual: () => ({ agent: 'default', whenBusy: this.#busyMode() }),
      changed: () => this.#changed('state'),
      ...(options.inspect === undefined ? {} : { inspect: options.inspect }),
    });
    this.connections = new Connections({
      clock,
      log,
      platforms: options.platforms,
      receive: (inbound) => this.receive(inbound),
      changed: () => this.#changed('counters'),
    });
    this.#delivery = new Delivery({
      store,
      clock,
      log,
      life,
      platform: (name) => this.connections.platform(name),
    });
    this.ledger = new Ledger({ store, clock, log, delivery: this.#delivery, life });
    this.#held = new Held(clock, (row) => this.#say(row, replies.held(this.#leaving())));
    this.#dispatch = new Dispatch({
      store,
      clock,
      log,
      ledger: this.ledger,
      turns: () => this.#turns,
      commands: () => this.#commands,
      control: () => control,
      settled,
      workEnded: (workId) => this.requests.workEnded(workId),
      keep: (message) => this.#held.putBack([message.row]),
    });
    this.#turns = new Turns({
      clock,
      log,
      life,
      agent: (name) => this.#agent(name),
      maxTurns: () => config().maxTurns,
      start: (turn) => this.#dispatch.startTurn(turn),
      delta: (messageId, text) => this.ledger.tell(messageId, { type: 'delta', text }),
    });
    this.#commands = new QuickCommands({
      clock,
      processes,
      life,
      environment: options.environment,
      start: (command) => this.#dispatch.startCommand(command),
    });
    this.requests = new Requests({
      clock,
      log,
      lifecycle: this.lifecycle,
      configProblem: options.configProblem,
      isWork: (workId) =>
        this.#turns.running.some((turn) => turn.row.id === workId) ||
        this.#commands.inFlight.some((command) => command.row.id === workId),
    });
    const access = new Access(config, clock);
    const control = new ControlCommands({
      config,
      access,
      requests: this.requests,
      turns: this.#turns,
      commands: this.#commands,
      status: () => this.status,
      wallMs: () => clock.wallMs(),
    });
    const leftMs = () => {
      const { deadlineAt } = this.lifecycle.view;
      return deadlineAt === null ? null : deadlineAt - clock.wallMs();
    };
    const judge = new Judge({ config, access, lifecycle: this.lifecycle, leftMs });
    const placing = new Placing({
      clock,
      ledger: this.ledger,
      held: this.#held,
      refusals: this.#refusals,
      turns: this.#turns,
      commands: this.#commands,
      dispatch: this.#dispatch,
      agentNames: () => Object.keys(config().agents),
      stopping: () => this.#leaving(),
      settled,
    });
    const { ledger } = this;
    this.#takeUp = new TakeUp({ store, access, judge, placing, ledger, held: this.#held, life });
    this.#intake = new Intake({
      store,
      clock,
      config,
      access,
      judge,
      ledger,
      placing,
      life,
      epoch: () => this.lifecycle.epoch,
      lastExit: () => this.#lastExit,
      say: (row, text) => this.#say(row, text),
    });
  }

  /** Starts the chart, in `starting`. */
  start(): void {
    this.lifecycle.start(this.#effects());
  }

  /** Resolves when the chart has reached its end. */
  get exited(): Promise<Exit> {
    return this.lifecycle.exited;
  }

  /** This process is known to the store from now on. */
  begin(life: Life): void {
    this.#life.current = life;
    this.lifecycle.begin(life.epoch ?? 0);
  }

  /** Calls `listener` when something that a status shows has changed; `state` when it is the chart's. */
  onChange(listener: (what: 'state' | 'counters') => void): void {
    this.#listeners.push(listener);
  }

  /** Goes on with what earlier lives left; before `started`. `lastExit`: how the one before ended. */
  resume(recovered: Recovered, lastExit: LastExit | null): void {
    this.#lastExit = lastExit;
    this.#held.putBack(recovered.held);
    for (const row of recovered.held) void this.ledger.open(row.id);
    for (const row of recovered.commands) this.#takeUp.one(row);
    for (const row of recovered.outbound) this.#delivery.deliver(row, true);
  }

  /** The store can be written again: what ran unrecorded is written, then turns are taken, unless it failed anew. */
  async storeIsBack(): Promise<void> {
    await this.ledger.catchUp();
    if (!this.#options.store.writable) return;
    this.lifecycle.send({ type: 'degraded.cleared', reason: 'store' });
  }

  /** The store cannot be written: turns are refused, commands go on unrecorded. */
  storeIsDown(): void {
    this.lifecycle.send({ type: 'degraded.raised', reason: 'store' });
  }

  /** Takes a message in; see `Intake.receive`. */
  async receive(inbound: Inbound, listener?: ProgressListener): Promise<Receipt> {
    const receipt = await this.#intake.receive(inbound, listener);
    this.#changed('counters');
    return receipt;
  }

  /** Logs what failed at one of the gateway's faces: a defect, which no caller can do anything about. */
  reportFault(error: unknown): void {
    const stack = error instanceof Error ? error.stack : undefined;
    this.#options.log.error({ error: messageOf(error), stack }, 'a request failed');
  }

  get status(): StatusReport {
    const { about, supervisor, config } = this.#options;
    return statusReport({
      lifecycle: this.lifecycle,
      held: this.#held,
      turns: this.#turns,
      commands: this.#commands,
      links: () => this.connections.links,
      agents: () => Object.values(config().agents),
      about: { ...about, supervisor },
      warnings: () => this.warnings,
      http: () => this.http,
      lastExit: () => this.#lastExit,
      deadlines: () => ({ ...this.#times(), supervisorMs: this.#options.supervisorMs }),
    });
  }

  /** Ends waiting for platforms and timers of the core; after the chart's end. */
  async stop(): Promise<void> {
    this.#delivery.stop();
    this.#held.forgetAnnounced();
    await this.connections.stop();
  }

  #effects(): Effects {
    return {
      takeUpHeld: () => {
        this.#refusals.forget();
        this.#held.forgetAnnounced();
        this.#takeUp.all();
      },
      holdUnstarted: () => this.#holdUnstarted(),
      abortStart: () => this.#options.abortStart(),
      abortTurns: () => this.#turns.abortAll(this.#interruption()),
      killCommands: () => {
        this.#turns.killAll(this.#interruption());
        this.#commands.killAll(`the gateway is ${this.#goingWhere()}`);
      },
      flush: () => void this.#flush(),
      stopReceiving: () => void this.#stopReceiving(),
      askWhetherClosed: () => {
        if (this.#receivingStopped) void this.#sayClosed();
      },
    };
  }

  /** What was admitted and not begun is kept for the next start, or for the drain's end. */
  #holdUnstarted(): void {
    const messages = this.#turns.takeUnstarted();
    if (messages.length === 0) return;
    this.#held.putBack(messages.map((message) => message.row));
    const unit = messages.map(
      ({ row }) => ({ op: 'phase', id: row.id, phase: 'held', reason: 'state' }) as const,
    );
    const told = replies.held(this.#leaving());
    // They stand on disk as waiting, which comes to the same at the next start: a failed commit loses nothing.
    void this.#options.store
      .commit(unit)
      .catch(() => {})
      .then(() => {
        for (const { row } of messages) {
          const { id: messageId, kind } = row;
          const decided = { messageId, kind, admission: 'hold', reason: null, text: told } as const;
          this.ledger.tell(messageId, { type: 'admission', ...decided, duplicate: false, recorded: true });
          if (row.platform !== 'local') this.#held.announceLater(row);
          this.#intake.nowHeld(row);
          this.#settled(row.id);
        }
      });
  }

  /** Says `outbox.flushed` when nothing is in hand and everything has left. One flush at a time. */
  async #flush(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    await this.#intake.idle();
    await this.#dispatch.idle();
    await this.#delivery.idle();
    this.#flushing = false;
    this.lifecycle.send({ type: 'outbox.flushed' });
  }

  async #stopReceiving(): Promise<void> {
    await this.connections.stopReceiving();
    await this.#options.closeFaces();
    this.#receivingStopped = true;
    await this.#sayClosed();
  }

  /** What came in while the gateway was closing is answered first; platforms go on sending until their end. */
  async #sayClosed(): Promise<void> {
    await this.#intake.idle();
    await this.#dispatch.idle();
    await this.#delivery.idle();
    this.lifecycle.send({ type: 'intake.closed' });
  }

  #settled(id: string): void {
    this.lifecycle.send({ type: 'work.settled', id });
    this.#changed('counters');
  }

  #changed(what: 'state' | 'counters'): void {
    for (const listener of this.#listeners) listener(what);
  }

  #times() {
    const { drainTimeoutMs, shutdown } = this.#options.config();
    return { drainMs: drainTimeoutMs, killMs: shutdown.killGraceMs, exitMs: shutdown.exitTimeoutMs };
  }

  #busyMode(): BusyMode {
    return this.#options.config().busyInputMode;
  }

  #agent(name: string) {
    const config = this.#options.config();
    const found = Object.hasOwn(config.agents, name) ? config.agents[name] : undefined;
    const agent = this.#options.agent(name);
    if (found === undefined || agent === undefined) return undefined;
    return { agent, timeoutMs: found.turnTimeoutMs, maxTurns: found.maxTurns ?? config.maxTurns };
  }

  #leaving(): boolean {
    const intent = this.lifecycle.view.request?.intent;
    return intent === 'stop' || intent === 'restart';
  }

  #goingWhere(): string {
    return this.lifecycle.view.request?.intent === 'restart' ? 'restarting' : 'stopping';
  }

  #interruption() {
    const { request } = this.lifecycle.view;
    const reason =
      request === null ? 'fault' : `${request.intent} asked by ${request.actor} (${request.cause})`;
    const why = `the gateway is ${this.#goingWhere()} and its time to wait is over`;
    return { outcome: 'interrupted', reason, text: replies.interruptedTurn(why) } as const;
  }

  /** Says something that answers no stored message; it has no row. */
  #say({ platform, conversation }: Pick<MessageRow, 'platform' | 'conversation'>, text: string): void {
    const at = this.#options.clock.wallMs();
    const life = this.#life.current?.id ?? 0;
    const row: OutboundRow = {
      ...{ id: newId('o', at), messageId: null, platform, conversation, text, kind: 'notice' },
      createdAt: at,
      life,
    };
    this.#delivery.deliver(row, false);
  }
}
