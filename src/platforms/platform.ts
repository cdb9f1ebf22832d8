/**
 * Where people write, as the gateway sees it. A platform normalises what comes in, acknowledges it to its
 * server only after `receive` has resolved (by then it is on disk), and sends what goes out.
 */
import type { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Inbound } from '../messages/inbound.ts';
import type { Outbound } from '../messages/outbound.ts';
import type { LinkState } from './link-state.ts';

export type { LinkState };

export interface PlatformContext {
  /** Hands a message in; resolves when it may be acknowledged, rejects when the platform should deliver it again. */
  receive(inbound: Inbound): Promise<void>;
  /** Says that the link changed. */
  link(state: LinkState, reason?: string): void;
}

export interface Platform {
  readonly name: string;
  /**
   * Connects; resolves when the first attempt has ended, whatever its end, or when `signal` aborts. A message that is
   * handed in earlier, or a link that is said to be connected, shows that it can send, too.
   */
  start(context: PlatformContext, signal: AbortSignal): Promise<void>;
  /**
   * Sends one message; rejects when it did not leave, at once when there is nothing to send it through, and then it is
   * tried again. Never called before `start` has shown that it can send.
   */
  send(outbound: Outbound, signal: AbortSignal): Promise<void>;
  /** Takes nothing more in; resolves when what was being received is handed over. Sending goes on. */
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
