/** What the gateway leaves for, read off the chart, and how that is told to work that it cuts off. Pure. */
import { isClosingState } from '../../machines/exit.ts';
import * as endingReplies from '../messages/ending-replies.ts';
import type { Going } from '../messages/replies.ts';
import type { LifecycleView } from './lifecycle.ts';
import type { TurnAbort } from './turn.ts';

type Standing = Pick<LifecycleView, 'request' | 'failure'>;

type Leaving = Standing & Pick<LifecycleView, 'hurried'>;

/** Where this life's end leads, so that what is held now waits for the next one; null while it goes on. */
export function goingWhere({ request, failure }: Standing): Going | null {
  if (failure !== null || request?.intent === 'stop') return 'stopping';
  return request?.intent === 'restart' ? 'restarting' : null;
}

/** The same for work that is cut off: what ends it is an end. */
export const endingFor = (standing: Standing): Going => goingWhere(standing) ?? 'stopping';

/** True when nothing takes effect in this life any more. It admits nothing: the chart does. */
export const isClosing = ({ state }: Pick<LifecycleView, 'state'>): boolean => isClosingState(state);

/** Completes what a command is told that is cut off with the gateway. */
export const commandsCutOff = (standing: Leaving): string =>
  standing.failure !== null ? endingReplies.gatewayFailed() : whyNow(standing);

/** What turns are told that a deadline, a hurry or a failure cuts off. */
export function interruption(standing: Leaving): TurnAbort {
  const { request, failure } = standing;
  const reason =
    failure !== null || request === null
      ? 'fault'
      : `${request.intent} asked by ${request.actor} (${request.cause})`;
  const why = commandsCutOff(standing);
  const ending = { outcome: 'interrupted', reason, text: endingReplies.interruptedTurn(why) } as const;
  // The next start finds nothing in a home that is gone.
  if (failure?.kind === 'home-lost') return ending;
  const isDeath = failure?.kind === 'fault' ? { isDeath: true as const } : {};
  return { ...ending, leavesBecause: why, ...isDeath };
}

const whyNow = (standing: Leaving): string =>
  (standing.hurried ? endingReplies.askedToGoAtOnce : endingReplies.timeIsOver)(endingFor(standing));
