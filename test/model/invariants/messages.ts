/** What a message meets, and what counts as work. */
import type { Admission, MessageEvent } from '../../../machines/events.ts';
import { admissionRow, type Column } from '../../support/lifecycle-oracle.ts';
import type { Step } from '../abstract-graph.ts';
import { type Checks, count, exactly, gained, isLeaving, isMessage, unless, work } from './steps.ts';

const DECISIONS: readonly string[] = ['dispatch', 'hold', 'refuse'];

export const messages: Checks = {
  'every message is decided exactly once, and nothing else is': (step) => {
    const decided = step.effects.filter(({ type }) => DECISIONS.includes(type));
    const [first] = decided;
    if (!isMessage(step.event)) return unless(first === undefined, `${first?.type} without a message`);
    if (decided.length !== 1 || first === undefined) return `decided ${decided.length} times`;
    const id = 'params' in first && 'id' in first.params ? first.params.id : undefined;
    return unless('id' in step.event && step.event.id === id, `decided about ${id}`);
  },
  'every message meets what the admission table says': (step) => {
    const { event } = step;
    if (!isMessage(event)) return null;
    return exactly(step, expectedDecision(step, event), 1);
  },
  'every refusal says why': ({ effects, from, before }) => {
    for (const effect of effects) {
      if (effect.type !== 'refuse') continue;
      const { because, request, failure, degraded } = effect.params;
      const state = from === 'running.degraded' ? 'degraded' : from.split('.')[0];
      if (because !== state) return `because ${because}`;
      if (request !== before.request || failure !== before.failure)
        return 'request or failure is not what holds';
      if (degraded.join() !== before.degraded.join()) return 'reasons are not what holds';
      if (because === 'degraded' ? degraded.length === 0 : request === null && failure === null)
        return 'no reason';
    }
    return null;
  },
};

export const workSet: Checks = {
  'a dispatched turn or command is work from the same transition on': (step) => {
    const { event, after } = step;
    if (count(step, 'dispatch') === 0) return null;
    if (event.type === 'message.turn') return unless(after.turns.has(event.id), 'the turn is not counted');
    if (event.type === 'message.exec')
      return unless(after.commands.has(event.id), 'the command is not counted');
    return null;
  },
  'work rises only by the dispatch of that turn or command': (step) => {
    const { event, before, after } = step;
    const dispatched = count(step, 'dispatch') > 0 && 'id' in event ? event.id : null;
    for (const [kind, message] of [
      ['turns', 'message.turn'],
      ['commands', 'message.exec'],
    ] as const) {
      const strange = gained(before[kind], after[kind]).filter(
        (id) => id !== dispatched || event.type !== message,
      );
      if (strange.length > 0) return `${kind} gained ${strange.join()}`;
    }
    return null;
  },
  'settled work has left, in every state': ({ event, after }) =>
    unless(event.type !== 'work.settled' || !work(after).has(event.id), 'still in the work set'),
  'work leaves only by settling, or all of it by being killed and abandoned': (step) => {
    const { event, before, after } = step;
    const lost = gained(work(after), work(before)).filter(
      (id) => event.type !== 'work.settled' || id !== event.id,
    );
    const killed = count(step, 'killCommands');
    if (lost.length > 0 && killed !== 1) return `lost ${lost.join()} with ${killed} kills`;
    return unless(killed === 0 || work(after).size === 0, 'killed, and still counted');
  },
  'nothing leaves the process or its draining with a turn': ({ to, after }) => {
    if (isLeaving(to) || to === 'draining.drained') return unless(after.turns.size === 0, 'a turn is left');
    return unless(to !== 'exited' || work(after).size === 0, 'work is left');
  },
};

/** The admission table's cell for a message that comes in state `from`. */
export function expectedDecision(
  { from, before }: Pick<Step, 'from' | 'before'>,
  event: MessageEvent,
): Admission {
  const agent = event.type === 'message.turn' ? event.agent : 'default';
  return admissionRow(from, before.degraded, agent)[columnOf(event)];
}

function columnOf(event: MessageEvent): Column {
  switch (event.type) {
    case 'message.control':
      return 'control';
    case 'message.exec':
      return 'exec';
    case 'message.alias':
      return 'alias';
    case 'message.turn':
      return event.whenBusy === 'queue' ? 'queued' : 'turn';
  }
}
