/**
 * The parts the lifecycle chart (`gateway.ts`) is made of: what it remembers, its guards, and its actions.
 * Guards and assignments are pure; the effects at the top of `actions` are empty here and supplied once by
 * `machine.provide`, where they only enqueue work and cannot throw.
 */
import { assign, setup } from 'xstate';
import type { DeadlineName, Failure, LifecycleEvent, Refusal, Request, Verdict } from './events.ts';
import type { Exit, Supervisor } from './exit.ts';
import { isSignal, rankOf } from './exit.ts';

export interface GatewayContext {
  readonly supervisor: Supervisor;
  /** Messages whose turn was dispatched and has not left the work set. */
  readonly turns: ReadonlySet<string>;
  /** Messages whose exec command was dispatched and has not left the work set. */
  readonly commands: ReadonlySet<string>;
  /** Raised reasons: `agent:NAME`, `safe-mode`, `store`; in the order they were raised. */
  readonly degraded: readonly string[];
  readonly request: Request | null;
  readonly failure: Failure | null;
  /** Grows with every armed deadline and every drain that was taken. */
  readonly serial: number;
  /** The serial under which each deadline is armed; null while it is not. */
  readonly deadlines: Readonly<Record<DeadlineName, number | null>>;
}

type MessageParams = { id: string };
type AnswerParams = { requestId: string; verdict: Verdict };
type Args = { context: GatewayContext; event: LifecycleEvent };

export const NO_DEADLINES = { drain: null, kill: null, exit: null } as const;

const without = (set: ReadonlySet<string>, id: string): ReadonlySet<string> => {
  if (!set.has(id)) return set;
  const rest = new Set(set);
  rest.delete(id);
  return rest;
};

/** Parameters of `dispatch` and `hold`: the message. */
export const idOf = ({ event }: Args): MessageParams => ({ id: 'id' in event ? event.id : '' });

/** Parameters of `refuse`: the message, the rule, and what a reply can say about it. */
export const refusalOf =
  (because: Refusal['because']) =>
  ({ context, event }: Args): MessageParams & Refusal => ({
    ...idOf({ context, event }),
    because,
    request: context.request,
    failure: context.failure,
    degraded: context.degraded,
  });

/** Parameters of `answer`: which request, and what it comes to. */
export const answered =
  (verdict: Verdict) =>
  ({ event }: Args): AnswerParams => ({ requestId: 'requestId' in event ? event.requestId : '', verdict });

