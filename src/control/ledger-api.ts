/**
 * The ledger as the control socket and HTTP offer it, without their wire: what has become of messages, and what their
 * owner changes about that. What an id stands for is looked up in the store; what is changed is the gateway's matter.
 */
import { z } from 'zod';
import { isSluiceError, SluiceError } from '../errors.ts';
import type { Nothing } from '../gateway/intervention-plan.ts';
import type { Intervened, Interventions } from '../gateway/interventions.ts';
import { LISTED_MAX, type Listed, type MessageList } from '../gateway/message-list.ts';
import type { MessageWay } from '../gateway/message-way.ts';
import { type FoundId, type NamedThing, oneThing } from '../messages/found-id.ts';
import { LOCAL_OWNER } from '../messages/local.ts';
import { type ApiReply, invalid } from './api.ts';

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

const discardBody = z.strictObject({ reason: z.string().min(1).max(REASON_CHARS_MAX).optional() });

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

  /** Has replies sent after all. */
  retry(id: string): Promise<ApiReply> {
    return answered(async () => {
      const done = await this.#options.interventions.retry(await this.#thing(id), LOCAL_OWNER);
      return changed('retry', done, 202);
    });
  }

  /** Gives up a message that waits, or replies that have not arrived. */
  discard(id: string, body: unknown): Promise<ApiReply> {
    return answered(async () => {
      const parsed = discardBody.safeParse(body);
      if (!parsed.success) return invalid(parsed.error, Object.keys(discardBody.shape));
      const { reason = null } = parsed.data;
      const done = await this.#options.interventions.discard(await this.#thing(id), LOCAL_OWNER, reason);
      return changed('discard', done, 200);
    });
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
