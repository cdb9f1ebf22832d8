/** What a request is answered with, what it changes, and what stays as it was. */
import type { Intent, Request, Verdict } from '../../../machines/events.ts';
import {
  FAILED,
  INTENTS,
  IS_SIGNAL,
  type LeafState,
  leafAt,
  type Place,
  RANKS,
  VERDICTS,
} from '../../support/lifecycle-oracle.ts';
import type { Step } from '../abstract-graph.ts';
import { type Checks, DEADLINES, exactly, isIn, isRequest, unless } from './steps.ts';

const INTENT_ORDER: Readonly<Record<Intent, number>> = { drain: 0, restart: 1, stop: 2 };

export const requests: Checks = {
  'every request is answered exactly once, and nothing else is': (step) => {
    const wrong = exactly(step, 'answer', isRequest(step.event) ? 1 : 0);
    if (wrong !== null) return wrong;
    for (const effect of step.effects) {
      if (effect.type !== 'answer' || !('requestId' in step.event)) continue;
      if (effect.params.requestId !== step.event.requestId) return `answered ${effect.params.requestId}`;
    }
    return null;
  },
  'every request is answered as the verdict table says, and leads where it says': (step) => {
    if (!isRequest(step.event)) return null;
    const [verdict, place] = expectedAnswer(step);
    const given = step.effects.flatMap((effect) => (effect.type === 'answer' ? [effect.params.verdict] : []));
    if (given.join() !== verdict) return `answered ${given.join() || 'nothing'}, not ${verdict}`;
    const { turns, commands, degraded, request } = step.after;
    const to = leafAt(place, {
      state: step.from,
      intent: request?.intent ?? null,
      turns: turns.size,
      commands: commands.size,
      degraded: degraded.length,
    });
    return unless(step.to === to, `leads to ${step.to}, not ${to}`);
  },
  'a request that was taken, raised or hurried is the one carried out, with its actor': (step) => {
    const { event, after, effects } = step;
    const took = effects.some(
      (effect) => effect.type === 'answer' && ['taken', 'raised', 'hurried'].includes(effect.params.verdict),
    );
    const { before } = step;
    if (!took) return unless(after.request === null || isSame(after.request, before.request), 'replaced');
    const cause = event.type === 'stop.requested' ? event.cause : 'drain';
    return unless(
      after.request?.cause === cause &&
        after.request.intent === INTENTS[cause] &&
        after.request.actor === `by ${cause}`,
      `carries out ${JSON.stringify(after.request)}`,
    );
  },
  'nothing downgrades while a request stands': ({ before, after }) => {
    if (before.request === null || after.request === null) return null;
    if (INTENT_ORDER[after.request.intent] < INTENT_ORDER[before.request.intent]) return 'the intent fell';
    return unless(RANKS[after.request.cause] >= RANKS[before.request.cause], 'the cause fell');
  },
  'only a cancel that says so ends a request, and then the gateway runs with nothing armed': (step) => {
    const { event, before, after, to } = step;
    const cancelled = step.effects.some(
      (effect) => effect.type === 'answer' && effect.params.verdict === 'cancelled',
    );
    if (!cancelled) return unless(before.request === null || after.request !== null, 'forgotten');
    if (event.type !== 'drain.cancelled' || !isIn(to, 'running') || after.request !== null)
      return 'not cancelled';
    if (before.request?.signal !== null) return 'cancelled what a signal asked for';
    const wereArmed = DEADLINES.some((name) => before.deadlines[name] !== null);
    return wereArmed ? exactly(step, 'stopDeadlines', 1) : null;
  },
  'a request keeps the signal that asked for it, or the first that joined it': (step) => {
    const { event, before, after } = step;
    if (after.request === null) return null;
    const { cause, signal } = after.request;
    const came = event.type === 'stop.requested' ? event.cause : null;
    const expected = [cause, before.request?.signal ?? null, came].find(
      (candidate) => candidate !== null && IS_SIGNAL[candidate],
    );
    return unless(signal === (expected ?? null), `keeps ${signal}, not ${expected}`);
  },
  'a gateway that drains or leaves does so for a request or a failure': ({ to, after }) => {
    if (isIn(to, 'starting') || isIn(to, 'running')) return unless(after.request === null, 'has a request');
    if (isIn(to, 'draining')) return unless(after.request !== null, 'has no request');
    if (isIn(to, 'restarting'))
      return unless(after.request?.intent === 'restart', 'is asked for something else');
    return unless(
      after.failure !== null || after.request?.intent === 'stop' || to === 'exited',
      'no reason to stop',
    );
  },
  'a plain drain keeps the serial by which its own timer knows it': ({ to, before, after }) =>
    unless(
      !isIn(to, 'draining') ||
        before.request?.intent !== 'drain' ||
        after.request !== before.request ||
        after.serial === before.serial,
      'the serial moved',
    ),
  'a plain drain interrupts nothing': ({ to, after }) =>
    unless(to !== 'draining.interrupting' || after.request?.intent !== 'drain', 'interrupts for a drain'),
};

/** The same but for the signal that has joined it. */
const isSame = (one: Request, other: Request | null): boolean =>
  one.intent === other?.intent && one.cause === other.cause && one.actor === other.actor;

/** The verdict table's answer to a request, and the place it leads to. */
export function expectedAnswer({
  event,
  from,
  before,
}: Pick<Step, 'event' | 'from' | 'before'>): readonly [Verdict, Place] {
  const row = before.failure === null ? VERDICTS[from as LeafState] : FAILED;
  const holding = before.request?.cause ?? null;
  if (event.type === 'drain.requested') return row.drain;
  if (event.type === 'drain.cancelled') {
    const drain = before.request?.intent === 'drain' ? before.serial : undefined;
    if (event.onlyDrain !== undefined && event.onlyDrain !== drain) return row.cancelOfOther;
    return before.request !== null && before.request.signal !== null ? row.cancelOfSignal : row.cancel;
  }
  if (event.type !== 'stop.requested') throw new Error(`${event.type} is no request`);
  const above = RANKS[event.cause] - (holding === null ? 0 : RANKS[holding]);
  const byRank = event.hurry ? row.hurry : row.stop;
  return above > 0 ? byRank.higher : above === 0 ? byRank.equal : byRank.lower;
}
