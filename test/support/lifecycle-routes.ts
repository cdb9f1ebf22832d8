/**
 * Ways into each state of the lifecycle by real events, several where a state is entered for several reasons:
 * what is admitted there must not depend on the way in. Plain data, as the oracle is.
 */
import type { Failure, LifecycleEvent } from '../../machines/events.ts';
import { drainCancelled, drainRequested, exec, raised, stopRequested, turn } from '../model/alphabets.ts';
import type { LeafState } from './lifecycle-oracle.ts';

const STARTED: LifecycleEvent = { type: 'started' };
const FLUSHED: LifecycleEvent = { type: 'outbox.flushed' };
const FAULT: Failure = { kind: 'fault', message: 'an action threw' };
const FATAL: LifecycleEvent = { type: 'fatal', failure: FAULT };
const START_FAILED: LifecycleEvent = { type: 'start.failed', failure: FAULT };

const BUSY = [STARTED, turn('t1')] as const;
const WITH_COMMAND = [STARTED, exec('e1')] as const;

/** `running.degraded` is reached by the reasons of the admission row in question: see `routesTo`. */
const ROUTES: Readonly<
  Record<Exclude<LeafState, 'running.degraded'>, readonly (readonly LifecycleEvent[])[]>
> = {
  starting: [[], [exec('e1')], [raised('store')]],
  'running.healthy': [[STARTED], BUSY],
  'draining.waiting': [
    [...BUSY, stopRequested('restart')],
    [...BUSY, stopRequested('SIGTERM')],
    [...BUSY, drainRequested],
    [...WITH_COMMAND, stopRequested('stop')],
    [...BUSY, stopRequested('stop'), stopRequested('SIGINT')],
    [...BUSY, raised('store'), stopRequested('SIGUSR1')],
  ],
  'draining.drained': [
    [STARTED, drainRequested],
    [...WITH_COMMAND, drainRequested],
  ],
  'draining.interrupting': [
    [...BUSY, stopRequested('restart', true)],
    [...BUSY, stopRequested('SIGINT'), stopRequested('SIGINT', true)],
    [...WITH_COMMAND, drainRequested, stopRequested('stop', true)],
    [...BUSY, stopRequested('SIGTERM'), { type: 'drain.deadline', serial: 1 }],
  ],
  'restarting.flushing': [
    [STARTED, stopRequested('restart')],
    [stopRequested('SIGUSR1')],
    [STARTED, drainRequested, stopRequested('restart')],
  ],
  'restarting.closing': [[STARTED, stopRequested('restart'), FLUSHED]],
  'stopped.flushing': [
    [STARTED, stopRequested('SIGTERM')],
    [stopRequested('SIGINT')],
    [START_FAILED],
    [...BUSY, FATAL],
    [STARTED, stopRequested('restart'), stopRequested('stop')],
  ],
  'stopped.closing': [
    [STARTED, stopRequested('SIGTERM'), FLUSHED],
    [START_FAILED, FLUSHED],
  ],
};

/** The ways into `state`, while exactly `degraded` is raised where the state asks for that. */
export function routesTo(
  state: LeafState,
  degraded: readonly string[] | null,
): readonly (readonly LifecycleEvent[])[] {
  if (state !== 'running.degraded') return ROUTES[state];
  const reasons = (degraded ?? []).map(raised);
  return [
    [STARTED, ...reasons],
    [...reasons, STARTED],
    [...BUSY, stopRequested('restart'), ...reasons, drainCancelled()],
  ];
}
