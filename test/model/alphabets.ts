/**
 * What can happen to a gateway, named: the alphabets the searches and tours are made of. An event that needs
 * a serial takes it from the context, so that a name means the same wherever it is used.
 */
import type { Cause, DeadlineName, Failure, LifecycleEvent, MessageEvent } from '../../machines/events.ts';
import type { GatewayContext } from '../../machines/gateway-parts.ts';
import { INTENTS } from '../support/lifecycle-oracle.ts';
import type { Stimulus } from './abstract-graph.ts';

const FAULT: Failure = { kind: 'fault', message: 'an action threw' };
const NO_STORE: Failure = { kind: 'unavailable', message: 'the store cannot be opened' };

export const control = (id = 'k1'): MessageEvent => ({ type: 'message.control', id });
export const exec = (id = 'e1'): MessageEvent => ({ type: 'message.exec', id });
export const alias = (id = 'a1'): MessageEvent => ({ type: 'message.alias', id });
export const turn = (
  id = 't1',
  agent = 'default',
  whenBusy: 'interrupt' | 'queue' | 'steer' = 'interrupt',
): MessageEvent => ({ type: 'message.turn', id, agent, whenBusy });

export const settled = (id: string): LifecycleEvent => ({ type: 'work.settled', id });
export const raised = (reason: string): LifecycleEvent => ({ type: 'degraded.raised', reason });
export const cleared = (reason: string): LifecycleEvent => ({ type: 'degraded.cleared', reason });

export const drainRequested: LifecycleEvent = {
  type: 'drain.requested',
  requestId: 'ask drain',
  actor: 'by drain',
};

/** A request to leave. Each cause has an actor of its own, so that a mixed-up pair of the two shows. */
export function stopRequested(cause: Exclude<Cause, 'drain'>, hurry = false): LifecycleEvent {
  const intent = INTENTS[cause];
  if (intent === 'drain') throw new Error(`${cause} does not leave`);
  return { type: 'stop.requested', requestId: `ask ${cause}`, intent, cause, actor: `by ${cause}`, hurry };
}

export function drainCancelled(onlyDrain?: number): LifecycleEvent {
  const event = { type: 'drain.cancelled', requestId: 'ask cancel', actor: 'by cancel' } as const;
  return onlyDrain === undefined ? event : { ...event, onlyDrain };
}

const once = (name: string, event: LifecycleEvent): Stimulus => ({ name, events: () => [event] });

const requests = (causes: readonly Exclude<Cause, 'drain'>[]): readonly Stimulus[] =>
  causes.flatMap((cause) => [
    once(`${cause}`, stopRequested(cause)),
    once(`${cause}, hurried`, stopRequested(cause, true)),
  ]);

const armedDeadline = (deadline: DeadlineName): Stimulus => ({
  name: `${deadline} deadline`,
  events: ({ deadlines }) => {
    const serial = deadlines[deadline];
    return serial === null ? [] : [{ type: `${deadline}.deadline`, serial }];
  },
});

/** Stale in the most tempting way: the newest serial, given to something else; else the one before it. */
const staleDeadline = (deadline: DeadlineName): Stimulus => ({
  name: `stale ${deadline} deadline`,
  events: ({ serial, deadlines }) => [
    { type: `${deadline}.deadline`, serial: serial === deadlines[deadline] ? serial - 1 : serial },
  ],
});

const DEADLINES: readonly Stimulus[] = (['drain', 'kill', 'exit'] as const).flatMap((deadline) => [
  armedDeadline(deadline),
  staleDeadline(deadline),
]);

const CANCELS: readonly Stimulus[] = [
  once('cancel', drainCancelled()),
  { name: "cancel by this drain's timer", events: ({ serial }) => [drainCancelled(serial)] },
  { name: "cancel by an older drain's timer", events: ({ serial }) => [drainCancelled(serial - 1)] },
];

const PROCESS: readonly Stimulus[] = [
  once('started', { type: 'started' }),
  once('start failed', { type: 'start.failed', failure: NO_STORE }),
  once('fatal', { type: 'fatal', failure: FAULT }),
  once('flushed', { type: 'outbox.flushed' }),
  once('closed', { type: 'intake.closed' }),
];

