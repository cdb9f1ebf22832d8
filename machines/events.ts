/**
 * The words of the lifecycle chart: its events, what it keeps in context, and what it asks the world to do.
 * Types only, so that both the chart and everything that talks to it can import them without importing it.
 */

/** What a message is to the gateway. An `alias` is rewritten and judged again as what it points to. */
export type Kind = 'control' | 'exec' | 'alias' | 'turn';

/** What a state does with a message of a kind. */
export type Admission = 'dispatch' | 'hold' | 'refuse';

/** What a busy conversation does with the next message for it. */
export type BusyMode = 'interrupt' | 'queue' | 'steer';

/** What a leaving gateway is leaving for. */
export type Intent = 'stop' | 'restart' | 'drain';

/**
 * Why the gateway leaves or drains. `stop` and `restart` are asked for by a person (command, CLI or HTTP);
 * `hangup` is a SIGHUP whose terminal is gone; the others name their signal. Ranked in `exit.ts`.
 */
export type Cause = 'stop' | 'takeover' | 'restart' | 'drain' | SignalCause;

/** The causes that are signals. */
export type SignalCause = 'SIGINT' | 'hangup' | 'SIGTERM' | 'SIGUSR1';

/**
 * Failures that end the process, each with an exit code in `exit.ts`. `home-lost`: the home was deleted or replaced
 * while the gateway ran in it.
 */
export type FailureKind =
  | 'config-invalid'
  | 'schema-newer'
  | 'store-corrupt'
  | 'home-owned'
  | 'home-lost'
  | 'no-permission'
  | 'unavailable'
  | 'fault';

export interface Failure {
  readonly kind: FailureKind;
  /** One line for logs and people. */
  readonly message: string;
}

/** A request that is being carried out: what was asked, why, and by whom. */
export interface Request {
  readonly intent: Intent;
  readonly cause: Cause;
  /** Who asked: `local`, `telegram:12345`, `signal`, … */
  readonly actor: string;
  /**
   * The signal that asks for it: its cause where that is one, else the first that asked as well, before or after a person
   * whose cause outranks it. Null while none has. Whoever sent it waits for the end of the process.
   */
  readonly signal: SignalCause | null;
}

/**
 * What a request event was answered with. Exactly one per request event, in every state.
 * `too-late` is for a cancel of what a signal has asked for too, or of what has gone too far.
 */
export type Verdict =
  | 'taken'
  | 'raised'
  | 'hurried'
  | 'joined'
  | 'cancelled'
  | 'nothing-to-cancel'
  | 'too-late'
  | 'still-starting';

/** The three deadlines of a shutdown; each armed one carries a serial, and a stale serial changes nothing. */
export type DeadlineName = 'drain' | 'kill' | 'exit';

/** Why a message was refused; `because` is the rule, the rest is what a reply can say about it. */
export interface Refusal {
  readonly because: 'draining' | 'restarting' | 'stopped' | 'degraded';
  readonly request: Request | null;
  readonly failure: Failure | null;
  /** The raised reasons, for a refusal of a degraded gateway. */
  readonly degraded: readonly string[];
}

export type MessageEvent =
  | { readonly type: 'message.control'; readonly id: string }
  | { readonly type: 'message.exec'; readonly id: string }
  | { readonly type: 'message.alias'; readonly id: string }
  | {
      readonly type: 'message.turn';
      readonly id: string;
      /** The agent the turn is for: the guard of `degraded` asks for its circuit. */
      readonly agent: string;
      readonly whenBusy: BusyMode;
    };

export type RequestEvent =
  | {
      readonly type: 'stop.requested';
      readonly requestId: string;
      readonly intent: 'stop' | 'restart';
      readonly cause: Cause;
      readonly actor: string;
      /** Ends a drain's waiting now: the second of the same signal, `--now`, `/restart now`. */
      readonly hurry: boolean;
    }
  | { readonly type: 'drain.requested'; readonly requestId: string; readonly actor: string }
  | {
      readonly type: 'drain.cancelled';
      readonly requestId: string;
      readonly actor: string;
      /** Set by a drain's own timer (`--for`): cancels only the drain that was taken with this serial. */
      readonly onlyDrain?: number;
    };

export type LifecycleEvent =
  | MessageEvent
  | RequestEvent
  | { readonly type: 'work.settled'; readonly id: string }
  /** `detail`: what is wrong, for whoever reads the journal; nothing is decided by it. */
  | { readonly type: 'degraded.raised'; readonly reason: string; readonly detail?: string }
  | { readonly type: 'degraded.cleared'; readonly reason: string }
  | { readonly type: 'started' }
  | { readonly type: 'start.failed'; readonly failure: Failure }
  | { readonly type: 'fatal'; readonly failure: Failure }
  | { readonly type: 'drain.deadline'; readonly serial: number }
  | { readonly type: 'kill.deadline'; readonly serial: number }
  | { readonly type: 'exit.deadline'; readonly serial: number }
  | { readonly type: 'outbox.flushed' }
  | { readonly type: 'intake.closed' };
