/** One request over either face, and the answer to it as JSON. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiReply } from './api-reply.ts';

/** One request with its answer, its address taken apart. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** It came over the control socket, so from the owner. */
  readonly overSocket: boolean;
}

/**
 * What stands in the configuration file is told to its owner: its text, lines that are wrong, the values of changed keys.
 * Of all that the gateway writes and sends only the control socket has it, whose mode lets nobody else in. Its log,
 * status.json, HTTP and chats say which key and what is wrong with it.
 */
export const mayReadFile = ({ overSocket }: Pick<Exchange, 'overSocket'>): boolean => overSocket;

/** Writes a reply as one JSON document. */
export function answer({ request, response }: Pick<Exchange, 'request' | 'response'>, reply: ApiReply): void {
  const bytes = Buffer.from(JSON.stringify(reply.json));
  response.writeHead(reply.status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    // What is still to come of an unread body would be taken for the next request.
    ...(request.complete ? {} : { connection: 'close' }),
  });
  response.end(bytes);
}
