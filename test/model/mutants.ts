/** Bugs that a later hand could put into the lifecycle chart, each made on a copy of it. */
import { assign } from 'xstate';
import { isSignal, rankOf } from '../../machines/exit.ts';
import { gatewayMachine } from '../../machines/gateway.ts';
import type { GatewayMachine } from './abstract-graph.ts';
import { ChartEdit } from './chart-edit.ts';

type Implementations = Parameters<GatewayMachine['provide']>[0];

export interface Mutant {
  readonly name: string;
  readonly machine: () => GatewayMachine;
}

const edited = (name: string, change: (edit: ChartEdit) => void): Mutant => ({
  name,
  machine: () => {
    const edit = new ChartEdit();
    change(edit);
    return edit.build();
  },
});

const provided = (name: string, implementations: Implementations): Mutant => ({
  name,
  machine: () => gatewayMachine.provide(implementations),
});

/** The copy itself, unchanged: nothing may be found in it, else what is found in the others means nothing. */
export const UNCHANGED: Mutant = edited('the chart itself', () => {});

const admission: readonly Mutant[] = [
  edited('exec refused while draining', (edit) => {
    edit.state('draining').on['message.exec'] = [...edit.on('draining', 'message.alias')];
  }),
  edited('control held while starting', (edit) => {
    edit.state('starting').on['message.control'] = [...edit.on('starting', 'message.alias')];
  }),
  edited('exec named again, rightly, in a child state', (edit) => {
    edit.state('draining.waiting').on['message.exec'] = [...edit.on('', 'message.exec')];
  }),
  edited('exec dispatched and not counted', (edit) =>
    edit.drop(edit.branch('', 'message.exec').actions, 'addCommand'),
  ),
  edited('turns dispatched while draining', (edit) => {
    edit.state('draining').on['message.turn'] = [...edit.on('running.healthy', 'message.turn')];
  }),
  edited('turns dispatched while flushing', (edit) => {
    edit.state('restarting.flushing').on['message.turn'] = [...edit.on('running.healthy', 'message.turn')];
  }),
  edited('turn dispatched and not counted', (edit) =>
    edit.drop(edit.branch('running.healthy', 'message.turn').actions, 'addTurn'),
  ),
  edited('turns dispatched while starting', (edit) => {
    edit.state('starting').on['message.turn'] = [...edit.on('running.healthy', 'message.turn')];
  }),
  edited('aliases dispatched while draining', (edit) => {
    edit.state('draining').on['message.alias'] = [...edit.on('running', 'message.alias')];
  }),
  edited('queued turns refused while stopped', (edit) => edit.on('stopped', 'message.turn').shift()),
  edited('every turn kept while draining', (edit) => {
    delete edit.branch('draining', 'message.turn').guard;
  }),
  edited('a message nobody decides', (edit) => {
    delete edit.state('restarting').on['message.alias'];
  }),
  edited('a refusal with another reason', (edit) => {
    edit.state('stopped').on['message.alias'] = [...edit.on('draining', 'message.alias')];
  }),
  edited('degraded turns dispatched for an agent that cannot be used', (edit) => {
    delete edit.branch('running.degraded', 'message.turn').guard;
  }),
  provided('an unwritable store does not matter to turns', {
    guards: {
      agentUsable: ({ context, event }) =>
        event.type === 'message.turn' && !context.degraded.includes(`agent:${event.agent}`),
    },
  }),
];

const work: readonly Mutant[] = [
  edited('a held turn is counted', (edit) =>
    edit.branch('starting', 'message.turn').actions?.unshift('addTurn'),
  ),
  edited('settled work stays while flushing', (edit) =>
    edit.drop(edit.branch('restarting.flushing', 'work.settled').actions, 'removeWork'),
  ),
  edited('settled work does not flush again', (edit) =>
    edit.drop(edit.branch('stopped.flushing', 'work.settled').actions, 'flush'),
  ),
  edited('settled work does not ask again whether intake is closed', (edit) =>
    edit.drop(edit.branch('stopped.closing', 'work.settled').actions, 'askWhetherClosed'),
  ),
  edited('killed and still counted', (edit) =>
    edit.drop(edit.branch('draining.interrupting', 'kill.deadline').actions, 'abandonWork'),
  ),
  edited('abandoned and not killed', (edit) =>
    edit.drop(edit.branch('stopped.flushing', 'exit.deadline').actions, 'killCommands'),
  ),
  edited('a command does not hold a drain', (edit) => {
    edit.branch('draining.waiting', 'always', 0).guard = 'restarts';
  }),
  edited('unstarted turns are forgotten by a drain', (edit) =>
    edit.drop(edit.branch('running', 'drain.requested').actions, 'holdUnstarted'),
  ),
  edited('unstarted turns are forgotten by a hurried stop', (edit) =>
    edit.drop(edit.branch('running', 'stop.requested').actions, 'holdUnstarted'),
  ),
  edited('held messages are never taken up', (edit) =>
    edit.drop(edit.state('running.healthy').entry, 'takeUpHeld'),
  ),
  edited('held messages are taken up by a degraded gateway too', (edit) => {
    edit.state('running').entry = edit.state('running.healthy').entry as unknown[];
    delete edit.state('running.healthy').entry;
  }),
];

