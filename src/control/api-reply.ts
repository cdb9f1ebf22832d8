/** What the control interface answers, without a wire: a status code and a JSON document, and the shapes that all share. */
import type { ErrorCode } from '../errors.ts';
import { ERRORS } from '../errors.ts';
import type { Decided, Settled } from '../gateway/in-hand.ts';

/** A reply of the interface: a status code and a JSON document. */
export interface ApiReply {
  readonly status: number;
  readonly json: unknown;
}

/** An error reply in the shape that all of them have. */
export function failure(status: number, code: ErrorCode, message: string): ApiReply {
  return { status, json: { error: { code, message, hint: ERRORS[code].hint } } };
}

/** What was decided of a message, as every face says it. */
export const decidedJson = ({ messageId, kind, admission, reason, text, duplicate, recorded }: Decided) => ({
  ...{ messageId, kind, admission, reason, text, duplicate, recorded },
});

/** How a message ended, as every face says it. */
export const settledJson = ({ outcome, reason, replies, recorded, exitCode }: Settled) => ({
  outcome,
  outcomeReason: reason,
  replies,
  recorded,
  exitCode,
});
