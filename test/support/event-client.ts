/** A client of the gateway's server-sent events that a test reads event by event. */
import { type IncomingMessage, request } from 'node:http';
import type { HttpWhere } from './gateway.ts';
import { PATIENCE_MS } from './polling.ts';

export interface ServerEvent {
  readonly event: string;
  readonly id: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads of an event is what it asserts on.
  readonly data: any;
}

export class EventClient implements Disposable {
  readonly status: number;
  /** Everything that came, as it came. */
  text = '';
  readonly events: ServerEvent[] = [];
  /** Resolves when the gateway has ended the stream. */
  readonly ended: Promise<void>;
  readonly #response: IncomingMessage;
  readonly #waiting = new Set<() => void>();
  #over = false;

  private constructor(response: IncomingMessage) {
    this.#response = response;
    this.status = response.statusCode ?? 0;
    let rest = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      this.text += chunk;
      const blocks = (rest + chunk).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) this.#take(block);
      this.#wake();
    });
    this.ended = new Promise((resolve) => {
      response.once('close', () => {
        this.#over = true;
        this.#wake();
        resolve();
      });
      response.once('error', () => {});
    });
  }

  /** Resolves with the answer's head. A body makes it a POST. */
  static open(where: HttpWhere, path: string, body?: unknown): Promise<EventClient> {
    return new Promise((resolve, reject) => {
      const sent = request({
        ...where,
        path,
        method: body === undefined ? 'GET' : 'POST',
        agent: false,
        headers: { accept: 'text/event-stream', 'content-type': 'application/json', ...where.headers },
      });
      sent.once('error', reject);
      sent.once('response', (response) => resolve(new EventClient(response)));
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Waits for an event; those that have come already count. Rejects when the stream ends without it. */
  async next(matches: (event: ServerEvent) => boolean): Promise<ServerEvent> {
    const limit = AbortSignal.timeout(PATIENCE_MS);
    const wake = () => this.#wake();
    limit.addEventListener('abort', wake);
    for (;;) {
      const found = this.events.find(matches);
      if (found !== undefined) {
        limit.removeEventListener('abort', wake);
        return found;
      }
      if (this.#over) throw new Error(`the stream ended without it: ${this.text.slice(-2000)}`);
      if (limit.aborted) throw new Error(`waited in vain for ${matches}: ${this.text.slice(-2000)}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Reads nothing more until `resume`: a client that is stuck. */
  pause(): void {
    this.#response.pause();
  }

  resume(): void {
    this.#response.resume();
  }

  /** Cuts the connection. */
  [Symbol.dispose](): void {
    this.#response.destroy();
  }

  #take(block: string): void {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
    const event = field('event');
    if (event !== undefined)
      this.events.push({ event, id: field('id'), data: JSON.parse(field('data') ?? 'null') });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
    this.#waiting.clear();
  }
}
