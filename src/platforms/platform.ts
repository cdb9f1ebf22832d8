/**
 * Where people write, as the gateway sees it. A platform normalises what comes in, acknowledges it to its
 * server only after `receive` has resolved (by then it is on disk), and sends what goes out.
 */
import type { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Inbound } from '../messages/inbound.ts';
import type { Outbound } from '../messages/outbound.ts';

/**
 * Why a message did not leave, or may have:
 * - `not-sent`: it certainly did not; tried again with backoff. Any other error than this class counts as this, unless
 *   the sending had been aborted.
 * - `unknown`: the link was cut, or the sending aborted, before the answer; nobody knows.
 * - `wait`: the platform names a wait (`retryAfterMs`), for this conversation alone.
 * - `format`: its formatting was rejected; sent once more as plain text.
 * - `gone`: blocked, or there is no such conversation any more; never tried again.
 */
export type SendTrouble = 'not-sent' | 'unknown' | 'wait' | 'format' | 'gone';

export class SendFailure extends Error {
  readonly trouble: SendTrouble;
  /** Milliseconds the platform wants to be left alone; for `wait`. */
  readonly retryAfterMs: number | undefined;

  constructor(
    trouble: SendTrouble,
    message: string,
    options: { retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'SendFailure';
    this.trouble = trouble;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/**
 * Why there is no link:
 * - `unreachable`: tried again, after a wait that grows. Any other error than this class counts as this.
 * - `auth`: the platform knows who asks and refuses; not tried again until a person has changed something.
 *
 * The message is a line for people: it is logged and stands in the status, so no secret may be in it.
 */
export type LinkTrouble = 'unreachable' | 'auth';

/** A link that did not come about, or is gone. */
export class LinkFailure extends Error {
  readonly trouble: LinkTrouble;

  constructor(trouble: LinkTrouble, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'LinkFailure';
    this.trouble = trouble;
  }
}

/** What the platform says of a message that arrived. */
export interface SentReceipt {
  /** What it calls the message. */
  readonly platformSentId?: string;
}

/** What a platform can do besides sending one short text after the other. */
export interface PlatformCapabilities {
  /** The longest text of one message, in UTF-16 code units; absent: any. Longer ones are sent in parts. */
  readonly textCharsMax?: number;
  /** Its server knows a message by our id: to send it again is harmless. */
  readonly sendsOnce?: boolean;
  /** How many messages a minute it lets one conversation have; absent: as many as the gateway sends by itself. */
  readonly messagesPerMinute?: number;
}

/** The gateway's side of one attempt to connect, and of the link that it makes. */
export interface PlatformContext {
  /**
   * Hands a message in; resolves when it may be acknowledged, rejects when the platform should deliver it again. Already
   * during the attempt: then it can send, too, for what comes in is answered.
   */
  receive(inbound: Inbound): Promise<void>;
  /**
   * The link that `start` made is gone, for this reason (a `LinkFailure`, where it is known): there is nothing to send
   * through until `start`, which the gateway calls by itself, has made another. To say it twice, or late, does no harm.
   */
  lost(error: Error): void;
}

export interface Platform {
  readonly name: string;
  /** Absent: nothing but plain sending. */
  readonly capabilities?: PlatformCapabilities;
  /**
   * Makes one attempt to connect: resolves when messages can come and go, rejects with a `LinkFailure` that says why
   * not, also when `signal` aborts; then it leaves nothing open. It waits and tries again by nothing of its own: when,
   * the gateway decides, and calls it again, never while there is a link or an attempt that it has not aborted.
   */
  start(context: PlatformContext, signal: AbortSignal): Promise<void>;
  /**
   * Sends one message; rejects with a `SendFailure` that says whether it left, at once when there is nothing to send it
   * through. Called only while there is a link, or an attempt through which a message was handed in.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a platform that has nothing to say of it returns nothing.
  send(outbound: Outbound, signal: AbortSignal): Promise<SentReceipt | void>;
  /**
   * Asks the platform whether a message arrived whose sending was cut; absent: it cannot be asked. `unknown`: the
   * platform does not know either. Rejects when the question did not get through; then it is asked again.
   */
  reconcile?(outbound: Outbound, signal: AbortSignal): Promise<'delivered' | 'absent' | 'unknown'>;
  /** Shows that an answer is on its way, or no longer; cosmetic: shed first, never retried. */
  typing?(conversation: string, on: boolean, signal: AbortSignal): Promise<void>;
  /**
   * Takes nothing more in; resolves when what was being received is handed over, or can come no more because the link is
   * gone. Sending goes on. No attempt begins afterwards; one that is under way takes nothing in, either.
   */
  stopReceiving(): Promise<void>;
  /** Disconnects. Idempotent. */
  stop(): Promise<void>;
}

/** A kind of platform that a configuration can name: the schema of its keys, and how it is made of them. */
export interface PlatformKind {
  readonly schema: z.ZodType;
  /** `settings` is what the schema made of the file's keys. */
  create(settings: unknown, clock: Clock): Platform;
}