const COMMANDS: readonly Stimulus[] = [
  once('control', control()),
  once('exec', exec()),
  once('alias', alias()),
  once('exec settled', settled('e1')),
];

const FIRST_TURN: readonly Stimulus[] = [
  once('turn', turn()),
  once('turn, queued', turn('t1', 'default', 'queue')),
  once('turn settled', settled('t1')),
];

/** Everything, for the exhaustive search: two turns of two agents, two kinds of reasons, every cause. */
export const WIDE: readonly Stimulus[] = [
  ...COMMANDS,
  ...FIRST_TURN,
  once("turn of another agent, 'steer'", turn('t2', 'other', 'steer')),
  once('other turn settled', settled('t2')),
  ...['agent:default', 'store'].flatMap((reason) => [
    once(`raised ${reason}`, raised(reason)),
    once(`cleared ${reason}`, cleared(reason)),
  ]),
  ...requests(['stop', 'takeover', 'SIGINT', 'hangup', 'SIGTERM', 'restart', 'SIGUSR1']),
  once('drain', drainRequested),
  ...CANCELS,
  ...DEADLINES,
  ...PROCESS,
];

/** One of each rank and of each side of "a signal asked", one turn and one reason: quick, and misses little. */
export const NARROW: readonly Stimulus[] = [
  ...COMMANDS,
  ...FIRST_TURN,
  once('turn of another agent', turn('t1', 'other')),
  once('raised agent:default', raised('agent:default')),
  once('cleared agent:default', cleared('agent:default')),
  ...requests(['stop', 'SIGTERM', 'restart', 'SIGUSR1']),
  once('drain', drainRequested),
  ...CANCELS,
  ...DEADLINES,
  ...PROCESS,
];

const onlyIn = (state: RegExp, name: string, event: LifecycleEvent): Stimulus => ({
  name,
  events: (_, path) => (state.test(path) ? [event] : []),
});

const isIdle = ({ turns, commands }: GatewayContext): boolean => turns.size + commands.size === 0;

/** What is over at once: it comes and goes in one step, and is decided like any other. */
const brief = (name: string, event: MessageEvent): Stimulus => ({
  name,
  events: () => [event, settled(event.id)],
});

/**
 * What a driver can do to a running daemon from outside, each in its own way: small, so that a tour of it fits
 * into a minute of booting processes. Turns and commands are over at once, but for one of each that lasts
 * until it is ended; `started`, `flushed` and `closed` are let through by the driver's stand-ins. The store is
 * the one reason for degraded that can be caused from outside. Deadlines are left to time, and signals, which
 * a daemon answers the same way, to tests of their own.
 */
export const DAEMON: readonly Stimulus[] = [
  once('control', control()),
  brief('exec', exec('e0')),
  once('alias', alias()),
  brief('turn', turn('t0')),
  brief('turn, queued', turn('t0', 'default', 'queue')),
  { name: 'exec begins', events: ({ commands }) => (commands.size === 0 ? [exec('e1')] : []) },
  { name: 'exec ends', events: ({ commands }) => (commands.size > 0 ? [settled('e1')] : []) },
  {
    name: 'turn begins',
    // Only where it is dispatched: one that is held would begin later, by itself.
    events: ({ turns }, path) => (path === 'running.healthy' && turns.size === 0 ? [turn('t1')] : []),
  },
  { name: 'turn ends', events: ({ turns }) => (turns.size > 0 ? [settled('t1')] : []) },
  ...requests(['stop', 'restart']),
  once('drain', drainRequested),
  once('cancel', drainCancelled()),
  { name: 'store lost', events: ({ degraded }) => (degraded.length === 0 ? [raised('store')] : []) },
  { name: 'store back', events: ({ degraded }) => (degraded.length > 0 ? [cleared('store')] : []) },
  onlyIn(/^starting$/, 'started', { type: 'started' }),
  {
    name: 'flushed',
    events: (context, path) =>
      isIdle(context) && path.endsWith('.flushing') ? [{ type: 'outbox.flushed' }] : [],
  },
  {
    name: 'closed',
    events: (context, path) =>
      isIdle(context) && path.endsWith('.closing') ? [{ type: 'intake.closed' }] : [],
  },
];