const requests: readonly Mutant[] = [
  edited('a restart takes over from a stop', (edit) => {
    delete edit.branch('draining', 'stop.requested', 2).guard;
  }),
  provided('a hurried restart takes over from a stop', { guards: { noDowngrade: () => true } }),
  edited('stop does not beat restart any more', (edit) => edit.on('restarting', 'stop.requested').shift()),
  edited('a raised restart goes on restarting', (edit) => {
    delete edit.branch('restarting', 'stop.requested').target;
  }),
  edited('a higher cause is answered and not taken', (edit) =>
    edit.drop(edit.branch('draining.interrupting', 'stop.requested').actions, 'takeRequest'),
  ),
  edited('a request is answered twice', (edit) => {
    const { actions } = edit.branch('starting', 'stop.requested');
    actions?.push(edit.action(actions, 'answer'));
  }),
  edited('a request is not answered', (edit) =>
    edit.drop(edit.branch('draining.drained', 'stop.requested').actions, 'answer'),
  ),
  edited('a request that nobody hears', (edit) => {
    delete edit.state('').on['drain.requested'];
  }),
  edited('a settled turn is answered like a request', (edit) => {
    const answer = edit.action(edit.branch('', 'stop.requested').actions, 'answer');
    edit.branch('', 'work.settled').actions?.push(answer);
  }),
  edited("anybody may cancel a signal's drain", (edit) => {
    delete edit.branch('draining.waiting', 'drain.cancelled', 1).guard;
  }),
  provided("an old drain's timer cancels a new drain", {
    guards: {
      cancellable: ({ context }) => context.request !== null && context.request.signal === null,
    },
  }),
  edited('a signal that joins a stop is forgotten', (edit) =>
    edit.drop(edit.branch('draining', 'stop.requested', 3).actions, 'joinSignal'),
  ),
  edited('a stop that outranks a signal forgets it', (edit) =>
    edit.branch('draining', 'stop.requested', 1).actions?.unshift(assign({ request: null })),
  ),
  provided('only the cause of a drain is looked at', {
    guards: {
      cancellable: ({ context, event }) =>
        event.type === 'drain.cancelled' &&
        context.request !== null &&
        !isSignal(context.request.cause) &&
        (event.onlyDrain === undefined ||
          (context.request.intent === 'drain' && context.serial === event.onlyDrain)),
    },
  }),
  edited('a cancelled drain keeps its request', (edit) =>
    edit.drop(edit.branch('draining.drained', 'drain.cancelled', 1).actions, 'forgetRequest'),
  ),
  edited('a cancelled restart lets its deadline run', (edit) =>
    edit.drop(edit.branch('draining.waiting', 'drain.cancelled', 1).actions, 'stopDeadlines'),
  ),
  edited('a cancelled drain is healthy whatever is raised', (edit) =>
    edit.on('draining.drained', 'drain.cancelled').shift(),
  ),
  edited('a hurried stop waits', (edit) => edit.on('running', 'stop.requested').shift()),
];

