/** What answers a turn. */
export interface TurnInput {
  readonly turnId: string;
  readonly conversation: string;
  readonly text: string;
}

export type AgentEvent = { readonly type: 'text'; readonly text: string };

/**
 * Why a turn ended without an answer: `cause` completes "No answer: …", `next` is the one next step. `backend`
 * says that the agent itself failed, not this one request.
 */
export class AgentFailure extends Error {
  readonly next: string;
  readonly backend: boolean;

  constructor(
    cause: string,
    next: string,
    options: { backend: boolean; cause?: unknown } = { backend: true },
  ) {
    super(cause, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'AgentFailure';
    this.next = next;
    this.backend = options.backend;
  }
}

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
}
