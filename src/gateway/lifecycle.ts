/**
 * Runs the lifecycle chart. Every inbound message and every request is an event to it, and what it decides
 * comes back from the same call; nothing else in the gateway decides admission.
 *
 * The chart's effects only enqueue here: they run after the event has been taken, so that none of them can
 * disturb the chart. Each event is journalled with the state and context it led to. An error in the chart
 * itself ends the process with the code of a fault.
 */
import { type Actor, createActor, type InspectionEvent } from 'xstate';
import { acceptsOf, admissionOf, type GatewaySnapshot, statePath } from '../../machines/admission.ts';
import type {
  Admission,
  BusyMode,
  DeadlineName,
  Failure,
  Kind,
  LifecycleEvent,
  MessageEvent,
  Refusal,
  Request,
  RequestEvent,
  Verdict,
} from '../../machines/events.ts';
import { type Exit, exitFor, type Supervisor } from '../../machines/exit.ts';
import { gatewayMachine } from '../../machines/gateway.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { JournalRow } from '../store/records.ts';
import type { Log } from '../telemetry/log.ts';
import { ChartEffects } from './chart-effects.ts';
import { ChartJournal } from './chart-journal.ts';
import { type ChartListener, ChartWatch } from './chart-watch.ts';
import { Deadlines, type DeadlineTimes } from './deadlines.ts';

export type Decision =
  | { readonly admission: Exclude<Admission, 'refuse'> }
  | { readonly admission: 'refuse'; readonly refusal: Refusal };

/** What the chart asks the gateway's parts to do. Each is called after the event, and may send events. */
export interface Effects {
  takeUpHeld(): void;
  holdUnstarted(): void;
  abortStart(): void;
  interruptWork(): void;
  killCommands(): void;
  flush(): void;
  stopReceiving(): void;
  askWhetherClosed(): void;
}

/** What a status, a reply or a page needs to know of the chart. */
export interface LifecycleView {
  readonly state: string;
  readonly request: Request | null;
  /** Why it leaves without having been asked to. */
  readonly failure: Failure | null;
  readonly degraded: readonly string[];
  readonly turns: number;
  readonly commands: number;
  /** Wall milliseconds at which the running deadline ends what it bounds; null where none runs. */
  readonly deadlineAt: number | null;
  /** Somebody asked it to leave at once: turns are not waited for. */
  readonly hurried: boolean;
  readonly accepts: Readonly<Record<Kind, Admission>>;
}

export interface LifecycleOptions {
  readonly supervisor: Supervisor;
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: (row: JournalRow) => void;
  /** Read at each arming, so that a reloaded configuration counts from the next one on. */
  readonly times: () => DeadlineTimes;
  /** The agent and busy mode that `accepts.turn` is asked for. */
  readonly usual: () => { agent: string; whenBusy: BusyMode };
  /** Called when the state, the request or the degraded set has changed. */
  readonly changed: () => void;
  /** Another inspector of the actor, beside the live page's. */
  readonly inspect?: (event: InspectionEvent) => void;
}

export class Lifecycle {
  readonly exited: Promise<Exit>;
  readonly #options: LifecycleOptions;
  readonly #actor: Actor<typeof gatewayMachine>;
  readonly #deadlines: Deadlines;
  readonly #watch: ChartWatch;
  readonly #tasks: ChartEffects;
  readonly #journal: ChartJournal;
  /** The path of the state that the last event led to. */
  #state: string;
  #effects: Effects | undefined;
  #pastExitDeadline = false;
  #hurried = false;
  #decision: Decision | undefined;
  #verdict: Verdict | undefined;
  #accepts: { key: string; value: Readonly<Record<Kind, Admission>> } | undefined;

