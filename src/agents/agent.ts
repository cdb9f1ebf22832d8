/** The port to what answers a turn. */
import type { ErrorCode } from '../errors.ts';

export interface TurnInput {
  readonly turnId: string;
  readonly conversation: string;
  readonly text: string;
}

/** What a turn used, as its agent counts it. */
export interface TurnUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Of `inputTokens`, those that the server had kept from an earlier turn; absent: it does not say. */
  readonly cachedTokens?: number;
}

/** A piece of the answer, or what it took; of several usages the last one counts. */
export type AgentEvent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'usage'; readonly usage: TurnUsage };

/** What is known of a failure besides its sentences. */
export interface AgentFailureOptions {
  /** The agent itself failed, not this one request. */
  readonly backend: boolean;
  readonly code?: ErrorCode;
  /** When it is worth another try, in wall milliseconds, where the server said so. */
  readonly retryAtMs?: number;
  readonly cause?: unknown;
}

/**
 * Why a turn ended without an answer: the message is the cause and completes "No answer: …", `next` is the one next
 * step. Neither holds a secret, nor what a server wrote.
 */
export class AgentFailure extends Error {
  readonly next: string;
  readonly backend: boolean;
  readonly code: ErrorCode | undefined;
  readonly retryAtMs: number | undefined;

  constructor(cause: string, next: string, options: AgentFailureOptions = { backend: true }) {
    super(cause, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'AgentFailure';
    this.next = next;
    this.backend = options.backend;
    this.code = options.code;
    this.retryAtMs = options.retryAtMs;
  }
}

/**
 * What a probe that failed with nothing has shown: the agent answers, or only that it can be started, which says little
 * of what it would answer.
 */
export type ProbeEvidence = 'answers' | 'can-start';

export interface Agent {
  readonly name: string;
  readonly type: string;
  /**
   * Answers one turn: yields text as it comes, returns when the answer is complete, throws `AgentFailure`.
   * When `signal` aborts it ends whatever it started and returns or throws soon after; what it yielded stays.
   */
  runTurn(input: TurnInput, options: { signal: AbortSignal }): AsyncIterable<AgentEvent>;
  /** Ends what a running turn started, without grace. */
  killNow(turnId: string): void;
  /**
   * Asks whether the agent could answer now; cheap, no turn of anybody, bounded in time. Throws `AgentFailure`: one that
   * is no `backend` failure says that the backend is there.
   */
  probe(options: { signal: AbortSignal }): Promise<ProbeEvidence>;
}
