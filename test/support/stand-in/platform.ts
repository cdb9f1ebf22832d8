/**
 * The gateway's side of the stand-in chat server: a platform like any other, with nothing of its own to
 * decide. What the server leaves unanswered stays under way, so a test holds a state by saying nothing.
 */
import { connect, type Socket } from 'node:net';
import { z } from 'zod';
import { conversationKey } from '../../../src/messages/inbound.ts';
import type { Outbound } from '../../../src/messages/outbound.ts';
import {
  LinkFailure,
  type Platform,
  type PlatformCapabilities,
  type PlatformContext,
  type PlatformKind,
  SendFailure,
  type SentReceipt,
} from '../../../src/platforms/platform.ts';
import { type ChatMessage, type Found, type FromServer, listen, say } from './wire.ts';

const NAME = 'standin';

const schema = z.strictObject({
  port: z.number().int().positive(),
  token: z.string().optional(),
  /** What its server can do; see `StandInServer.can`. */
  sends_once: z.boolean().optional(),
  reconcile: z.boolean().optional(),
  text_chars_max: z.number().optional(),
  messages_per_minute: z.number().optional(),
});

type Settings = z.output<typeof schema>;

export const standIn: PlatformKind = {
  schema,
  create: (settings) => new StandInPlatform(schema.parse(settings)),
};

/** Why a request has no answer: it went away with the connection. */
const CUT = 'the connection is cut';

class StandInPlatform implements Platform {
  readonly name = NAME;
  readonly #settings: Settings;
  readonly capabilities: PlatformCapabilities;
  readonly reconcile?: NonNullable<Platform['reconcile']>;
  readonly #sending = new Map<string, Asked<SentReceipt>>();
  readonly #reconciling = new Map<string, Asked<Found>>();
  #socket: Socket | undefined;
  #receivingStopped = Promise.withResolvers<void>();

  constructor(settings: Settings) {
    this.#settings = settings;
    this.capabilities = capabilitiesOf(settings);
    if (settings.reconcile) this.reconcile = (outbound, signal) => this.#reconcile(outbound, signal);
  }

  start(context: PlatformContext, signal: AbortSignal): Promise<void> {
    const { port, token } = this.#settings;
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' });
      this.#socket = socket;
      this.#receivingStopped = Promise.withResolvers();
      let isLinked = false;
      const fail = (reason: string, isRefused = false): void => {
        reject(new LinkFailure(isRefused ? 'auth' : 'unreachable', reason));
        socket.destroy();
      };
      signal.addEventListener('abort', () => isLinked || fail('given up'), { once: true });
      socket.on('connect', () => say(socket, { type: 'connect', ...(token === undefined ? {} : { token }) }));
      socket.on('error', (error) => isLinked || fail(error.message));
      socket.on('close', () => {
        this.#cut();
        if (isLinked) context.lost(new LinkFailure('unreachable', CUT));
        else fail(CUT);
      });
      listen<FromServer>(socket, (words) => {
        if (words.type === 'message') this.#receive(context, socket, words.message);
        else if (words.type === 'turned-away') fail(words.reason, words.isRefused);
        else if (words.type === 'connected') {
          isLinked = true;
          resolve();
        } else this.#answered(words);
      });
    });
  }

  async send({ id, conversation, text, kind, plain }: Outbound, signal: AbortSignal): Promise<SentReceipt> {
    const socket = this.#open();
    const asked = this.#ask(this.#sending, id, signal);
    say(socket, { type: 'send', id, conversation, text, kind, ...(plain ? { plain } : {}) });
    return await asked;
  }

  async typing(conversation: string, on: boolean): Promise<void> {
    say(this.#open(), { type: 'typing', conversation, on });
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
    switch (words.type) {
      case 'sent':
        this.#sending.get(words.id)?.resolve({ platformSentId: words.platformSentId });
        break;
      case 'not-sent': {
        const { id, trouble, reason, retryAfterMs } = words;
        const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
        this.#sending.get(id)?.reject(new SendFailure(trouble, reason, wait));
        break;
      }
      case 'reconciled':
        this.#reconciling.get(words.id)?.resolve(words.found);
        break;
      case 'receiving-stopped':
        this.#receivingStopped.resolve();
    }
  }

  async #reconcile({ id }: Outbound, signal: AbortSignal): Promise<Found> {
    const socket = this.#open();
    const asked = this.#ask(this.#reconciling, id, signal);
    say(socket, { type: 'reconcile', id });
    return await asked;
  }

  /** Throws where there is nothing to send through. */
  #open(): Socket {
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) throw new SendFailure('not-sent', CUT);
    return socket;
  }

  /** Resolves with what the server answers. Nobody knows what became of what it does not answer. */
  #ask<Answer>(of: Map<string, Asked<Answer>>, id: string, signal: AbortSignal): Promise<Answer> {
    const asked = Promise.withResolvers<Answer>();
    of.set(id, asked);
    signal.addEventListener('abort', () => asked.reject(new SendFailure('unknown', 'given up')), {
      once: true,
    });
    return asked.promise.finally(() => {
      if (of.get(id) === asked) of.delete(id);
    });
  }

  #cut(): void {
    for (const asked of [...this.#sending.values(), ...this.#reconciling.values()]) {
      asked.reject(new SendFailure('unknown', CUT));
    }
    this.#receivingStopped.resolve();
  }
}

type Asked<Answer> = PromiseWithResolvers<Answer>;

function capabilitiesOf(settings: Settings): PlatformCapabilities {
  const { sends_once, text_chars_max, messages_per_minute } = settings;
  return {
    ...(sends_once === undefined ? {} : { sendsOnce: sends_once }),
    ...(text_chars_max === undefined ? {} : { textCharsMax: text_chars_max }),
    ...(messages_per_minute === undefined ? {} : { messagesPerMinute: messages_per_minute }),
  };
}
