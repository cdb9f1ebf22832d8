/**
 * Runs one agent turn to its end: gathers the answer, and says what the end comes to for its message, be it the agent's,
 * a failure, or that the turn was told to stop.
 */
import { type AgentEvent, AgentFailure } from '../agents/agent.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import * as endingReplies from '../messages/ending-replies.ts';
import * as resumeReplies from '../messages/resume-replies.ts';
import type { Write } from '../store/write.ts';
import type { Log } from '../telemetry/log.ts';
import type { Settlement, Suspension } from './in-hand.ts';
import type { Resumption } from './resume-policy.ts';
import { abortTurn, type Turn, type TurnAbort, timeoutOf, withAnswer } from './turn.ts';

/** The most an answer may hold, in characters; an agent that writes more is cut, and the answer says so. */
export const ANSWER_CHARS_MAX = 1_000_000;

export interface TurnRunOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** The agent has answered a turn, or failed it; not called for a turn that a person or the gateway ended. */
  readonly agentEnded: (turn: Turn, failure: AgentFailure | null) => void;
  /** The agent said something; it is part of the turn's answer already. */
  readonly delta: (turn: Turn, text: string) => void;
  /** How the message of a turn goes on that the gateway's end cuts off. */
  readonly resumption: (turn: Turn) => Resumption;
}

/** Runs it to its end, which need not be that of its message. Never rejects. */
export async function runTurn(turn: Turn, options: TurnRunOptions): Promise<Settlement | Suspension> {
  const { clock } = options;
  using _ = clock.timer(turn.timeoutMs, () => abortTurn(turn, timeoutOf(turn, clock.monotonicMs())));
  const ending = await endingOf(turn, options);
  if ('phase' in ending && ending.leftToNextStart) return { ...ending, writes: said(turn) };
  const outcome = 'phase' in ending ? 'interrupted' : ending.outcome;
  const ended: Write = {
    op: 'turn.end',
    id: turn.row.id,
    at: clock.wallMs(),
    outcome: outcome === 'answered' || outcome === 'failed' ? outcome : 'interrupted',
    reason: ending.reason,
    streamed: turn.answer,
    ...(turn.usage === null ? {} : { usage: JSON.stringify(turn.usage) }),
  };
  return { ...ending, writes: [ended] };
}

async function endingOf(turn: Turn, options: TurnRunOptions): Promise<Settlement | Suspension> {
  const text = turn.message.classified.kind === 'turn' ? turn.message.classified.text : '';
  const { id: turnId, conversation } = turn.row;
  try {
    const events = turn.agent.runTurn({ turnId, conversation, text }, { signal: turn.abort.signal });
    for await (const event of events) take(turn, event, options);
  } catch (error) {
    if (!turn.abort.signal.aborted) return failed(turn, error, options);
  }
  if (turn.abort.signal.aborted) {
    return cutOff(turn, turn.abort.signal.reason as TurnAbort, options);
  }
  if (turn.answer.trim() === '') {
    const { cause, next } = endingReplies.agentSilent();
    return failed(turn, new AgentFailure(cause, next, { backend: false }), options);
  }
  options.agentEnded(turn, null);
  return { outcome: 'answered', reason: null, replies: [turn.answer] };
}

function cutOff(turn: Turn, abort: TurnAbort, options: TurnRunOptions): Settlement | Suspension {
  const { outcome, reason, text, failure, leavesBecause, isDeath = false } = abort;
  const { recorded } = turn.message;
  if (failure !== undefined) options.agentEnded(turn, failure);
  const goesOn = leavesBecause === undefined || !recorded ? 'end' : options.resumption(turn);
  const isLeft = isDeath && recorded;
  if (leavesBecause === undefined || (goesOn === 'end' && !isLeft)) {
    return { outcome, reason, replies: withAnswer(turn.answer, text) };
  }
  const next = goesOn === 'end' ? text : resumeReplies.cutOffNow(goesOn, leavesBecause);
  return {
    phase: goesOn === 'by-itself' ? 'held' : 'awaiting-resume',
    reason,
    replies: withAnswer(turn.answer, next),
    ...(isLeft ? { leftToNextStart: true } : {}),
  };
}

function take(turn: Turn, event: AgentEvent, options: TurnRunOptions): void {
  turn.saidAt = options.clock.monotonicMs();
  if (event.type === 'usage') turn.usage = event.usage;
  else takeText(turn, event.text, options);
}

function takeText(turn: Turn, text: string, options: TurnRunOptions): void {
  if (turn.cut) return;
  const room = ANSWER_CHARS_MAX - turn.answer.length;
  turn.cut = text.length > room;
  const taken = turn.cut ? `${text.slice(0, room)}${endingReplies.answerCut()}` : text;
  turn.answer += taken;
  options.delta(turn, taken);
}

function failed(turn: Turn, error: unknown, options: TurnRunOptions): Settlement {
  const known = error instanceof AgentFailure;
  if (known) options.agentEnded(turn, error);
  else options.log.error({ turn: turn.row.id, error: messageOf(error) }, 'a turn failed');
  const text = known ? endingReplies.failedTurn(error.message, error.next) : endingReplies.agentDefect();
  return { outcome: 'failed', reason: messageOf(error), replies: withAnswer(turn.answer, text) };
}

/** What it has streamed, for the start that decides on it. */
const said = ({ row, answer }: Turn): Write[] =>
  answer === '' ? [] : [{ op: 'turn.progress', id: row.id, streamed: answer }];
