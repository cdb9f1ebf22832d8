/**
 * Server-sent events to one client. A client that reads too slowly is never waited for: past a limit events are left
 * out, those of the moment first, then the oldest, and it is told how many.
 */

/** Events that one client may be behind. */
export const EVENTS_BEHIND_MAX = 1000;

/** Bytes that one client may be behind; a single event is kept whatever its length. */
export const EVENTS_BEHIND_BYTES_MAX = 8 * 1024 * 1024;

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

/** What waits to be read. */
interface Queued {
  readonly text: string;
  readonly bytes: number;
  /** Worth nothing later: the first to be left out. */
  readonly passing: boolean;
}

export class EventStream {
  /** Resolves when the client has gone or the stream was ended. */
  readonly closed: Promise<void>;
  readonly #queue: Queued[] = [];
  #queuedBytes = 0;
  /** Of `#queue`, those that are passing. */
  #passing = 0;
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
    this.#queuedBytes = 0;
    this.#close();
  }

  send(event: string, data: unknown, id?: string): void {
    if (this.#over || this.#ending) return;
    const head = id === undefined ? '' : `id: ${id}\n`;
    this.#put(`${head}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Sends what is of the moment: a client that is too far behind misses it before anything else. */
  sendPassing(event: string, data: unknown): void {
    this.#put(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`, true);
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

  #put(text: string, passing = false): void {
    if (this.#over || this.#ending) return;
    // As nearly always: it has read all, and nothing needs to be kept or counted.
    if (this.#sink !== undefined && !this.#full && this.#queue.length === 0 && this.#dropped === 0) {
      this.#full = this.#sink.write(text) === false;
      return;
    }
    const bytes = Buffer.byteLength(text);
    this.#queue.push({ text, bytes, passing });
    this.#queuedBytes += bytes;
    if (passing) this.#passing += 1;
    while (this.#isTooFarBehind()) this.#shed();
    this.#flow();
  }

  #isTooFarBehind(): boolean {
    const { length } = this.#queue;
    return length > EVENTS_BEHIND_MAX || (length > 1 && this.#queuedBytes > EVENTS_BEHIND_BYTES_MAX);
  }

  #shed(): void {
    this.#take(this.#passing > 0 ? this.#queue.findIndex(({ passing }) => passing) : 0);
    this.#dropped += 1;
  }

  #take(index: number): string | undefined {
    const [taken] = index === 0 ? [this.#queue.shift()] : this.#queue.splice(index, 1);
    if (taken === undefined) return undefined;
    this.#queuedBytes -= taken.bytes;
    if (taken.passing) this.#passing -= 1;
    return taken.text;
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
    return this.#take(0);
  }
}
