/** What the gateway leaves for, read off the chart, and how that is told to work that it cuts off. Pure. */
import * as replies from '../messages/replies.ts';
import type { LifecycleView } from './lifecycle.ts';
import type { TurnAbort } from './turns.ts';

type Standing = Pick<LifecycleView, 'request' | 'failure'>;

/** True when this life comes to its end, so that what is held now waits for the next one. */
export const isLeaving = ({ request, failure }: Standing): boolean =>
  failure !== null || request?.intent === 'stop' || request?.intent === 'restart';

/** Completes "the gateway is …" for work that it does not wait for any longer. */
export const goingWhere = ({ request, failure }: Standing): 'restarting' | 'stopping' =>
  failure === null && request?.intent === 'restart' ? 'restarting' : 'stopping';

/** What turns are told that a deadline, a hurry or a failure cuts off. */
export function interruption(standing: Standing): TurnAbort {
  const { request, failure } = standing;
  const reason =
    failure !== null || request === null
      ? 'fault'
      : `${request.intent} asked by ${request.actor} (${request.cause})`;
  const why = `the gateway is ${goingWhere(standing)} and its time to wait is over`;
  return { outcome: 'interrupted', reason, text: replies.interruptedTurn(why) };
}
