/**
 * What the stand-in chat server and the gateway's adapter for it say to each other: one JSON document a line,
 * over TCP on loopback. Whatever the gateway asks is answered by the server, now or when a test lets it.
 */
import type { Socket } from 'node:net';
import type { SendTrouble } from '../../../src/platforms/platform.ts';

/** What is known of a message by its id. */
export type Found = 'delivered' | 'absent' | 'unknown';

/** From the gateway. */
export type FromGateway =
  | { readonly type: 'connect'; readonly token?: string }
  | {
      readonly type: 'send';
      readonly id: string;
      readonly conversation: string;
      readonly text: string;
      readonly kind: string;
      readonly plain?: true;
    }
  /** Whether what was sent under this id has arrived. */
  | { readonly type: 'reconcile'; readonly id: string }
  | { readonly type: 'typing'; readonly conversation: string; readonly on: boolean }
  | { readonly type: 'acknowledge'; readonly id: string }
  | { readonly type: 'deliver-again'; readonly id: string; readonly why: string }
  | { readonly type: 'stop-receiving' };

/** From the server. */
export type FromServer =
  | { readonly type: 'connected' }
  | { readonly type: 'turned-away'; readonly reason: string; readonly isRefused: boolean }
  | { readonly type: 'message'; readonly message: ChatMessage }
  | { readonly type: 'sent'; readonly id: string; readonly platformSentId: string }
  | {
      readonly type: 'not-sent';
      readonly id: string;
      readonly reason: string;
      readonly trouble: SendTrouble;
      readonly retryAfterMs?: number;
    }
  | { readonly type: 'reconciled'; readonly id: string; readonly found: Found }
  | { readonly type: 'receiving-stopped' };

/** What a person wrote. */
export interface ChatMessage {
  /** The server's own id of the message: the same when it is delivered again. */
  readonly id: string;
  /** Who wrote it, without the platform's name. */
  readonly from: string;
  readonly text: string;
  /** Where; absent: in private, in a conversation named as the person. */
  readonly conversation?: string;
  readonly whenBusy?: 'interrupt' | 'queue' | 'steer';
}

export const say = (socket: Socket, words: FromGateway | FromServer): void => {
  if (!socket.destroyed) socket.write(`${JSON.stringify(words)}\n`);
};

/** Calls `hear` with each document that comes in. */
export function listen<Words>(socket: Socket, hear: (words: Words) => void): void {
  let rest = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) hear(JSON.parse(line) as Words);
  });
}
