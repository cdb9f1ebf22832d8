/** One attempt of an agent to answer, while it runs, and the reasons for which it is told to stop. */
import { type Agent, AgentFailure, type TurnUsage } from '../agents/agent.ts';
import * as endingReplies from '../messages/ending-replies.ts';
import type { TurnRow } from '../store/records.ts';
import type { InHand } from './in-hand.ts';

/** An agent that says nothing for so long, or for half of its time, and then runs into its timeout has stalled. */
const STALLED_MS = 30_000;

/** Why a turn was told to stop; the sentence goes to the person. */
export interface TurnAbort {
  readonly outcome: 'interrupted' | 'failed';
  readonly reason: string;
  readonly text: string;
  /** What it says of the agent; absent when it says nothing. */
  readonly failure?: AgentFailure;
  /** Completes "Interrupted: …" while the gateway leaves: the next start may answer the message. Absent: this is its end. */
  readonly leavesBecause?: string;
  /** The gateway fails: what is cut off stays as it is, and the next start decides on it as after a kill. */
  readonly isDeath?: true;
}

export interface Turn {
  readonly row: TurnRow;
  readonly message: InHand;
  readonly abort: AbortController;
  readonly agent: Agent;
  readonly timeoutMs: number;
  answer: string;
  /** The agent wrote more than an answer may hold. */
  cut: boolean;
  /** What the agent says it used; null until it does. */
  usage: TurnUsage | null;
  /** When the agent last said anything, in monotonic milliseconds; null until it does. */
  saidAt: number | null;
}

/** An agent with the limits of its turns. */
export interface UsableAgent {
  readonly agent: Agent;
  readonly timeoutMs: number;
  readonly maxTurns: number;
  /** A turn of it may change something outside. */
  readonly effects: boolean;
}

/** An agent that never began to answer is as good as down; one that answers, and takes long, is at work. */
export function timeoutOf({ row, timeoutMs, saidAt }: Turn, now: number): TurnAbort {
  const quietMs = saidAt === null ? timeoutMs : now - saidAt;
  const isStalled = quietMs >= Math.min(STALLED_MS, timeoutMs / 2);
  const late = saidAt === null ? 'silent' : isStalled ? 'stalled' : 'answering';
  const { cause, next } = endingReplies.agentTimeout(row.agent, timeoutMs, late, quietMs);
  const failure =
    saidAt !== null
      ? {}
      : { failure: new AgentFailure(cause, next, { backend: true, code: 'AGENT_TIMEOUT' }) };
  return { outcome: 'failed', reason: 'timeout', text: endingReplies.failedTurn(cause, next), ...failure };
}

/** The first reason counts. */
export function abortTurn(turn: Turn, abort: TurnAbort): void {
  if (!turn.abort.signal.aborted) turn.abort.abort(abort);
}

/** What had been streamed is kept, and said first. */
export const withAnswer = (answer: string, text: string): string[] =>
  answer.trim() === '' ? [text] : [answer, text];
