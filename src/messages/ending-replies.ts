/**
 * What is said where a turn or a command came to no good end, or was ended: why, and what to do next. Some of them complete
 * another's sentence, and say which. Pure.
 */
import { limit, seconds } from './amounts.ts';
import type { Going } from './replies.ts';

export const interruptedTurn = (why: string): string =>
  `Interrupted: ${why}. Send it again if it is still wanted.`;

/** Completes "Interrupted: …" for a turn, and "was ended after N s: …" for a command, that is not waited for any longer. */
export const timeIsOver = (going: Going): string => `the gateway is ${going} and its time to wait is over`;

/** The same, where a person did not let it wait. */
export const askedToGoAtOnce = (going: Going): string =>
  `the gateway is ${going}, and was asked to go at once`;

/** The same, and for a command, where the gateway itself has failed. */
export const gatewayFailed = (): string => 'the gateway itself has failed; its log says why';

/** Completes "Interrupted: …" for a turn that a person ended. */
export const askedBy = (actor: string): string => `${actor} asked for it`;

/** Completes "was ended after N s: …" for a command that a person ended. */
export const cancelledBy = (actor: string): string => `${actor} cancelled it`;

/** Completes "was ended after N s: …" for a command that took too long. */
export const commandTimeout = (timeoutMs: number): string =>
  `it took longer than its timeout of ${limit(timeoutMs)}`;

export const commandNotRun = (name: string, because: string): string => `/${name} was not run: ${because}.`;

/** No slot came free for it in time. */
export const commandWaitedInVain = (name: string, waitedMs: number): string =>
  `/${name} was not run: no place for it came free within ${seconds(waitedMs)}. Send it again; /ps lists what runs.`;

export const failedTurn = (cause: string, next: string): string => `No answer: ${cause}. ${next}`;

/** How an agent stood when its time was over: it never said a word, it had fallen silent, or it was still answering. */
export type LateAgent = 'silent' | 'stalled' | 'answering';

/** For `failedTurn`: cause and next step of a turn that took too long. `quietMs`: since the agent last said anything. */
export function agentTimeout(name: string, timeoutMs: number, late: LateAgent, quietMs: number) {
  const within = limit(timeoutMs);
  const cause = {
    silent: `said nothing within ${within}`,
    stalled: `took longer than ${within}, and said nothing in the last ${seconds(quietMs)}`,
    answering: `took longer than ${within}`,
  }[late];
  const first = late === 'answering' ? 'Ask for less at once' : 'See whether what is behind it is stuck';
  const key = `${name === 'default' ? 'agent' : `agents.${name}`}.turn_timeout`;
  return { cause: `the agent ${name} ${cause}`, next: `${first}, or raise ${key}.` };
}

/** For `failedTurn`: cause and next step of a turn that ended well and said nothing. */
export const agentSilent = () => ({
  cause: 'the agent gave no answer',
  next: 'Send it again, or look at the log.',
});

export const agentDefect = (): string =>
  failedTurn('the agent failed unexpectedly', 'Send it again, or look at the log.');

/** Ends an answer that was longer than it may be. */
export const answerCut = (): string => '\n[cut: the answer was longer]';

/** A handler failed, which is a defect. */
export const internalFailure = (): string => 'That failed inside the gateway; its log says why.';
