/** The course of a life: what moves it on, what entering and leaving a state asks for, how it ends. */
import { EXITS, FAILURES } from '../../support/lifecycle-oracle.ts';
import { EFFECTS } from '../abstract-graph.ts';
import { type Checks, enters, exactly, isIn, isLeaving, isRequest, unless, work } from './steps.ts';

export const effects: Checks = {
  'the chart asks the world for nothing it does not know': ({ effects: done }) =>
    unless(
      done.every(({ type }) => EFFECTS.includes(type)),
      done.map(({ type }) => type).join(),
    ),
  'held messages are taken up exactly on entry to running.healthy': (step) =>
    exactly(step, 'takeUpHeld', enters(step, 'running.healthy') ? 1 : 0),
  'unstarted turns are held exactly when running ends in a drain': (step) =>
    exactly(
      step,
      'holdUnstarted',
      isIn(step.from, 'running') && isRequest(step.event) && !isIn(step.to, 'running') ? 1 : 0,
    ),
  'turns are aborted once, when interrupting begins or the gateway fails': (step) => {
    const { event, from, effects: done } = step;
    if (event.type === 'fatal') return exactly(step, 'interruptWork', isLeaving(from) ? 0 : 1);
    const hurried = done.some((effect) => effect.type === 'answer' && effect.params.verdict === 'hurried');
    return exactly(step, 'interruptWork', hurried || enters(step, 'draining.interrupting') ? 1 : 0);
  },
  'a start is aborted exactly when starting ends without having started': (step) => {
    if (step.event.type === 'fatal') return null; // The effect is idempotent: fatal stands once, at the root.
    return exactly(step, 'abortStart', step.from === 'starting' && isLeaving(step.to) ? 1 : 0);
  },
  'a fatal error while starting aborts the start': (step) =>
    step.event.type === 'fatal' && step.from === 'starting' ? exactly(step, 'abortStart', 1) : null,
  'leaving flushes when it begins, and again after all work that settles meanwhile': (step) => {
    const begins = isLeaving(step.to) && step.from.split('.')[0] !== step.to.split('.')[0];
    const again = step.event.type === 'work.settled' && step.from.endsWith('.flushing');
    return exactly(step, 'flush', begins || again ? 1 : 0);
  },
  'closing stops receiving when it begins, and asks again after all work that settles meanwhile': (step) => {
    const begins = step.to.endsWith('.closing') && step.from !== step.to;
    const again = step.event.type === 'work.settled' && step.from.endsWith('.closing');
    return exactly(step, 'stopReceiving', begins ? 1 : 0) ?? exactly(step, 'askWhetherClosed', again ? 1 : 0);
  },
};

export const course: Checks = {
  'a flushed outbox and a closed intake lead out once nothing is at work, and not before': (step) => {
    const { event, from, to, before } = step;
    if (event.type !== 'outbox.flushed' && event.type !== 'intake.closed') return null;
    const idle = work(before).size === 0;
    if (event.type === 'outbox.flushed' && from.endsWith('.flushing') && idle) {
      return unless(to === from.replace('flushing', 'closing'), `leads to ${to}`);
    }
    if (event.type === 'intake.closed' && from.endsWith('.closing') && idle) {
      return unless(to === 'exited', `leads to ${to}`);
    }
    return unless(to === from, `leads to ${to}`);
  },
  'a drain ends by itself as soon as nothing it waits for is left': ({ to, after }) => {
    if (to === 'draining.waiting' && after.request?.intent === 'drain') {
      return unless(after.turns.size > 0, 'waits for no turn');
    }
    return unless(
      (to !== 'draining.waiting' && to !== 'draining.interrupting') || work(after).size > 0,
      'waits for nothing',
    );
  },
  'running is healthy exactly while nothing is raised': ({ to, after }) =>
    unless(!isIn(to, 'running') || (to === 'running.healthy') === (after.degraded.length === 0), `${to}`),
  'reasons are raised and cleared in every state, by their events alone': ({ event, before, after }) => {
    const expected = new Set(before.degraded);
    if (event.type === 'degraded.raised') expected.add(event.reason);
    if (event.type === 'degraded.cleared') expected.delete(event.reason);
    return unless([...expected].join() === after.degraded.join(), `raised: ${after.degraded.join()}`);
  },
  'a failure stops the gateway wherever it happens, and stays': (step) => {
    const { event, from, to, before, after } = step;
    const fails = event.type === 'fatal' || (event.type === 'start.failed' && from === 'starting');
    if (!fails) return unless(after.failure === before.failure, 'the failure changed');
    if (after.failure !== event.failure) return 'the failure is not kept';
    return unless(to === (isLeaving(from) ? 'exited' : 'stopped.flushing'), `leads to ${to}`);
  },
  'only these events move a gateway on': ({ event, from, to }) => {
    const movers: Readonly<Record<string, readonly string[]>> = {
      started: ['starting'],
      'start.failed': ['starting'],
      'degraded.raised': ['running.healthy'],
      'degraded.cleared': ['running.degraded'],
      'work.settled': ['draining.waiting', 'draining.interrupting'],
    };
    const states = movers[event.type];
    const own = isRequest(event) || event.type === 'fatal' || /deadline|flushed|closed/.test(event.type);
    return unless(from === to || (states === undefined ? own : states.includes(from)), `moved to ${to}`);
  },
  'started leads to running': ({ event, from, to }) =>
    unless(event.type !== 'started' || from !== 'starting' || isIn(to, 'running'), `leads to ${to}`),
  'the exit is what the exit table says': ({ to, after, output }) => {
    if (to !== 'exited') return unless(output === undefined, 'exits while it works');
    const { failure, request } = after;
    const expected =
      failure !== null
        ? FAILURES[failure.kind].none
        : request === null || request.cause === 'drain'
          ? null
          : EXITS[request.cause].none;
    if (output === undefined || expected === null) return 'leaves without a reason';
    const { code, reexecute } = output;
    return unless(reexecute ? expected === 'reexecute' : expected === code, `leaves with ${code}`);
  },
};
