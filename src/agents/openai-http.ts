/**
 * The way to a model server: one request, one connection, over `node:http` or `node:https` directly. No connection is
 * kept, so none can be found dead when a question is sent on it; no limit of time but the one for connecting, because
 * a model may think for minutes before its first byte; an abort ends the socket at once. Nothing is tried again here.
 */
import type { ClientRequest, Agent as HttpAgent, IncomingMessage, request as send } from 'node:http';
import type { Clock } from '../clock.ts';
import { isLoopback } from '../config/units.ts';
import { readErrorBody } from './http-error-body.ts';
import type { Trouble } from './http-trouble.ts';

/** Looking up the host, connecting and TLS together. */
const CONNECTING_MS_MAX = 20_000;

/** How much of a refusal is read. */
const ERROR_BYTES_MAX = 64 * 1024;

/** When an idle connection is asked whether its other end is still there. */
const KEEP_ALIVE_MS = 30_000;

/** Thrown instead of an answer; what it means is in the table of hints. */
export class Troubled extends Error {
  readonly trouble: Trouble;

  constructor(trouble: Trouble, cause?: unknown) {
    super(trouble.kind, cause === undefined ? {} : { cause });
    this.trouble = trouble;
  }
}

export interface OpenAiHttpOptions {
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  /** For the proxy that it may name; a server on this machine is never asked through one. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

interface Ask {
  readonly path: string;
  /** Sent as JSON with POST; absent: GET. */
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

/** HTTP with or without TLS. */
type Wire = { readonly request: typeof send; readonly Agent: typeof HttpAgent };

/**
 * By `getBuiltinModule`, and TLS only where it is spoken: an ES import touches every name of the module, some of which
 * load a client and a WebSocket that nobody uses, 9 MB of memory.
 */
function wireOf({ protocol }: URL): Wire {
  return protocol === 'https:'
    ? process.getBuiltinModule('node:https')
    : process.getBuiltinModule('node:http');
}

/** One server, as one agent asks it. */
export class OpenAiHttp {
  readonly #base: URL;
  readonly #options: OpenAiHttpOptions;
  readonly #wire: Wire;
  readonly #agent: HttpAgent;

  constructor(options: OpenAiHttpOptions) {
    this.#options = options;
    this.#base = new URL(options.baseUrl);
    const host = this.#base.hostname.replaceAll(/[[\]]/g, '');
    const proxy = isLoopback(host) ? {} : { proxyEnv: options.environment };
    this.#wire = wireOf(this.#base);
    this.#agent = new this.#wire.Agent({ keepAlive: false, ...proxy });
  }

  /** The answer, once its head is there and is one of success. Throws `Troubled`; when aborted, anything. */
  async ask(ask: Ask): Promise<IncomingMessage> {
    const answer = await this.#send(ask);
    const { statusCode: status = 0, headers } = answer;
    const type = headers['content-type'] ?? '';
    if (status >= 200 && status < 300 && !/^text\/html/i.test(type)) return answer;
    const body = readErrorBody(await beginningOf(answer), type);
    throw new Troubled({ kind: 'status', status, headers, body });
  }

  #send({ path, body, signal }: Ask): Promise<IncomingMessage> {
    const { apiKey, clock } = this.#options;
    const url = new URL(this.#base);
    url.pathname = url.pathname.replace(/\/*$/, path);
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      accept: 'text/event-stream, application/json',
      'user-agent': 'sluice',
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      ...(text === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const failed = (cause: unknown): void => {
      const { code = '' } = cause as NodeJS.ErrnoException;
      reject(new Troubled({ kind: 'network', code }, cause));
    };
    try {
      const method = text === undefined ? 'GET' : 'POST';
      const request = this.#wire.request(url, { method, headers, agent: this.#agent, signal });
      limitConnecting(request, url.protocol === 'https:', clock);
      request.once('response', resolve).on('error', failed).end(text);
    } catch (cause) {
      failed(cause);
    }
    return promise;
  }
}

/** Ends a request whose connection does not come about in time, as the system itself would in minutes. */
function limitConnecting(request: ClientRequest, isTls: boolean, clock: Clock): void {
  const late = clock.timer(CONNECTING_MS_MAX, () =>
    request.destroy(Object.assign(new Error('not connected in time'), { code: 'ETIMEDOUT' })),
  );
  const over = (): void => late[Symbol.dispose]();
  request.once('close', over);
  request.once('socket', (socket) => {
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    if (socket.connecting) socket.once(isTls ? 'secureConnect' : 'connect', over);
    else over();
  });
}

/** As much of the body as tells what is wrong; what comes after is not waited for. */
async function beginningOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= ERROR_BYTES_MAX) break;
    }
  } catch {
    // A refusal that is cut is still the refusal that its status names.
  } finally {
    answer.destroy();
  }
  return Buffer.concat(chunks).toString('utf8', 0, ERROR_BYTES_MAX);
}