const deadlines: readonly Mutant[] = [
  provided('stale deadlines count', { guards: { armed: () => true } }),
  edited('a drain without a deadline', (edit) => {
    const { actions } = edit.branch('running', 'stop.requested', 1);
    edit.drop(actions, 'stampDeadline');
    edit.drop(actions, 'startDeadline');
  }),
  edited('a deadline that is armed and has no clock', (edit) =>
    edit.drop(edit.state('draining.interrupting').entry, 'startDeadline'),
  ),
  edited('a clock of a deadline that is not armed', (edit) =>
    edit.drop(edit.state('stopped').entry, 'stampDeadline'),
  ),
  edited('closing shares the deadline of flushing', (edit) => {
    const { actions } = edit.branch('restarting.flushing', 'exit.deadline');
    edit.drop(actions, 'stampDeadline');
    edit.drop(actions, 'startDeadline');
  }),
  provided('every raise begins the drain anew', { guards: { drainArmed: () => false } }),
  edited('the drain deadline is not heard', (edit) => {
    delete edit.state('draining.waiting').on['drain.deadline'];
  }),
  edited('the kill deadline always stops', (edit) =>
    edit.on('draining.interrupting', 'kill.deadline').shift(),
  ),
];

const course: readonly Mutant[] = [
  edited('a start that never counts as one', (edit) => {
    delete edit.state('starting').on.started;
  }),
  edited('a failing gateway goes on starting', (edit) =>
    edit.drop(edit.branch('', 'fatal').actions, 'abortStart'),
  ),
  edited('a raised reason ends a drain', (edit) => {
    edit.state('draining').on['degraded.raised'] = [{ target: '.interrupting', actions: ['addReason'] }];
  }),
  edited('an effect that nobody supplies', (edit) => {
    edit.state('running').entry = ['sayHello'];
  }),
  edited('restarting is final', (edit) => {
    edit.root.states.restarting = { type: 'final', on: {}, states: {} };
  }),
  edited('a plain drain goes on to interrupt', (edit) => {
    edit.branch('draining.waiting', 'always', 2).target = 'interrupting';
  }),
  edited('a drained gateway never says so', (edit) => edit.on('draining.waiting', 'always').pop()),
  edited('interrupting aborts again whenever work settles', (edit) => {
    edit.state('draining.interrupting').on['work.settled'] = [{ actions: ['removeWork', 'interruptWork'] }];
  }),
  edited('interrupting aborts nothing', (edit) =>
    edit.drop(edit.state('draining.interrupting').entry, 'interruptWork'),
  ),
  edited('closing begins while something is at work', (edit) => {
    delete edit.branch('restarting.flushing', 'outbox.flushed').guard;
  }),
  edited('leaving does not flush', (edit) => {
    delete edit.state('restarting.flushing').entry;
  }),
  edited('closing goes on receiving', (edit) => {
    delete edit.state('stopped.closing').entry;
  }),
  edited('closing never ends', (edit) => {
    delete edit.state('stopped.closing').on['intake.closed'];
    delete edit.state('stopped.closing').on['exit.deadline'];
  }),
  edited('a failure is forgotten', (edit) => edit.drop(edit.branch('', 'fatal').actions, 'takeFailure')),
  provided('a restart outranks a failure', {
    guards: {
      raises: ({ context, event }) =>
        event.type === 'stop.requested' && rankOf(event.cause) > rankOf(context.request?.cause ?? null),
    },
  }),
  edited('a failing gateway lets its turns run', (edit) =>
    edit.drop(edit.branch('', 'fatal').actions, 'interruptWork'),
  ),
  edited('a failure while leaving begins to leave anew', (edit) => {
    delete edit.state('stopped').on.fatal;
  }),
  edited('a stopped start goes on starting', (edit) =>
    edit.drop(edit.branch('starting', 'stop.requested', 1).actions, 'abortStart'),
  ),
  edited('a degraded start is healthy', (edit) => edit.on('starting', 'started').shift()),
  edited('the first reason that clears makes healthy', (edit) => {
    delete edit.branch('running.degraded', 'degraded.cleared').guard;
  }),
  edited('reasons are not heard while draining', (edit) => {
    edit.state('draining').on['degraded.raised'] = [{ actions: [] }];
  }),
  edited('always exits with 0', (edit) => {
    edit.root.output = { code: 0, reexecute: false, cause: 'stop', actor: 'by stop' };
  }),
];

const shape: readonly Mutant[] = [
  edited('a wildcard', (edit) => {
    edit.state('draining').on['message.*'] = [{ actions: [] }];
  }),
  edited('a timer of XState', (edit) => {
    edit.state('draining.waiting').after = { 60000: 'interrupting' };
  }),
  edited('an invoke', (edit) => {
    edit.state('starting').invoke = { src: 'recovery' };
  }),
];

export const MUTANTS: readonly Mutant[] = [
  ...admission,
  ...work,
  ...requests,
  ...deadlines,
  ...course,
  ...shape,
];
