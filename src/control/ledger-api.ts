/**
 * The ledger as the control socket and HTTP offer it, without their wire: what has become of messages, and what their
 * owner changes about that. What an id stands for is looked up in the store; what is changed is the gateway's matter.
 */
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { isSluiceError, SluiceError } from '../errors.ts';
import type { Nothing } from '../gateway/intervention-plan.ts';
import type { Intervened, Interventions } from '../gateway/interventions.ts';
import { LISTED_MAX, type Listed, type MessageList } from '../gateway/message-list.ts';
import type { MessageWay } from '../gateway/message-way.ts';
import { type FoundId, type NamedThing, oneThing } from '../messages/found-id.ts';
import { LOCAL_OWNER } from '../messages/local.ts';
import type { ApiReply } from './api-reply.ts';
import { invalid } from './body-problems.ts';

/** Longest reason of a discard, in characters. */
const REASON_CHARS_MAX = 1000;

const OUTCOMES = [
  ...(['answered', 'ran', 'done', 'refused', 'failed', 'expired'] as const),
  ...(['interrupted', 'merged', 'discarded'] as const),
] as const;

/** `?undelivered` alone says yes. */
const flag = z.enum(['', 'true', 'false', '1', '0']).transform((word) => word !== 'false' && word !== '0');

const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(LISTED_MAX).optional(),
  outcome: z.enum(OUTCOMES).optional(),
  state: z.enum(['open', 'settled']).optional(),
  undelivered: flag.optional(),
});

/** Wall milliseconds after which whoever asks has given up: nothing is changed behind their back. */
const deadlineAt = z.number().int().positive().optional();

const retryBody = z.strictObject({ deadlineAt });

const discardBody = z.strictObject({
  reason: z.string().min(1).max(REASON_CHARS_MAX).optional(),
  deadlineAt,
});

/** The store behind it; each rejects with STORE_UNAVAILABLE. */
export interface LedgerReads {
  readonly lookup: (id: string) => Promise<FoundId>;
  readonly list: (listed: Listed) => Promise<MessageList>;
  /** By our id. */
  readonly way: (messageId: string) => Promise<MessageWay | undefined>;
  /** A text that answers no message. */
  readonly notice: (id: string) => Promise<unknown>;
}

export interface LedgerApiOptions extends LedgerReads {
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly interventions: Pick<Interventions, 'retry' | 'discard'>;
}

export class LedgerApi {
  readonly #options: LedgerApiOptions;

  constructor(options: LedgerApiOptions) {
    this.#options = options;
  }

  /** The newest messages that fit. */
  list(query: URLSearchParams): Promise<ApiReply> {
    return answered(async () => {
      const parsed = listQuery.safeParse(Object.fromEntries(query));
      if (!parsed.success) return invalid(parsed.error, Object.keys(listQuery.shape));
      const { limit, outcome, state, undelivered = false } = parsed.data;
      const which = { ...(outcome ? { outcome } : {}), ...(state ? { state } : {}), undelivered };
      return { status: 200, json: await this.#options.list({ limit, ...which }) };
    });
  }

  /** One message's whole way: by our id or its platform's, by that of what worked on it or answered it, or a beginning. */
  message(id: string): Promise<ApiReply> {
    return answered(async () => {
      const thing = await this.#thing(id);
      const message = thing.is === 'message' ? thing.id : thing.message;
      const way = message === null ? undefined : await this.#options.way(message);
      if (way !== undefined) return { status: 200, json: way };
      return { status: 200, json: { notice: await this.#options.notice(thing.id) } };
    });
  }

  /** Has replies sent after all. Rejects with SENDER_GAVE_UP past its deadline. */
  retry(id: string, body: unknown): Promise<ApiReply> {
    return answered(async () => {
      const parsed = retryBody.safeParse(body);
      if (!parsed.success) return invalid(parsed.error, Object.keys(retryBody.shape));
      const thing = await this.#thing(id);
      this.#inTime(parsed.data);
      return changed('retry', await this.#options.interventions.retry(thing, LOCAL_OWNER), 202);
    });
  }

  /** Gives up a message that waits, or replies that have not arrived. Rejects with SENDER_GAVE_UP past its deadline. */
  discard(id: string, body: unknown): Promise<ApiReply> {
    return answered(async () => {
      const parsed = discardBody.safeParse(body);
      if (!parsed.success) return invalid(parsed.error, Object.keys(discardBody.shape));
      const { reason = null } = parsed.data;
      const thing = await this.#thing(id);
      this.#inTime(parsed.data);
      return changed('discard', await this.#options.interventions.discard(thing, LOCAL_OWNER, reason), 200);
    });
  }

  #inTime({ deadlineAt }: { readonly deadlineAt?: number | undefined }): void {
    if (deadlineAt === undefined || this.#options.clock.wallMs() < deadlineAt) return;
    throw new SluiceError('SENDER_GAVE_UP', 'nothing is changed: its deadline had passed');
  }

  async #thing(id: string): Promise<NamedThing> {
    return oneThing(id, await this.#options.lookup(id));
  }
}

const STATUS = { NOT_FOUND: 404, ID_AMBIGUOUS: 409, NOTHING_TO_DO: 409, STORE_UNAVAILABLE: 503 } as const;

/** The reply; what the catalogue knows of how it failed is one, too. */
async function answered(ask: () => Promise<ApiReply>): Promise<ApiReply> {
  try {
    return await ask();
  } catch (error) {
    if (!isSluiceError(error) || !Object.hasOwn(STATUS, error.code)) throw error;
    const { code, message, hint } = error;
    return { status: STATUS[code as keyof typeof STATUS], json: { error: { code, message, hint } } };
  }
}

function changed(verb: 'retry' | 'discard', done: Intervened | Nothing, status: number): ApiReply {
  if ('nothing' in done) throw new SluiceError('NOTHING_TO_DO', `nothing to ${verb}: ${done.nothing}`);
  return { status, json: done };
}
