/** One message of this page, from the keyboard to its outcome. Pure: an event of its stream gives the next. */
import { canDecide } from './chart-data.ts';
import type { ServerEvent } from './event-stream.ts';
import type { MessageEvents, Refusal } from './protocol.ts';
import { tookWords } from './words.ts';

/** What the gateway itself is called where it speaks. */
export const GATEWAY = 'sluice';

type Decision = MessageEvents['admission'];

export interface Message {
  /** Chosen by the page, and the same at every try: the gateway does nothing twice. */
  readonly id: string;
  readonly text: string;
  readonly sentAtMs: number;
  readonly decision: MessageEvents['admission'] | null;
  readonly decidedAtMs: number;
  /** The state that decided, where this page can tell. */
  readonly decidedIn: string | null;
  /** What has come of the reply that is being written; null between replies. */
  readonly streaming: string | null;
  readonly replies: readonly string[];
  readonly settled: (MessageEvents['settled'] & { readonly atMs: number }) | null;
  /** The gateway did not take the request at all. */
  readonly problem: Refusal['error'] | null;
}

export function newMessage(id: string, text: string, nowMs: number): Message {
  return {
    id,
    text,
    sentAtMs: nowMs,
    decision: null,
    decidedAtMs: nowMs,
    decidedIn: null,
    streaming: null,
    replies: [],
    settled: null,
    problem: null,
  };
}

/**
 * The message after an event of its stream, in the `state` that the page shows. A repeated try begins with its
 * admission again, and tells all once more.
 */
export function withMessageEvent(
  message: Message,
  { name, data }: ServerEvent,
  state: string | null,
  nowMs: number,
): Message {
  switch (name) {
    case 'admission':
      return withDecision(message, data as MessageEvents['admission'], state, nowMs);
    case 'delta':
      return { ...message, streaming: (message.streaming ?? '') + (data as MessageEvents['delta']).text };
    case 'reply':
      return {
        ...message,
        streaming: null,
        replies: [...message.replies, (data as MessageEvents['reply']).text],
      };
    case 'settled':
      return withOutcome(message, data as MessageEvents['settled'], nowMs);
    default:
      return message;
  }
}

/** The state may have changed between the decision and its arrival here: one that decides otherwise is not named. */
function withDecision(message: Message, decision: Decision, state: string | null, nowMs: number): Message {
  const isFirst = message.decision === null;
  const couldBe = state !== null && canDecide(state, decision.kind, decision.admission);
  return {
    ...message,
    decision,
    decidedAtMs: isFirst ? nowMs : message.decidedAtMs,
    decidedIn:
      isFirst || message.decision.admission !== decision.admission
        ? couldBe
          ? state
          : null
        : message.decidedIn,
    streaming: null,
    replies: [],
  };
}

/** The outcome carries every reply; the text of a refusal or a hold is shown already. */
function withOutcome(message: Message, settled: MessageEvents['settled'], nowMs: number): Message {
  const replies = settled.replies.filter((reply) => reply !== message.decision?.text);
  return { ...message, streaming: null, replies, settled: { ...settled, atMs: nowMs } };
}

/** True when nothing more can come of it. */
export function isFinished({ settled, problem }: Message): boolean {
  return settled !== null || problem !== null;
}

/** Who wrote the replies: the agent, the command, or the gateway itself. */
export function authorOf({ decision, text }: Message): string {
  if (decision?.admission === 'refuse') return GATEWAY;
  if (decision?.kind === 'exec') return text.trim().split(/\s/, 1)[0]?.replace(/^\//, '') ?? GATEWAY;
  return decision?.kind === 'turn' ? 'agent' : GATEWAY;
}

/** The decision in a line: `turn · refused · draining.waiting`, `exec · ran in 0.3 s`. */
export function decisionWords(message: Message): string {
  const { decision, decidedIn, problem, settled, sentAtMs } = message;
  if (problem !== null) return `not taken · ${problem.code}`;
  if (decision === null) return 'sending';
  const { kind, admission, reason } = decision;
  if (admission === 'refuse') return joined(kind, 'refused', reason === 'state' ? decidedIn : reason);
  if (settled === null)
    return admission === 'hold' ? joined(kind, 'held', decidedIn) : joined(kind, 'dispatched');
  const took = ['answered', 'ran'].includes(settled.outcome)
    ? ` in ${tookWords(settled.atMs - sentAtMs)}`
    : '';
  return joined(kind, `${settled.outcome}${took}`, decision.recorded ? null : 'not recorded');
}

const joined = (...parts: (string | null)[]): string => parts.filter((part) => part !== null).join(' · ');