  constructor(options: LifecycleOptions) {
    this.#options = options;
    this.#journal = new ChartJournal(options.journal);
    this.#tasks = new ChartEffects((error) => this.#effectFailed(error));
    this.#deadlines = new Deadlines(options.clock, options.times, (event) => this.send(event));
    this.#actor = createActor(this.#machine(), {
      input: { supervisor: options.supervisor },
      ...(options.inspect === undefined ? {} : { inspect: options.inspect }),
    });
    this.#state = statePath(this.#actor.getSnapshot());
    this.#watch = new ChartWatch(
      (inspect) => this.#actor.system.inspect(inspect),
      (error) => options.log.error({ error: messageOf(error) }, 'a watcher of the chart failed'),
    );
    this.exited = new Promise((resolve) => {
      this.#actor.subscribe({
        complete: () => resolve(this.#actor.getSnapshot().output ?? exitFor(null, null, options.supervisor)),
        error: (error) => {
          options.log.error({ error: messageOf(error) }, 'the lifecycle chart failed');
          resolve(exitFor(null, { kind: 'fault', message: messageOf(error) }, options.supervisor));
        },
      });
    });
  }

  /** Supplies the effects and starts the chart, in `starting`. */
  start(effects: Effects): void {
    this.#effects = effects;
    this.#actor.start();
  }

  /** The number of this life; 0 until `begin`. */
  get epoch(): number {
    return this.#journal.epoch;
  }

  /** Tells the epoch; a guessed one is shown, not written: the store has not given this life a number. */
  begin(epoch: number, isRegistered: boolean): void {
    this.#journal.begin(epoch, isRegistered);
  }

  /** Sends a message to the chart and returns what it decided; undefined after its end, when nothing is decided. */
  admit(event: MessageEvent): Decision | undefined {
    return this.#take(event).decision;
  }

  /** Sends a request to the chart and returns its one answer; undefined after its end. */
  ask(event: RequestEvent): Verdict | undefined {
    return this.#take(event).verdict;
  }

  /** Sends an event to the chart. */
  send(event: LifecycleEvent): void {
    this.#take(event);
  }

  get view(): LifecycleView {
    const snapshot = this.#actor.getSnapshot();
    const { request, failure, degraded, turns, commands } = snapshot.context;
    return {
      state: statePath(snapshot),
      request,
      failure,
      degraded,
      turns: turns.size,
      commands: commands.size,
      deadlineAt: this.#deadlines.endsAt,
      hurried: this.#hurried,
      accepts: this.#acceptsOf(snapshot),
    };
  }

  /** What a turn for this agent would meet now, in the configured busy mode. */
  turnAdmission(agent: string): Admission {
    const snapshot = this.#actor.getSnapshot();
    const { whenBusy } = this.#options.usual();
    return admissionOf(snapshot, { type: 'message.turn', id: '', agent, whenBusy });
  }

  /** The serial of the drain that was just taken, for the timer that is to end it. */
  get serial(): number {
    return this.#actor.getSnapshot().context.serial;
  }

  /** It is leaving, and has cut off what it could no longer wait for. */
  get pastExitDeadline(): boolean {
    return this.#pastExitDeadline;
  }

  /** Calls `listener` after every event, with each edge that it took, until disposed. */
  watch(listener: ChartListener): Disposable {
    return this.#watch.add(listener);
  }

  /** One step of the chart, with what was decided in this very step. After its end there is nobody to take one. */
  #take(event: LifecycleEvent): { decision: Decision | undefined; verdict: Verdict | undefined } {
    this.#decision = undefined;
    this.#verdict = undefined;
    const before = this.#actor.getSnapshot();
    if (before.status !== 'active') return { decision: undefined, verdict: undefined };
    const at = this.#options.clock.wallMs();
    this.#watch.begin(this.#journal.next, at, event);
    this.#actor.send(event);
    // Read now: what the effects below send are steps of their own.
    const judged = { decision: this.#decision, verdict: this.#verdict };
    if (judged.verdict === 'hurried') this.#hurried = true;
    this.#note(at, event, before, this.#actor.getSnapshot());
    this.#tasks.run();
    return judged;
  }

  #machine() {
    const effect = (name: keyof Effects) => () => {
      this.#tasks.later(() => this.#effects?.[name]());
    };
    return gatewayMachine.provide({
      actions: {
        dispatch: () => {
          this.#decision = { admission: 'dispatch' };
        },
        hold: () => {
          this.#decision = { admission: 'hold' };
        },
        refuse: (_, { id: _id, ...refusal }) => {
          this.#decision = { admission: 'refuse', refusal };
        },
        answer: (_, { verdict }) => {
          this.#verdict = verdict;
        },
        startDeadline: (_, params: { deadline: DeadlineName; serial: number; closing: boolean }) => {
          this.#tasks.later(() => this.#deadlines.start(params));
        },
        stopDeadlines: () => {
          this.#tasks.later(() => this.#deadlines.stop());
        },
        takeUpHeld: effect('takeUpHeld'),
        holdUnstarted: effect('holdUnstarted'),
        abortStart: effect('abortStart'),
        interruptWork: effect('interruptWork'),
        killCommands: effect('killCommands'),
        flush: effect('flush'),
        stopReceiving: effect('stopReceiving'),
        askWhetherClosed: effect('askWhetherClosed'),
      },
    });
  }

  /** A defect: the gateway leaves with a fault. */
  #effectFailed(error: unknown): void {
    this.#options.log.error({ error: messageOf(error) }, 'an effect of the lifecycle chart failed');
    this.send({ type: 'fatal', failure: { kind: 'fault', message: messageOf(error) } });
  }

  #note(at: number, event: LifecycleEvent, before: GatewaySnapshot, after: GatewaySnapshot): void {
    const from = this.#state;
    const state = statePath(after);
    this.#state = state;
    const { request, degraded, turns, commands, failure } = after.context;
    this.#journal.add({
      at,
      event: JSON.stringify(event),
      state,
      context: JSON.stringify({ request, failure, degraded, turns: turns.size, commands: commands.size }),
    });
    if (state !== from) {
      if (event.type === 'exit.deadline') this.#pastExitDeadline = true;
      const why = request === null ? {} : { cause: request.cause, actor: request.actor };
      this.#options.log.info({ event: event.type, from, to: state, ...why }, `${from} → ${state}`);
      if (after.status === 'done') this.#deadlines.stop();
    }
    // A stop that joins a drain changes no state, and what the gateway leaves for.
    const { context } = before;
    if (state !== from || degraded !== context.degraded || request !== context.request) {
      this.#options.changed();
    }
    this.#watch.end({ state, admission: this.#decision?.admission, verdict: this.#verdict });
  }

  #acceptsOf(snapshot: GatewaySnapshot): Readonly<Record<Kind, Admission>> {
    const { agent, whenBusy } = this.#options.usual();
    const key = [statePath(snapshot), ...snapshot.context.degraded, agent, whenBusy].join(' ');
    if (this.#accepts?.key !== key) {
      this.#accepts = { key, value: acceptsOf(snapshot, agent, whenBusy) };
    }
    return this.#accepts.value;
  }
}
