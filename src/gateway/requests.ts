/**
 * Requests to stop, restart or drain, from wherever they come: a chat command, the CLI, HTTP, a signal. Each
 * is one event to the chart and gets its one answer. A restart that a person asks for is refused while the
 * configuration on disk is invalid, or the program to start again in place is missing; a signal never is. A request from inside a command's or a turn's own
 * process tree waits until that work has settled, or it would wait for itself.
 */
import type { Cause, Intent, RequestEvent, Verdict } from '../../machines/events.ts';
import type { Supervisor } from '../../machines/exit.ts';
import type { Clock } from '../clock.ts';
import * as controlReplies from '../messages/control-replies.ts';
import { newId } from '../messages/ids.ts';
import * as replies from '../messages/replies.ts';
import type { SignalRequest } from '../process/signals.ts';
import type { Log } from '../telemetry/log.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Turns } from './turns.ts';

export interface Ask {
  readonly intent: Intent | 'cancel-drain';
  readonly cause: Cause;
  readonly actor: string;
  readonly hurry?: boolean;
  /** Of a drain: milliseconds after which turns are taken again by itself, DRAIN_FOR_MS_MAX at most. */
  readonly forMs?: number;
  /** Why, for the log. */
  readonly reason?: string;
  /** The marker of the work from inside which it was asked. */
  readonly from?: string;
  /** The answer may show lines of the configuration file: it goes to whoever may read that. */
  readonly withLines?: boolean;
}

export interface Answer {
  /**
   * `refused`: the configuration is invalid, or the program cannot be started again; `deferred`: asked from inside work, done when that has settled; `left`:
   * the chart has ended, and nothing answers any more.
   */
  readonly verdict: Verdict | 'refused' | 'deferred' | 'left';
  readonly text: string;
}

/**
 * The cause of the stop that a signal asks for; undefined for one that asks for something else. A terminal that goes
 * away takes the gateway with it only where nobody else looks after it.
 */
export function stopCauseOf(
  { signal, terminalGone }: SignalRequest,
  supervisor: Supervisor,
): Cause | undefined {
  if (signal === 'SIGUSR1') return undefined;
  if (signal === 'SIGHUP') return terminalGone && supervisor === 'none' ? 'hangup' : undefined;
  return signal;
}

/** Who hears what a signal asks for. */
export interface SignalHearers {
  readonly requests: Requests;
  readonly reload: (ask: { cause: 'SIGHUP'; actor: string }) => void;
  readonly supervisor: Supervisor;
  readonly log: Log;
}

/** A signal as the request it stands for. */
export function askBySignal(request: SignalRequest, hearers: SignalHearers): void {
  const { requests, reload, supervisor, log } = hearers;
  const { signal, hurry } = request;
  const actor = 'signal';
  const cause = stopCauseOf(request, supervisor);
  if (cause !== undefined) {
    const { text } = requests.ask({ intent: 'stop', cause, actor, hurry });
    if (cause === 'SIGINT')
      log.info(`${text} ${hurry ? 'A third Ctrl-C leaves at once.' : 'A second Ctrl-C hurries.'}`);
  } else if (signal === 'SIGUSR1') {
    requests.ask({ intent: 'restart', cause: signal, actor });
  } else {
    reload({ cause: 'SIGHUP', actor });
  }
}

/** Requests that may wait for work to settle. */
const DEFERRED_MAX = 100;

/** The longest time a drain may be given; a timer of Node's counts 24 days at most, and fires at once past that. */
export const DRAIN_FOR_MS_MAX = 7 * 24 * 3_600_000;

export interface RequestsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly lifecycle: Lifecycle;
  readonly turns: Pick<Turns, 'running' | 'keptCount'>;
  /** What is wrong with the configuration on disk; null when a restart could use it. */
  readonly configProblem: (options: { withLines: boolean }) => string | null;
  /** What keeps this program from being started again in place; null where nothing does, or a supervisor starts it. */
  readonly programProblem: () => string | null;
  /** True for the marker of a turn or command that is in flight. */
  readonly isWork: (workId: string) => boolean;
}

