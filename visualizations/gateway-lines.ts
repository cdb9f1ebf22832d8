/**
 * The lines of the gateway's drawing: which transitions share an arrow, where it is drawn, and the short word on it.
 * Written by hand, because a drawing needs taste; `line-check.ts` fails when a line and the chart disagree, or when
 * a transition that changes the state has no line.
 */
import type { EdgeMeta } from './scene.ts';

const line =
  (tier: EdgeMeta['tier']) =>
  (from: string, to: string, label: string, ...transitions: string[]): Omit<EdgeMeta, 'id'> => ({
    from,
    to,
    label,
    tier,
    transitions,
  });

const spine = line('spine');
const side = line('side');

const LINES: readonly Omit<EdgeMeta, 'id'>[] = [
  spine('starting', 'running.healthy', 'started', 'starting|started|1'),
  side('starting', 'running.degraded', '[degraded]', 'starting|started|0'),
  side('starting', 'stopped', 'start.failed · stop', 'starting|start.failed|0', 'starting|stop.requested|1'),
  side('starting', 'restarting', 'restart', 'starting|stop.requested|0'),
  side('running.healthy', 'running.degraded', 'raised', 'running.healthy|degraded.raised|0'),
  side('running.degraded', 'running.healthy', 'cleared', 'running.degraded|degraded.cleared|0'),
  spine(
    'running',
    'draining.waiting',
    'stop · restart · drain',
    'running|stop.requested|1',
    'running|drain.requested|0',
  ),
  side('running', 'draining.interrupting', 'hurry', 'running|stop.requested|0'),
  side('draining.waiting', 'draining.interrupting', 'deadline', 'draining.waiting|drain.deadline|0'),
  side('draining.waiting', 'draining.drained', 'no turns', 'draining.waiting|always|2'),
  side('draining.drained', 'draining.waiting', 'stop', 'draining.drained|stop.requested|1'),
  side(
    'draining.waiting',
    'running',
    'cancelled',
    'draining.waiting|drain.cancelled|0',
    'draining.waiting|drain.cancelled|1',
  ),
  side(
    'draining.drained',
    'running',
    'cancelled',
    'draining.drained|drain.cancelled|0',
    'draining.drained|drain.cancelled|1',
  ),
  spine('draining.waiting', 'restarting', 'idle, restart', 'draining.waiting|always|0'),
  spine('draining.waiting', 'stopped', 'idle, stop', 'draining.waiting|always|1'),
  side(
    'draining.interrupting',
    'restarting',
    'idle · killed',
    'draining.interrupting|always|0',
    'draining.interrupting|kill.deadline|0',
  ),
  side(
    'draining.interrupting',
    'stopped',
    'idle · killed',
    'draining.interrupting|always|1',
    'draining.interrupting|kill.deadline|1',
  ),
  side('restarting', 'stopped', 'stop', 'restarting|stop.requested|0'),
  spine(
    'restarting.flushing',
    'restarting.closing',
    'flushed',
    'restarting.flushing|outbox.flushed|0',
    'restarting.flushing|exit.deadline|0',
  ),
  spine(
    'stopped.flushing',
    'stopped.closing',
    'flushed',
    'stopped.flushing|outbox.flushed|0',
    'stopped.flushing|exit.deadline|0',
  ),
  spine(
    'restarting.closing',
    'exited',
    'closed',
    'restarting.closing|intake.closed|0',
    'restarting.closing|exit.deadline|0',
    'restarting|fatal|0',
  ),
  spine(
    'stopped.closing',
    'exited',
    'closed',
    'stopped.closing|intake.closed|0',
    'stopped.closing|exit.deadline|0',
    'stopped|fatal|0',
  ),
  // Both in one: whoever waits or rests in a drain can be hurried.
  side(
    'draining',
    'draining.interrupting',
    'hurry',
    'draining|stop.requested|0',
    'draining.drained|stop.requested|0',
  ),
];

/** The drawn lines, `e1` on. */
export const GATEWAY_LINES: readonly EdgeMeta[] = LINES.map((entry, index) => ({
  id: `e${index + 1}`,
  ...entry,
}));

/** Ids of the transitions that change the state and are told in the legend "In every state", not by an arrow. */
export const GATEWAY_LEGEND: readonly string[] = ['(root)|fatal|0'];

/** What a state is there for, where its name alone does not say it: the second line in its box. */
export const GATEWAY_NOTES: Readonly<Record<string, string>> = {
  'draining.drained': 'rests',
  'draining.waiting': 'for work',
  'draining.interrupting': 'aborts turns',
};
