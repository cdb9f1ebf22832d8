/**
 * What the control socket and HTTP offer, without their wire: requests as plain values in, replies out. Both
 * faces call the same functions.
 */
import { z } from 'zod';
import type { Cause } from '../../machines/events.ts';
import type { Clock } from '../clock.ts';
import type { ErrorCode } from '../errors.ts';
import { ERRORS } from '../errors.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Decided, ProgressListener, Receipt, Settled } from '../gateway/in-hand.ts';
import type { Answer } from '../gateway/requests.ts';
import { newId } from '../messages/ids.ts';
import { conversationKey, ID_CHARS_MAX, type Inbound, parseConversationKey } from '../messages/inbound.ts';

/** A reply of the interface: a status code and a JSON document. */
export interface ApiReply {
  readonly status: number;
  readonly json: unknown;
}

const id = z.string().min(1).max(ID_CHARS_MAX);

const messageBody = z.strictObject({
  text: z.string(),
  id: id.optional(),
  conversation: id.optional(),
  agent: id.optional(),
  whenBusy: z.enum(['interrupt', 'queue', 'steer']).optional(),
  /** Wall milliseconds after which the sender has given up. */
  deadlineAt: z.number().int().positive().optional(),
  attachments: z.array(z.unknown()).max(0, 'attachments are not available in this version').optional(),
});

const lifecycleBody = z.strictObject({
  intent: z.enum(['stop', 'restart', 'drain', 'cancel-drain']),
  hurry: z.boolean().optional(),
  /** Of a drain: milliseconds after which turns are taken again. */
  forMs: z.number().positive().optional(),
  /** Why, for the log. */
  reason: z.string().max(1000).optional(),
  /** The `SLUICE_WORK_ID` of the work from inside which it is asked. */
  from: id.optional(),
});

export interface ApiOptions {
  readonly gateway: Gateway;
  readonly clock: Clock;
}

export class Api {
  readonly #options: ApiOptions;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  status(): ApiReply {
    return { status: 200, json: this.#options.gateway.status };
  }

  /** Alive as long as it answers. */
  livez(): ApiReply {
    return { status: 200, json: { alive: true } };
  }

  /** Ready while messages are taken; a degraded agent or safe mode does not change that, the store does. */
  readyz(): ApiReply {
    const { state, degraded } = this.#options.gateway.lifecycle.view;
    if (!state.startsWith('running.')) return { status: 503, json: { ready: false, reason: state } };
    if (degraded.includes('store')) return { status: 503, json: { ready: false, reason: 'store' } };
    return { status: 200, json: { ready: true, degraded } };
  }

  /** Reads a message; a problem comes back as the reply. */
  inbound(body: unknown): Inbound | ApiReply {
    const parsed = messageBody.safeParse(body);
    if (!parsed.success) return invalid(parsed.error);
    const { text, conversation, agent, whenBusy, deadlineAt } = parsed.data;
    if (text.trim() === '') return failure(400, 'MESSAGE_INVALID', 'text is empty');
    const wallMs = this.#options.clock.wallMs();
    return {
      platform: 'local',
      platformMessageId: parsed.data.id ?? newId('m', wallMs),
      conversation: localConversation(conversation ?? 'default'),
      sender: 'local:owner',
      text,
      receivedAt: wallMs,
      ...(agent === undefined ? {} : { agent }),
      ...(whenBusy === undefined ? {} : { whenBusy }),
      ...(deadlineAt === undefined ? {} : { deadlineAt }),
    };
  }

  receive(inbound: Inbound, listener?: ProgressListener): Promise<Receipt> {
    return this.#options.gateway.receive(inbound, listener);
  }

  /** The reply to a message that could not be kept: it may be sent again under the same id. */
  unavailable({ reason, text }: Receipt): ApiReply | undefined {
    return reason === 'store' ? failure(503, 'STORE_UNAVAILABLE', text ?? '') : undefined;
  }

  /** Answers a message; with `wait` once it has settled, unless it is held. */
  async message(inbound: Inbound, wait: boolean): Promise<ApiReply> {
    const receipt = await this.receive(inbound);
    const unavailable = this.unavailable(receipt);
    if (unavailable !== undefined) return unavailable;
    const json = decidedJson(receipt);
    if (!wait || receipt.admission === 'hold') return { status: 202, json };
    return { status: 200, json: { ...json, ...settledJson(await receipt.settled) } };
  }

  lifecycle(body: unknown): ApiReply {
    const parsed = lifecycleBody.safeParse(body);
    if (!parsed.success) return invalid(parsed.error);
    const { intent, hurry, forMs, from } = parsed.data;
    const cause: Cause = intent === 'cancel-drain' ? 'drain' : intent;
    const answer = this.#options.gateway.requests.ask({
      intent,
      cause,
      actor: 'local:owner',
      ...(hurry === undefined ? {} : { hurry }),
      ...(forMs === undefined ? {} : { forMs }),
      ...(from === undefined ? {} : { from }),
    });
    return { status: ANSWER_STATUS[answer.verdict], json: answer };
  }
}

/** An answer that changes nothing because it cannot is a conflict with the state the gateway is in. */
const ANSWER_STATUS: Readonly<Record<Answer['verdict'], number>> = {
  taken: 202,
  raised: 202,
  hurried: 202,
  joined: 202,
  cancelled: 202,
  deferred: 202,
  'nothing-to-cancel': 409,
  'too-late': 409,
  'still-starting': 409,
  refused: 409,
};

/** A local conversation: a key as status shows it, or its id alone. */
function localConversation(named: string): string {
  return parseConversationKey(named)?.platform === 'local' ? named : conversationKey('local', named);
}

export const decidedJson = ({ messageId, kind, admission, reason, text, duplicate, recorded }: Decided) => ({
  ...{ messageId, kind, admission, reason, text, duplicate, recorded },
});

export const settledJson = ({ outcome, reason, replies, recorded, exitCode }: Settled) => ({
  outcome,
  outcomeReason: reason,
  replies,
  recorded,
  exitCode,
});

/** An error reply in the shape that all of them have. */
export function failure(status: number, code: ErrorCode, message: string): ApiReply {
  return { status, json: { error: { code, message, hint: ERRORS[code].hint } } };
}

function invalid(error: z.ZodError): ApiReply {
  const problems = error.issues.map((issue) => {
    const where = issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
    return `${where}${issue.message}`;
  });
  return failure(400, 'MESSAGE_INVALID', problems.join('; '));
}