export const parts = setup({
  types: {
    context: {} as GatewayContext,
    events: {} as LifecycleEvent,
    input: {} as { supervisor: Supervisor },
    output: {} as Exit,
  },
  guards: {
    idle: ({ context }) => context.turns.size === 0 && context.commands.size === 0,
    noTurns: ({ context }) => context.turns.size === 0,
    anyDegraded: ({ context }) => context.degraded.length > 0,
    /** The reason that is being cleared is the only one raised. */
    lastCleared: ({ context, event }) =>
      event.type === 'degraded.cleared' && context.degraded.every((reason) => reason === event.reason),
    /** Its circuit is closed, and nothing that concerns every agent is raised. */
    agentUsable: ({ context, event }) =>
      event.type === 'message.turn' &&
      !context.degraded.some((r) => r === 'safe-mode' || r === 'store' || r === `agent:${event.agent}`),
    keepsQueue: ({ event }) => event.type === 'message.turn' && event.whenBusy === 'queue',
    asksRestart: ({ event }) => event.type === 'stop.requested' && event.intent === 'restart',
    hurried: ({ event }) => event.type === 'stop.requested' && event.hurry,
    /** It outranks what is being carried out: cause and actor become its own. Nothing outranks a failure. */
    raises: ({ context, event }) =>
      event.type === 'stop.requested' &&
      context.failure === null &&
      rankOf(event.cause) > rankOf(context.request?.cause ?? null),
    noDowngrade: ({ context, event }) =>
      event.type === 'stop.requested' && rankOf(event.cause) >= rankOf(context.request?.cause ?? null),
    drainsOnly: ({ context }) => context.request?.intent === 'drain',
    restarts: ({ context }) => context.request?.intent === 'restart',
    stops: ({ context }) => context.request?.intent === 'stop',
    /** No signal has asked for it, first or as well, and a drain's own timer only cancels that very drain. */
    cancellable: ({ context, event }) =>
      event.type === 'drain.cancelled' &&
      context.request !== null &&
      context.request.signal === null &&
      (event.onlyDrain === undefined ||
        (context.request.intent === 'drain' && context.serial === event.onlyDrain)),
    armed: ({ context, event }) =>
      (event.type === 'drain.deadline' && event.serial === context.deadlines.drain) ||
      (event.type === 'kill.deadline' && event.serial === context.deadlines.kill) ||
      (event.type === 'exit.deadline' && event.serial === context.deadlines.exit),
    drainArmed: ({ context }) => context.deadlines.drain !== null,
  },
  actions: {
    // Effects, supplied by machine.provide; each only enqueues.
    dispatch: (_, _params: MessageParams) => {},
    hold: (_, _params: MessageParams) => {},
    refuse: (_, _params: MessageParams & Refusal) => {},
    answer: (_, _params: AnswerParams) => {},
    takeUpHeld: () => {},
    holdUnstarted: () => {},
    abortStart: () => {},
    interruptWork: () => {},
    killCommands: () => {},
    startDeadline: (_, _params: { deadline: DeadlineName; serial: number; closing: boolean }) => {},
    stopDeadlines: () => {},
    flush: () => {},
    stopReceiving: () => {},
    askWhetherClosed: () => {},

    // What the chart remembers.
    addTurn: assign({
      turns: ({ context, event }) =>
        event.type === 'message.turn' ? new Set(context.turns).add(event.id) : context.turns,
    }),
    addCommand: assign({
      commands: ({ context, event }) =>
        event.type === 'message.exec' ? new Set(context.commands).add(event.id) : context.commands,
    }),
    removeWork: assign(({ context, event }) =>
      event.type === 'work.settled'
        ? { turns: without(context.turns, event.id), commands: without(context.commands, event.id) }
        : {},
    ),
    abandonWork: assign({ turns: new Set<string>(), commands: new Set<string>() }),
    addReason: assign({
      degraded: ({ context, event }) =>
        event.type === 'degraded.raised' && !context.degraded.includes(event.reason)
          ? [...context.degraded, event.reason]
          : context.degraded,
    }),
    dropReason: assign({
      degraded: ({ context, event }) =>
        event.type === 'degraded.cleared'
          ? context.degraded.filter((reason) => reason !== event.reason)
          : context.degraded,
    }),
    takeRequest: assign(({ context, event }) => {
      if (event.type === 'stop.requested') {
        const { intent, cause, actor } = event;
        const signal = isSignal(cause) ? cause : (context.request?.signal ?? null);
        return { request: { intent, cause, actor, signal } };
      }
      if (event.type !== 'drain.requested') return {};
      const request: Request = { intent: 'drain', cause: 'drain', actor: event.actor, signal: null };
      return { request, serial: context.serial + 1 };
    }),
    /** What is carried out stays as it is; that a signal asks for it too is kept, so that nobody calls it back. */
    joinSignal: assign(({ context: { request }, event }) =>
      event.type === 'stop.requested' && isSignal(event.cause) && request?.signal === null
        ? { request: { ...request, signal: event.cause } }
        : {},
    ),
    forgetRequest: assign({ request: null, deadlines: NO_DEADLINES }),
    /** Gives a deadline a serial of its own; `startDeadline` then starts its clock. */
    stampDeadline: assign(({ context }, params: { deadline: DeadlineName }) => ({
      serial: context.serial + 1,
      deadlines: { ...context.deadlines, [params.deadline]: context.serial + 1 },
    })),
    takeFailure: assign({
      failure: ({ context, event }) =>
        event.type === 'fatal' || event.type === 'start.failed' ? event.failure : context.failure,
    }),
  },
});

/** Parameters of `startDeadline`: its serial as just stamped; `closing` says that it bounds closing alone. */
export const armed =
  (deadline: DeadlineName, closing: boolean) =>
  ({ context }: Args) => ({ deadline, serial: context.deadlines[deadline] ?? 0, closing });
