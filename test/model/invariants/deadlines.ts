/** Every wait of a shutdown is bounded, and only by the deadline that was armed for it. */
import { type Checks, DEADLINES, exactly, isCurrent, isIn, isLeaving, unless } from './steps.ts';

export const deadlines: Checks = {
  'a stale deadline changes nothing': (step) => {
    if (!('serial' in step.event) || isCurrent(step)) return null;
    return unless(
      step.from === step.to && step.before === step.after && step.effects.length === 0,
      `went to ${step.to} with ${step.effects.map(({ type }) => type).join() || 'no effect'}`,
    );
  },
  'a deadline cuts off exactly what it bounds': (step) => {
    if (!isCurrent(step)) return null;
    const leaves = step.before.request?.intent === 'restart' ? 'restarting.flushing' : 'stopped.flushing';
    const to: Readonly<Record<string, string>> = {
      'drain.deadline in draining.waiting': 'draining.interrupting',
      'kill.deadline in draining.interrupting': leaves,
      'exit.deadline in restarting.flushing': 'restarting.closing',
      'exit.deadline in stopped.flushing': 'stopped.closing',
      'exit.deadline in restarting.closing': 'exited',
      'exit.deadline in stopped.closing': 'exited',
    };
    const expected = to[`${step.event.type} in ${step.from}`] ?? step.from;
    if (step.to !== expected) return `leads to ${step.to}, not ${expected}`;
    if (isLeaving(step.to) && 'serial' in step.event && step.after.deadlines.exit === step.event.serial) {
      return 'what follows is bounded by a deadline that has passed';
    }
    const cutsOff = expected !== step.from && step.event.type !== 'drain.deadline';
    return exactly(step, 'killCommands', cutsOff ? 1 : 0);
  },
  'every armed deadline has a fresh serial and a clock that was started with it': (step) => {
    const started = step.effects.flatMap((effect) =>
      effect.type === 'startDeadline' ? [effect.params] : [],
    );
    for (const { deadline, serial, closing } of started) {
      if (serial <= step.before.serial) return `${deadline} was started with the used serial ${serial}`;
      if (step.after.deadlines[deadline] !== serial) return `${deadline} was started and is not armed`;
      if (closing !== step.to.endsWith('.closing')) return `${deadline}: closing is ${closing}`;
    }
    for (const name of DEADLINES) {
      const now = step.after.deadlines[name];
      if (now === null || now === step.before.deadlines[name]) continue;
      const clocks = started.filter(({ deadline }) => deadline === name).length;
      if (clocks !== 1) return `${name} was armed and ${clocks} clocks were started`;
    }
    return unless(new Set(started.map(({ serial }) => serial)).size === started.length, 'two share a serial');
  },
  'every state that waits for others to leave is bounded by its deadline': ({ to, after }) => {
    if (to === 'draining.waiting') {
      return unless(
        (after.deadlines.drain !== null) === (after.request?.intent !== 'drain'),
        'drain deadline',
      );
    }
    if (to === 'draining.interrupting') return unless(after.deadlines.kill !== null, 'no kill deadline');
    if (isLeaving(to)) return unless(after.deadlines.exit !== null, 'no exit deadline');
    if (to === 'exited') return null;
    return unless(
      DEADLINES.every((name) => after.deadlines[name] === null),
      'a deadline is armed',
    );
  },
  'a drain that began keeps the deadline it began with': ({ from, to, before, after }) =>
    unless(
      !isIn(from, 'draining') ||
        !isIn(to, 'draining') ||
        before.deadlines.drain === null ||
        after.deadlines.drain === before.deadlines.drain,
      'the drain deadline was moved',
    ),
};
