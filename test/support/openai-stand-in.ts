/**
 * Stands in for a model server: speaks the wire format of an OpenAI-compatible API over a real socket, and says what
 * the test says, when it says so. It can also do what real ones do wrong: cut a stream, stall, send what is no JSON,
 * refuse with each provider's own shape of error, answer with a page, close before it answers.
 *
 * Bodies and headers of refusals are as the providers send them, shortened.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly { role: string; content: string }[];
  readonly stream: boolean;
  readonly stream_options?: unknown;
}

/** One request that has come in, and the hand that answers it. */
export class Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: ChatRequest;
  /** Resolves when the other side has gone, or the answer is complete. */
  readonly closed: Promise<void>;

  constructor(request: IncomingMessage, response: ServerResponse, body: ChatRequest) {
    this.request = request;
    this.response = response;
    this.body = body;
    this.closed = new Promise((resolve) => response.once('close', resolve));
  }

  get question(): string {
    return this.body.messages.at(-1)?.content ?? '';
  }

  /** Begins a stream; needed only where nothing else is said yet. */
  begin(): this {
    if (this.response.headersSent) return this;
    this.response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    this.response.flushHeaders();
    return this;
  }

  /** Bytes of a stream, as they are. */
  raw(text: string | Uint8Array): this {
    this.begin();
    this.response.write(text);
    return this;
  }

  event(chunk: unknown): this {
    return this.raw(`data: ${JSON.stringify(chunk)}\n\n`);
  }

  say(...texts: readonly string[]): this {
    for (const content of texts) this.event(chunkOf({ delta: { content } }));
    return this;
  }

  /** Says why it ends, without ending. */
  finish(reason = 'stop'): this {
    return this.event(chunkOf({ delta: {}, finish_reason: reason }));
  }

  usage(prompt: number, completion: number, cached?: number): this {
    return this.event({
      ...chunkOf(),
      choices: [],
      usage: {
        prompt_tokens: prompt,
        completion_tokens: completion,
        total_tokens: prompt + completion,
        ...(cached === undefined ? {} : { prompt_tokens_details: { cached_tokens: cached } }),
      },
    });
  }

  /** The whole end of a good stream. */
  end(): void {
    this.finish();
    this.raw('data: [DONE]\n\n').response.end();
  }

  /** Ends the connection in the middle. */
  cut(): void {
    this.response.socket?.destroy();
  }

  refuse(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
    const isText = typeof body === 'string';
    this.response.writeHead(status, {
      'content-type': isText ? 'text/html' : 'application/json',
      ...headers,
    });
    this.response.end(isText ? body : JSON.stringify(body));
  }
}

const chunkOf = (choice?: Readonly<Record<string, unknown>>): Record<string, unknown> => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1_700_000_000,
  model: 'stand-in',
  choices: choice === undefined ? [] : [{ index: 0, logprobs: null, finish_reason: null, ...choice }],
});

export class OpenAiStandIn implements AsyncDisposable {
  /** Answers a question; the default says it back. */
  answer: (asked: Asked) => void = (asked) => {
    asked.say('you said: ', asked.question).end();
  };
  /** Answers the list of models. */
  models: (response: ServerResponse) => void = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ object: 'list', data: [{ id: 'stand-in', object: 'model' }] }));
  };
  /** Every question, in order of arrival. */
  readonly asked: Asked[] = [];
  /** Requests of any kind, as `METHOD PATH`. */
  readonly requests: string[] = [];
  readonly #server;
  readonly #isTls: boolean;
  readonly #sockets = new Set<Socket>();
  readonly #waiting = new Set<() => void>();

  private constructor(tls?: { readonly key: string; readonly cert: string }) {
    this.#isTls = tls !== undefined;
    const listener: RequestListener = (request, response) => {
      this.#take(request, response).catch((error: unknown) => response.destroy(error as Error));
    };
    this.#server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        this.#wake();
      });
    });
  }

  static async start(tls?: { readonly key: string; readonly cert: string }): Promise<OpenAiStandIn> {
    const standIn = new OpenAiStandIn(tls);
    standIn.#server.listen(0, '127.0.0.1');
    await once(standIn.#server, 'listening');
    return standIn;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get baseUrl(): string {
    return `${this.#isTls ? 'https' : 'http'}://127.0.0.1:${this.port}/v1`;
  }

  /** The question with this number, from 0, once it has come. */
  async question(number: number): Promise<Asked> {
    for (;;) {
      const asked = this.asked[number];
      if (asked !== undefined) return asked;
      await this.#change();
    }
  }

  /** Resolves when nobody is connected any more. */
  async quiet(): Promise<void> {
    while (this.#sockets.size > 0) await this.#change();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(`${request.method} ${request.url}`);
    const chunks = await request.toArray();
    if (request.url?.endsWith('/v1/models')) return this.models(response);
    const asked = new Asked(request, response, JSON.parse(Buffer.concat(chunks).toString()));
    this.asked.push(asked);
    this.#wake();
    this.answer(asked);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}
