/**
 * How the CLI reaches a daemon: JSON over its control socket. Imports nothing heavy: `sluice status` is to
 * answer in the time of a few bare starts of Node.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Clock } from '../clock.ts';
import { SluiceError } from '../errors.ts';

/** How long an answer may take before the daemon counts as not answering. */
export const ANSWER_MS_MAX = 5000;

/** Largest answer that is read. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

export interface ControlReply {
  readonly status: number;
  readonly json: Record<string, unknown>;
}

export interface ControlEvent {
  readonly event: string;
  /** Where a later stream can resume; undefined for an event of the moment. */
  readonly id: string | undefined;
  readonly data: Record<string, unknown>;
}

export interface StreamOptions {
  readonly onEvent: (event: ControlEvent) => void;
  /** Ends the stream; it then resolves as if the daemon had ended it. */
  readonly signal?: AbortSignal;
  /** Resumes after this event. */
  readonly lastEventId?: string | undefined;
}

/** Codes of a connection that found nobody. */
const NOBODY: readonly string[] = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'];

/** `getBuiltinModule` loads it at a third of what an ESM import costs at start. */
const http = process.getBuiltinModule('node:http');

export class ControlClient {
  readonly #socketPath: string;
  readonly #clock: Clock;
  readonly #requireAccess: () => void;

  /** `requireAccess` is called before each connection, and throws where there must be none. */
  constructor(socketPath: string, clock: Clock, requireAccess: () => void = () => {}) {
    this.#socketPath = socketPath;
    this.#clock = clock;
    this.#requireAccess = requireAccess;
  }

  /**
   * One request. Rejects with NO_GATEWAY, HOME_NO_PERMISSION where the socket is another user's, or NO_ANSWER when it takes
   * longer than `timeoutMs`.
   */
  async request(
    method: 'GET' | 'POST',
    path: string,
    body?: unknown,
    timeoutMs: number = ANSWER_MS_MAX,
  ): Promise<ControlReply> {
    const { promise, resolve, reject } = Promise.withResolvers<ControlReply>();
    const request = this.#send(method, path, body, {}, reject);
    using _ = this.#clock.timer(timeoutMs, () => {
      request.destroy();
      reject(new SluiceError('NO_ANSWER', `the gateway did not answer within ${timeoutMs / 1000} s`));
    });
    request.on('response', (response) => {
      readText(response)
        .then((text) => resolve(replyOf(response, text)))
        .catch(reject);
    });
    return await promise;
  }

  /**
   * Sends a body, or asks where there is none, and hands on the events of the answer. Resolves with undefined when the stream ended, or
   * with the reply when it was none. Rejects with NO_GATEWAY or HOME_NO_PERMISSION.
   */
  stream(path: string, body: unknown, options: StreamOptions): Promise<ControlReply | undefined> {
    const { onEvent, signal, lastEventId } = options;
    const method = body === undefined ? 'GET' : 'POST';
    const resuming = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    return new Promise((resolve, reject) => {
      const request = this.#send(method, path, body, { accept: 'text/event-stream', ...resuming }, reject);
      signal?.addEventListener('abort', () => {
        request.destroy();
        resolve(undefined);
      });
      request.on('response', (response) => {
        if (!(response.headers['content-type'] ?? '').startsWith('text/event-stream')) {
          readText(response)
            .then((text) => resolve(replyOf(response, text)))
            .catch(reject);
          return;
        }
        readEvents(response, onEvent).then(
          () => resolve(undefined),
          () => resolve(undefined),
        );
      });
    });
  }

  #send(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
    reject: (error: unknown) => void,
  ): ClientRequest {
    this.#requireAccess();
    const text = body === undefined ? undefined : JSON.stringify(body);
    const request = http.request({
      socketPath: this.#socketPath,
      method,
      path,
      agent: false,
      headers: { host: 'localhost', 'content-type': 'application/json', ...headers },
    });
    request.on('error', (cause: NodeJS.ErrnoException) => {
      reject(this.#connectionError(cause));
    });
    request.end(text);
    return request;
  }

  #connectionError(cause: NodeJS.ErrnoException): SluiceError {
    const { code = '' } = cause;
    if (NOBODY.includes(code)) return new SluiceError('NO_GATEWAY', 'no gateway is running here', { cause });
    if (code !== 'EACCES') return new SluiceError('NO_ANSWER', 'the gateway cut the connection', { cause });
    const text = `${this.#socketPath} may not be used by this user: permission denied`;
    return new SluiceError('HOME_NO_PERMISSION', text, {
      cause,
      hint: 'Ask as the user whose gateway it is, or name another home with --home or SLUICE_HOME.',
    });
  }
}

/** A gateway whose chart has ended is as good as none: it has done nothing, and the next one may be asked the same. */
function replyOf(response: IncomingMessage, text: string): ControlReply {
  const reply = { status: response.statusCode ?? 0, json: jsonOf(text) };
  const error = reply.json.error as { code?: unknown } | undefined;
  if (error?.code === 'GATEWAY_LEFT') throw new SluiceError('NO_GATEWAY', 'the gateway has left');
  if (error?.code === 'SENDER_GAVE_UP') throw new SluiceError('SENDER_GAVE_UP', 'the gateway was too late');
  return reply;
}

function jsonOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SluiceError('NO_ANSWER', 'what answers at the control socket is not a gateway', { cause });
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) throw new SluiceError('NO_ANSWER', 'the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Reads server-sent events: blocks of `event:` and `data:` lines with an empty line between. */
async function readEvents(response: IncomingMessage, onEvent: (event: ControlEvent) => void): Promise<void> {
  let rest = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const [id, event, data] = [field(block, 'id'), field(block, 'event'), field(block, 'data')];
      if (event !== undefined && data !== undefined) onEvent({ event, id, data: JSON.parse(data) });
    }
  }
}

/** Only a line feed ends a line: JSON leaves the line separators of Unicode as they are. */
function field(block: string, name: 'id' | 'event' | 'data'): string | undefined {
  return new RegExp(`^${name}: ([^\\n]*)`, 'm').exec(block)?.[1];
}
