/**
 * The life of the gateway process, and the one place that decides what is admitted when.
 *
 * Invariants, held by `test/machines`: control and exec stand once, at the root, so no state can lose them;
 * the transition that dispatches a message counts it as work; every request event is answered exactly once
 * in every state; only `exited` is final (a final state stops the actor, and what is sent to it afterwards
 * vanishes, so `restarting` and `stopped` are working states). The chart does no I/O and knows no clock: its
 * named effects are supplied once by `machine.provide`, only enqueue work, and cannot throw.
 */
import { and } from 'xstate';
import type { Refusal } from './events.ts';
import { exitFor } from './exit.ts';
import { answered, armed, idOf, NO_DEADLINES, parts, refusalOf } from './gateway-parts.ts';

const dispatch = { type: 'dispatch', params: idOf } as const;
const hold = { type: 'hold', params: idOf } as const;
const refuse = (because: Refusal['because']) => ({ type: 'refuse', params: refusalOf(because) }) as const;
const answer = (verdict: Parameters<typeof answered>[0]) =>
  ({ type: 'answer', params: answered(verdict) }) as const;

/** A stop or restart that changes nothing about what is carried out, but for what a signal keeps from being cancelled. */
const joined = ['joinSignal', answer('joined')] as const;

/** Stamps a deadline with a serial of its own and starts its clock. */
const arm = (deadline: 'drain' | 'kill' | 'exit', closing = false) =>
  [
    { type: 'stampDeadline', params: { deadline } },
    { type: 'startDeadline', params: armed(deadline, closing) },
  ] as const;

/** What a leaving gateway does with aliases and turns: the same in each of its states. */
const leaving = (because: Refusal['because']) =>
  ({
    'message.alias': { actions: refuse(because) },
    'message.turn': [{ guard: 'keepsQueue', actions: hold }, { actions: refuse(because) }],
  }) as const;

/** Cut off what a deadline could not wait for: end the trees, and let nothing wait for them. */
const abandon = ['killCommands', 'abandonWork'] as const;

/** `restarting` and `stopped` leave alike: the outbox first, then the platforms, then the process. */
const flushing = {
  entry: 'flush',
  on: {
    'work.settled': { actions: ['removeWork', 'flush'] },
    'outbox.flushed': { guard: 'idle', target: 'closing' },
    'exit.deadline': { guard: 'armed', target: 'closing', actions: [...abandon, ...arm('exit', true)] },
  },
} as const;

const closing = {
  entry: 'stopReceiving',
  on: {
    'work.settled': { actions: ['removeWork', 'askWhetherClosed'] },
    'intake.closed': { guard: 'idle', target: '#gateway.exited' },
    'exit.deadline': { guard: 'armed', target: '#gateway.exited', actions: [...abandon] },
  },
} as const;

