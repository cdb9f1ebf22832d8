/**
 * The gateway's side of the stand-in chat server: a platform like any other, with nothing of its own to
 * decide. What the server leaves unanswered stays under way, so a test holds a state by saying nothing.
 */
import { connect, type Socket } from 'node:net';
import { z } from 'zod';
import { conversationKey } from '../../../src/messages/inbound.ts';
import type { Outbound } from '../../../src/messages/outbound.ts';
import type { Platform, PlatformContext, PlatformKind } from '../../../src/platforms/platform.ts';
import { type ChatMessage, type FromServer, listen, say } from './wire.ts';

const NAME = 'standin';

const schema = z.strictObject({ port: z.number().int().positive() });

export const standIn: PlatformKind = {
  schema,
  create: (settings) => new StandInPlatform(schema.parse(settings).port),
};

/** Why a request has no answer: it went away with the connection. */
const CUT = 'the connection is cut';

class StandInPlatform implements Platform {
  readonly name = NAME;
  readonly #port: number;
  readonly #sending = new Map<string, (problem: string | null) => void>();
  #socket: Socket | undefined;
  readonly #receivingStopped = Promise.withResolvers<void>();

  constructor(port: number) {
    this.#port = port;
  }

  start(context: PlatformContext, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect({ port: this.#port, host: '127.0.0.1' });
      this.#socket = socket;
      signal.addEventListener('abort', () => resolve(), { once: true });
      socket.on('connect', () => say(socket, { type: 'connect' }));
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#cut();
        context.link('backing-off', CUT);
        resolve();
      });
      listen<FromServer>(socket, (words) => {
        if (words.type === 'message') this.#receive(context, socket, words.message);
        else if (words.type === 'connected' || words.type === 'turned-away') {
          if (words.type === 'connected') context.link('connected');
          else context.link('backing-off', words.reason);
          resolve();
        } else this.#answered(words);
      });
    });
  }

  send({ id, conversation, text, kind }: Outbound, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = this.#socket;
      if (socket === undefined || socket.destroyed) {
        reject(new Error(CUT));
        return;
      }
      this.#sending.set(id, (problem) => (problem === null ? resolve() : reject(new Error(problem))));
      signal.addEventListener('abort', () => this.#settle(id, 'given up'), { once: true });
      say(socket, { type: 'send', id, conversation, text, kind });
    });
  }

  stopReceiving(): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) return Promise.resolve();
    say(socket, { type: 'stop-receiving' });
    return this.#receivingStopped.promise;
  }

  async stop(): Promise<void> {
    this.#socket?.destroy();
  }

  #receive(context: PlatformContext, socket: Socket, message: ChatMessage): void {
    const { id, from, text, conversation, whenBusy } = message;
    const inbound = {
      platform: NAME,
      platformMessageId: id,
      conversation: conversationKey(NAME, conversation ?? from),
      sender: `${NAME}:${from}`,
      text,
      receivedAt: Date.now(),
      ...(whenBusy === undefined ? {} : { whenBusy }),
    };
    context.receive(inbound).then(
      () => say(socket, { type: 'acknowledge', id }),
      (error: Error) => say(socket, { type: 'deliver-again', id, why: error.message }),
    );
  }

  #answered(words: Exclude<FromServer, { type: 'message' | 'connected' | 'turned-away' }>): void {
    if (words.type === 'sent') this.#settle(words.id, null);
    else if (words.type === 'not-sent') this.#settle(words.id, words.reason);
    else this.#receivingStopped.resolve();
  }

  #settle(id: string, problem: string | null): void {
    this.#sending.get(id)?.(problem);
    this.#sending.delete(id);
  }

  #cut(): void {
    for (const id of [...this.#sending.keys()]) this.#settle(id, CUT);
    this.#receivingStopped.resolve();
  }
}
