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

/** Where the text of a stream goes: in earnest a `ServerResponse`. */
export interface EventSink {
  /** False when it has enough for now; `drained` says that it takes more. */
  write(text: string): unknown;
  end(): unknown;
}

export class EventStream {
  /** Resolves when the client has gone or the stream was ended. */
  readonly closed: Promise<void>;
  readonly #queue: string[] = [];
  readonly #close: () => void;
  #sink: EventSink | undefined;
  #full = false;
  #dropped = 0;
  #ending = false;
  #over = false;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#close = resolve;
  }

  /** Hands on what is queued and what comes, as fast as `sink` takes it. Once. */
  connect(sink: EventSink): void {
    this.#sink = sink;
    this.#flow();
  }

  /** The sink takes more. */
  drained(): void {
    this.#full = false;
    this.#flow();
  }

  /** The client has gone: what it has not read is forgotten. */
  gone(): void {
    this.#over = true;
    this.#queue.length = 0;
    this.#close();
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
    this.#flow();
  }

  #put(text: string): void {
    if (this.#over || this.#ending) return;
    this.#queue.push(text);
    if (this.#queue.length > EVENTS_BEHIND_MAX) {
      this.#queue.shift();
      this.#dropped += 1;
    }
    this.#flow();
  }

  #flow(): void {
    if (this.#sink === undefined || this.#over) return;
    while (!this.#full) {
      const next = this.#next();
      if (next === undefined) break;
      this.#full = this.#sink.write(next) === false;
    }
    if (!this.#ending || this.#queue.length > 0) return;
    this.#sink.end();
    this.gone();
  }

  #next(): string | undefined {
    if (this.#dropped > 0) {
      const count = this.#dropped;
      this.#dropped = 0;
      return `event: dropped\ndata: ${JSON.stringify({ count })}\n\n`;
    }
    return this.#queue.shift();
  }
}
