/**
 * Server-sent events to one client. A client that reads too slowly is never waited for: past the limit its
 * oldest events are left out, and it is told how many.
 */

/** Events that one client may be behind. */
export const EVENTS_BEHIND_MAX = 1000;

/** Clients of event streams at the same time. */
export const EVENT_STREAMS_MAX = 32;

/** A comment that keeps idle connections from being cut on the way. */
export const KEEP_ALIVE_MS = 15_000;

export class EventStream {
  readonly body: ReadableStream<Uint8Array>;
  /** Resolves when the client has gone or the stream was ended. */
  readonly closed: Promise<void>;
  readonly #encoder = new TextEncoder();
  readonly #queue: string[] = [];
  readonly #close: () => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #dropped = 0;
  #ending = false;
  #over = false;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#close = resolve;
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: () => this.#finish(),
    });
  }

  send(event: string, data: unknown, id?: string): void {
    if (this.#over || this.#ending) return;
    const head = id === undefined ? '' : `id: ${id}\n`;
    this.#put(`${head}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  keepAlive(): void {
    if (this.#queue.length === 0) this.#put(': \n\n');
  }

  /** Ends the stream once what is queued has been read; `retryMs` says when to come back. */
  end(retryMs?: number): void {
    if (this.#over || this.#ending) return;
    if (retryMs !== undefined) this.#put(`retry: ${retryMs}\n\n`);
    this.#ending = true;
    this.#pull();
  }

  #put(text: string): void {
    if (this.#over) return;
    this.#queue.push(text);
    if (this.#queue.length > EVENTS_BEHIND_MAX) {
      this.#queue.shift();
      this.#dropped += 1;
    }
    this.#pull();
  }

  #pull(): void {
    const controller = this.#controller;
    while (!this.#over && controller !== undefined && (controller.desiredSize ?? 0) > 0) {
      const next = this.#next();
      if (next === undefined) break;
      controller.enqueue(this.#encoder.encode(next));
    }
    if (this.#ending && this.#queue.length === 0 && !this.#over) {
      controller?.close();
      this.#finish();
    }
  }

  #next(): string | undefined {
    if (this.#dropped > 0) {
      const count = this.#dropped;
      this.#dropped = 0;
      return `event: dropped\ndata: ${JSON.stringify({ count })}\n\n`;
    }
    return this.#queue.shift();
  }

  #finish(): void {
    this.#over = true;
    this.#queue.length = 0;
    this.#close();
  }
}
