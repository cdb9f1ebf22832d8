/**
 * The life of one platform's link. The gateway owns every reconnect: a platform makes one attempt when it is asked to,
 * and says when a link it made is gone.
 *
 * Each attempt has a serial, and whatever is said of an attempt carries it: its end, the loss of the link it made, and
 * the deadlines that bound it, the wait after it and the time after which its link counts as stable. What is said of
 * an earlier one is stale and changes nothing, so no timer has to be cancelled in time. `parked` is left by a request
 * alone: to be refused again and again is how an account gets locked. A link that is told to stop makes no further
 * attempt; one that is there, or about to be, holds as long as it does, for replies that are still to go. `stopped` is
 * final: nothing that comes then matters.
 *
 * The chart does no I/O and knows no clock and no chance: how long a wait is says a policy outside, which is told how
 * many attempts have failed. Its effects are supplied once by `machine.provide`, only enqueue work, and cannot throw.
 */
import { assign, setup } from 'xstate';
import type { ConnectionContext, ConnectionEvent, LinkState } from './connection-events.ts';

type SerialParams = { serial: number };
type TellParams = { state: LinkState; reason: string | null };
type Args = { context: ConnectionContext };

const serialOf = ({ context }: Args): SerialParams => ({ serial: context.serial });
const reasonOf = ({ context }: Args) => ({ reason: context.reason });
const waitOf = ({ context }: Args) => ({ serial: context.serial, failures: context.failures });

/** Shows the state as it is entered, with why. */
const tell = (state: LinkState) =>
  ({ type: 'tell', params: ({ context }: Args): TellParams => ({ state, reason: context.reason }) }) as const;

const parts = setup({
  types: { context: {} as ConnectionContext, events: {} as ConnectionEvent },
  guards: {
    /** It speaks of the last attempt, or of the link which that one made. */
    current: ({ context, event }) => 'serial' in event && event.serial === context.serial,
    stopping: ({ context }) => context.isStopping,
  },
  actions: {
    // Effects, supplied by machine.provide; each only enqueues.
    /** Begins an attempt, and starts the clock of its limit. */
    attempt: (_, _params: SerialParams) => {},
    /** The attempt has ended in some way: nobody has to wait for it any more. */
    attemptOver: () => {},
    /** Nothing is expected of the attempt any more: it is told to give up. */
    giveUpAttempt: () => {},
    armRetry: (_, _params: SerialParams & { failures: number }) => {},
    armStable: (_, _params: SerialParams) => {},
    /** No clock is needed any more. */
    disarm: () => {},
    linkUp: () => {},
    linkDown: (_, _params: { reason: string | null }) => {},
    tell: (_, _params: TellParams) => {},

    // What the chart remembers.
    stampAttempt: assign({ serial: ({ context }) => context.serial + 1 }),
    countFailure: assign({ failures: ({ context }) => context.failures + 1 }),
    forgetFailures: assign({ failures: 0 }),
    takeReason: assign({
      reason: ({ context, event }) => ('reason' in event ? event.reason : context.reason),
    }),
    forgetReason: assign({ reason: null }),
    noteStop: assign({ isStopping: true }),
  },
});

const failed = ['takeReason', 'countFailure'] as const;

export const connectionMachine = parts.createMachine({
  id: 'connection',
  context: { serial: 0, failures: 0, reason: null, isStopping: false },
  initial: 'connecting',
  states: {
    connecting: {
      entry: ['stampAttempt', { type: 'attempt', params: serialOf }, tell('connecting')],
      exit: 'attemptOver',
      on: {
        // A server may hand messages over before it has said that all is well: their replies can leave.
        'message.arrived': { guard: 'current', actions: 'linkUp' },
        'connect.succeeded': { guard: 'current', target: 'connected' },
        'connect.failed': { guard: 'current', target: 'backing-off', actions: failed },
        'link.lost': { guard: 'current', target: 'backing-off', actions: [...failed, 'giveUpAttempt'] },
        'attempt.expired': { guard: 'current', target: 'backing-off', actions: [...failed, 'giveUpAttempt'] },
        'auth.failed': { guard: 'current', target: 'parked', actions: ['takeReason', 'giveUpAttempt'] },
        stop: { actions: 'noteStop' },
      },
    },
    connected: {
      entry: ['forgetReason', { type: 'armStable', params: serialOf }, 'linkUp', tell('connected')],
      on: {
        'stable.due': { guard: 'current', actions: 'forgetFailures' },
        'link.lost': { guard: 'current', target: 'backing-off', actions: failed },
        'auth.failed': { guard: 'current', target: 'parked', actions: 'takeReason' },
        stop: { actions: ['noteStop', 'disarm'] },
      },
    },
    'backing-off': {
      entry: [
        { type: 'linkDown', params: reasonOf },
        { type: 'armRetry', params: waitOf },
        tell('backing-off'),
      ],
      always: { guard: 'stopping', target: 'stopped' },
      on: {
        'retry.due': { guard: 'current', target: 'connecting' },
        stop: { target: 'stopped' },
      },
    },
    parked: {
      entry: ['disarm', { type: 'linkDown', params: reasonOf }, tell('parked')],
      always: { guard: 'stopping', target: 'stopped' },
      on: {
        'retry.requested': { target: 'connecting', actions: 'forgetFailures' },
        stop: { target: 'stopped' },
      },
    },
    stopped: { type: 'final', entry: 'disarm' },
  },
});