export class Requests implements Disposable {
  readonly #options: RequestsOptions;
  readonly #deferred: (Ask & { from: string })[] = [];
  /** Ends the drain that was given a time. */
  #drainEnd: Disposable | undefined;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  ask(ask: Ask): Answer {
    const refused = this.#refusal(ask);
    if (refused !== undefined) return refused;
    if (ask.from !== undefined && this.#options.isWork(ask.from) && this.#deferred.length < DEFERRED_MAX) {
      this.#deferred.push({ ...ask, from: ask.from });
      return { verdict: 'deferred', text: controlReplies.deferred() };
    }
    return this.#send(ask);
  }

  /** Ends what still waits for its time. */
  [Symbol.dispose](): void {
    this.#drainEnd?.[Symbol.dispose]();
    this.#drainEnd = undefined;
  }

  /** Hands on what was asked from inside this work. Whoever asked has their answer; what it comes to is logged. */
  workEnded(workId: string): void {
    const ready = this.#deferred.filter(({ from }) => from === workId);
    for (const ask of ready) {
      this.#deferred.splice(this.#deferred.indexOf(ask), 1);
      // The configuration may have been broken since, by that very work.
      const refused = this.#refusal({ ...ask, withLines: false });
      if (refused === undefined) this.#send(ask);
      else this.#options.log.warn({ actor: ask.actor, work: workId }, refused.text);
    }
  }

  #refusal({ cause, withLines = false }: Ask): Answer | undefined {
    if (cause !== 'restart') return undefined;
    const missing = this.#options.programProblem();
    if (missing !== null) return { verdict: 'refused', text: controlReplies.restartImpossible(missing) };
    const problem = this.#options.configProblem({ withLines });
    return problem === null
      ? undefined
      : { verdict: 'refused', text: controlReplies.restartRefusal(problem) };
  }

  #send(ask: Ask): Answer {
    const { lifecycle, log } = this.#options;
    const { intent, cause, actor } = ask;
    const requestId = newId('r', this.#options.clock.wallMs());
    const before = this.#work();
    const verdict = lifecycle.ask(eventOf(ask, requestId));
    if (verdict === undefined) return { verdict: 'left', text: replies.left() };
    const why = ask.reason === undefined ? {} : { reason: ask.reason };
    log.info({ intent, cause, actor, verdict, ...why }, `${intent} asked by ${actor}: ${verdict}`);
    if (verdict === 'taken' || verdict === 'cancelled') this[Symbol.dispose]();
    if (intent === 'drain' && verdict === 'taken' && ask.forMs !== undefined) this.#endLater(ask.forMs);
    const text = this.#text(verdict, intent, before);
    const isTimeLost = intent === 'drain' && verdict === 'joined' && ask.forMs !== undefined;
    return { verdict, text: isTimeLost ? `${text} ${controlReplies.drainTimeNotTaken()}` : text };
  }

  /** Ends a drain by its own timer: only that very drain, whatever has happened since. */
  #endLater(forMs: number): void {
    const { clock, lifecycle } = this.#options;
    const onlyDrain = lifecycle.serial;
    this.#drainEnd = clock.timer(Math.min(forMs, DRAIN_FOR_MS_MAX), () => {
      const requestId = newId('r', clock.wallMs());
      lifecycle.ask({ type: 'drain.cancelled', requestId, actor: 'timer', onlyDrain });
    });
  }

  /**
   * What is in flight. The chart counts a turn from its admission on, also while it waits for its place, and goes on to
   * count it until it is written as held: people are told of those that have begun.
   */
  #work(): Work {
    const { lifecycle, turns } = this.#options;
    return { turns: turns.running.length, unstarted: turns.keptCount, commands: lifecycle.view.commands };
  }

  #text(verdict: Verdict, intent: Ask['intent'], before: Work): string {
    const { clock, lifecycle } = this.#options;
    const { request, failure, deadlineAt } = lifecycle.view;
    // What a hurry ends is what was in flight before it.
    const { turns, commands } = verdict === 'hurried' ? before : this.#work();
    const holds = verdict === 'taken' || verdict === 'hurried';
    return controlReplies.verdict(verdict, intent === 'cancel-drain' ? 'cancel' : intent, {
      intent: request?.intent ?? null,
      cause: request?.cause ?? null,
      signal: request?.signal ?? null,
      failed: failure !== null,
      turns,
      commands,
      kept: holds ? before.unstarted : 0,
      leftMs: deadlineAt === null ? null : deadlineAt - clock.wallMs(),
    });
  }
}

/** Work in flight, counted; `unstarted`: turns that wait for their place, and that nobody gives up just now. */
interface Work {
  readonly turns: number;
  readonly unstarted: number;
  readonly commands: number;
}

/** The event that a request is to the chart. */
function eventOf({ intent, cause, actor, hurry = false }: Ask, requestId: string): RequestEvent {
  if (intent === 'cancel-drain') return { type: 'drain.cancelled', requestId, actor };
  if (intent === 'drain') return { type: 'drain.requested', requestId, actor };
  return { type: 'stop.requested', requestId, intent, cause, actor, hurry };
}