export const gatewayMachine = parts.createMachine({
  id: 'gateway',
  context: ({ input }) => ({
    supervisor: input.supervisor,
    turns: new Set<string>(),
    commands: new Set<string>(),
    degraded: [],
    request: null,
    failure: null,
    serial: 0,
    deadlines: NO_DEADLINES,
  }),
  output: ({ context }) => exitFor(context.request, context.failure, context.supervisor),
  initial: 'starting',
  on: {
    'message.control': { actions: dispatch },
    'message.exec': { actions: ['addCommand', dispatch] },
    'work.settled': { actions: 'removeWork' },
    'degraded.raised': { actions: 'addReason' },
    'degraded.cleared': { actions: 'dropReason' },
    fatal: { target: '.stopped', actions: ['takeFailure', 'abortStart', 'interruptWork', ...abandon] },
    'stop.requested': { actions: joined },
    'drain.requested': { actions: answer('joined') },
    'drain.cancelled': { actions: answer('too-late') },
  },
  states: {
    starting: {
      on: {
        'message.alias': { actions: hold },
        'message.turn': { actions: hold },
        started: [{ guard: 'anyDegraded', target: 'running.degraded' }, { target: 'running.healthy' }],
        'start.failed': { target: 'stopped', actions: ['takeFailure', 'abortStart'] },
        'stop.requested': [
          {
            guard: 'asksRestart',
            target: 'restarting',
            actions: ['takeRequest', 'abortStart', answer('taken')],
          },
          { target: 'stopped', actions: ['takeRequest', 'abortStart', answer('taken')] },
        ],
        'drain.requested': { actions: answer('still-starting') },
        'drain.cancelled': { actions: answer('nothing-to-cancel') },
      },
    },
    running: {
      initial: 'healthy',
      on: {
        'message.alias': { actions: dispatch },
        'stop.requested': [
          {
            guard: 'hurried',
            target: 'draining.interrupting',
            actions: ['takeRequest', 'holdUnstarted', answer('hurried')],
          },
          {
            target: 'draining.waiting',
            actions: ['takeRequest', 'holdUnstarted', ...arm('drain'), answer('taken')],
          },
        ],
        'drain.requested': {
          target: 'draining.waiting',
          actions: ['takeRequest', 'holdUnstarted', answer('taken')],
        },
        'drain.cancelled': { actions: answer('nothing-to-cancel') },
      },
      states: {
        healthy: {
          entry: 'takeUpHeld',
          on: {
            'message.turn': { actions: ['addTurn', dispatch] },
            'degraded.raised': { target: 'degraded', actions: 'addReason' },
          },
        },
        degraded: {
          on: {
            'message.turn': [
              { guard: 'agentUsable', actions: ['addTurn', dispatch] },
              { actions: refuse('degraded') },
            ],
            'degraded.cleared': { guard: 'lastCleared', target: 'healthy', actions: 'dropReason' },
          },
        },
      },
    },
    draining: {
      initial: 'waiting',
      on: {
        ...leaving('draining'),
        'stop.requested': [
          {
            guard: and(['hurried', 'noDowngrade']),
            target: '.interrupting',
            actions: ['takeRequest', answer('hurried')],
          },
          { guard: and(['raises', 'drainArmed']), actions: ['takeRequest', answer('raised')] },
          { guard: 'raises', actions: ['takeRequest', ...arm('drain'), answer('raised')] },
          { actions: joined },
        ],
      },
      states: {
        waiting: {
          always: [
            { guard: and(['restarts', 'idle']), target: '#gateway.restarting' },
            { guard: and(['stops', 'idle']), target: '#gateway.stopped' },
            { guard: and(['drainsOnly', 'noTurns']), target: 'drained' },
          ],
          on: {
            'drain.deadline': { guard: 'armed', target: 'interrupting' },
            'drain.cancelled': [
              {
                guard: and(['cancellable', 'anyDegraded']),
                target: '#gateway.running.degraded',
                actions: ['forgetRequest', 'stopDeadlines', answer('cancelled')],
              },
              {
                guard: 'cancellable',
                target: '#gateway.running.healthy',
                actions: ['forgetRequest', 'stopDeadlines', answer('cancelled')],
              },
              { actions: answer('too-late') },
            ],
          },
        },
        drained: {
          on: {
            'stop.requested': [
              { guard: 'hurried', target: 'interrupting', actions: ['takeRequest', answer('hurried')] },
              { target: 'waiting', actions: ['takeRequest', ...arm('drain'), answer('taken')] },
            ],
            'drain.cancelled': [
              {
                guard: and(['cancellable', 'anyDegraded']),
                target: '#gateway.running.degraded',
                actions: ['forgetRequest', answer('cancelled')],
              },
              {
                guard: 'cancellable',
                target: '#gateway.running.healthy',
                actions: ['forgetRequest', answer('cancelled')],
              },
              { actions: answer('too-late') },
            ],
          },
        },
        interrupting: {
          entry: ['interruptWork', ...arm('kill')],
          always: [
            { guard: and(['restarts', 'idle']), target: '#gateway.restarting' },
            { guard: 'idle', target: '#gateway.stopped' },
          ],
          on: {
            // Already hurried: a further request changes what we leave for, never the grace.
            'stop.requested': [
              { guard: 'raises', actions: ['takeRequest', answer('raised')] },
              { actions: joined },
            ],
            'kill.deadline': [
              { guard: and(['armed', 'restarts']), target: '#gateway.restarting', actions: abandon },
              { guard: 'armed', target: '#gateway.stopped', actions: abandon },
            ],
          },
        },
      },
    },
    restarting: {
      initial: 'flushing',
      entry: [...arm('exit')],
      on: {
        ...leaving('restarting'),
        'stop.requested': [
          { guard: 'raises', target: 'stopped', actions: ['takeRequest', answer('raised')] },
          { actions: joined },
        ],
        fatal: { target: 'exited', actions: ['takeFailure', ...abandon] },
      },
      states: { flushing, closing },
    },
    stopped: {
      initial: 'flushing',
      entry: [...arm('exit')],
      on: {
        ...leaving('stopped'),
        'stop.requested': [
          { guard: 'raises', actions: ['takeRequest', answer('raised')] },
          { actions: joined },
        ],
        fatal: { target: 'exited', actions: ['takeFailure', ...abandon] },
      },
      states: { flushing, closing },
    },
    exited: { type: 'final' },
  },
});
