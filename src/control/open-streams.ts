/** The streams of events that clients hear: each begun on its response, kept alive, and ended with the gateway. */
import type { Clock } from '../clock.ts';
import { type EventStream, KEEP_ALIVE_MS } from './event-stream.ts';
import type { Exchange } from './exchange.ts';

/** All that are open, of both faces. */
export class OpenStreams {
  readonly #clock: Clock;
  readonly #streams = new Set<EventStream>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Answers with the events of `stream`, what it holds already first. */
  begin({ response }: Pick<Exchange, 'response'>, stream: EventStream): void {
    this.#streams.add(stream);
    const keepAlive = this.#clock.every(KEEP_ALIVE_MS, () => stream.keepAlive());
    void stream.closed.then(() => {
      keepAlive[Symbol.dispose]();
      this.#streams.delete(stream);
    });
    response.on('drain', () => stream.drained());
    response.on('close', () => stream.gone());
    // Its connection ends with it: nobody would use it again, and a gateway that leaves would wait for it.
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      connection: 'close',
    });
    stream.connect(response);
    // It may have left while its message was decided: its close will not come again.
    if (response.destroyed) stream.gone();
    else response.flushHeaders();
  }

  /** Ends every stream once what it holds has been read. */
  end(): void {
    for (const stream of this.#streams) stream.end();
  }
}
