/**
 * How a process leaves: which request outranks which, and the code it exits with. Both are tables; the
 * gateway chart and the tests read them, nothing else decides an exit code (the third Ctrl-C, 130, leaves
 * without asking the chart).
 */
import type { Cause, Failure, FailureKind, Intent, Request, SignalCause } from './events.ts';

/** Who revives the process, recognised by what it sets for us (`src/service/detect.ts`). */
export type Supervisor = 'none' | 'systemd' | 'launchd' | 'supervise' | 'container';

/** The output of the chart's final state. */
export interface Exit {
  readonly code: number;
  /** True where nobody would revive us after a wanted restart: the process re-executes itself in place. */
  readonly reexecute: boolean;
  readonly cause: Cause | FailureKind;
  readonly actor: string;
}

/**
 * A higher rank replaces cause and actor, whichever came first; nothing downgrades. A person's stop outranks
 * SIGTERM because their exit codes differ: 0 stays down, 1 asks to be revived. A fault outranks all and is
 * not a request.
 */
const RANKS: Readonly<Record<Cause, number>> = {
  drain: 0,
  restart: 1,
  SIGUSR1: 1,
  SIGTERM: 2,
  stop: 3,
  takeover: 3,
  SIGINT: 3,
  hangup: 3,
};

/**
 * The signals: a drain that one of them asked for, alone or with a person, cannot be cancelled, because its sender cannot
 * be told. A supervisor that was not heard kills.
 */
const SIGNAL_CAUSES: readonly Cause[] = [
  'SIGINT',
  'SIGTERM',
  'SIGUSR1',
  'hangup',
] satisfies readonly SignalCause[];

export const rankOf = (cause: Cause | null): number => (cause === null ? -1 : RANKS[cause]);

export const isSignal = (cause: Cause): cause is SignalCause => SIGNAL_CAUSES.includes(cause);

/**
 * Exit codes of failures, from sysexits.h: the same under every supervisor. 73, 77 and 78 are for what another start
 * would only meet again (a unit names them in RestartPreventExitStatus); the others ask for one.
 */
export const FAILURE_CODES: Readonly<Record<FailureKind, number>> = {
  'config-invalid': 78,
  'schema-newer': 78,
  'store-corrupt': 78,
  'home-owned': 73,
  'home-lost': 72,
  'no-permission': 77,
  unavailable: 69,
  fault: 70,
};

/** Asks the supervisor for another start; it is also what a failed in-place restart leaves with. */
export const RESTART_CODE = 75;

/** Exit code of an unasked-for SIGTERM where a supervisor revives on failure. */
const REVIVE_CODE = 1;

/** The last states before the end: what came before is answered, and nothing takes effect any more. */
const CLOSING = /^(?:(?:restarting|stopped)\.closing|exited)$/;

/** True of the path of such a state. */
export const isClosingState = (state: string): boolean => CLOSING.test(state);

/** True for an exit by which a process that was asked to leave has a supervisor start the next one. */
export const asksForNext = (code: number): boolean => code === RESTART_CODE || code === REVIVE_CODE;

/** What a third Ctrl-C leaves with: 128 + SIGINT, as a shell reports it. */
export const INTERRUPTED_CODE = 130;

const revives = (supervisor: Supervisor): boolean =>
  supervisor === 'systemd' || supervisor === 'launchd' || supervisor === 'supervise';

/** What of a request decides how the process leaves. */
export type LeavesFor = Pick<Request, 'intent' | 'cause' | 'actor'>;

/** True where a restart makes the process its next life: nobody would start it again. */
export const restartsInPlace = (supervisor: Supervisor): boolean => !revives(supervisor);

/**
 * The exit of a process that was asked to leave, or failed, under a supervisor. A failure wins over any
 * request. Without either (a chart that ended by itself) it is an internal fault.
 */
export function exitFor(request: LeavesFor | null, failure: Failure | null, supervisor: Supervisor): Exit {
  if (failure !== null) {
    return { code: FAILURE_CODES[failure.kind], reexecute: false, cause: failure.kind, actor: 'gateway' };
  }
  if (request === null) {
    return { code: FAILURE_CODES.fault, reexecute: false, cause: 'fault', actor: 'gateway' };
  }
  const { cause, actor } = request;
  return { ...codeOf(request.intent, cause, supervisor), cause, actor };
}

/** What an exit means to a person who watches. */
export function meaningOf({ code, reexecute, cause }: Pick<Exit, 'code' | 'reexecute' | 'cause'>): string {
  if (reexecute) return 'restarting in place';
  if (code === 0) return 'stopped as asked';
  if (code === RESTART_CODE) return 'restarting: the supervisor starts the next one';
  if (code === REVIVE_CODE) return `left on ${cause}: the supervisor starts the next one`;
  return `ended with a failure: ${cause}`;
}

function codeOf(intent: Intent, cause: Cause, supervisor: Supervisor): { code: number; reexecute: boolean } {
  if (intent === 'restart') {
    return revives(supervisor)
      ? { code: RESTART_CODE, reexecute: false }
      : { code: RESTART_CODE, reexecute: true };
  }
  if (cause === 'SIGTERM' && revives(supervisor)) return { code: REVIVE_CODE, reexecute: false };
  return { code: 0, reexecute: false };
}
