/**
 * The live statechart as server-sent events: the chart itself, the state, each event with what was decided, and
 * each edge it took. Texts of messages are never in it.
 */
import { catalog, definitionOf } from '../../machines/catalog.ts';
import { type Exit, meaningOf } from '../../machines/exit.ts';
import type { Clock } from '../clock.ts';
import type { ChartStep } from '../gateway/chart-watch.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { EventStream } from './event-stream.ts';

/** Counters are sent at most this often; a change of state at once. */
const COUNTERS_MS = 250;

/** When a client that was told "gone" should try again. */
const RETRY_MS = 500;

export class Inspector {
  readonly #gateway: Gateway;
  readonly #clock: Clock;
  readonly #streams = new Set<EventStream>();
  #number = 0;
  #watch: Disposable | undefined;
  #counters: Disposable | undefined;

  constructor(gateway: Gateway, clock: Clock) {
    this.#gateway = gateway;
    this.#clock = clock;
    gateway.onChange(() => this.#changed());
  }

  get clients(): number {
    return this.#streams.size;
  }

  /** A new client: it gets the chart and a snapshot first, then what happens. */
  open(): EventStream {
    const stream = new EventStream();
    this.#streams.add(stream);
    this.#watch ??= this.#gateway.lifecycle.watch((step) => this.#step(step));
    // Some 12 KB of JSON: what the events after it speak of.
    stream.send('definition', { actor: 'gateway', ...definitionOf(catalog.gateway) });
    stream.send('snapshot', this.#snapshot(), this.#id());
    void stream.closed.then(() => this.#closed(stream));
    return stream;
  }

  #changed(): void {
    if (this.#streams.size === 0 || this.#counters !== undefined) return;
    this.#counters = this.#clock.timer(COUNTERS_MS, () => {
      this.#counters = undefined;
      this.#sendSnapshot();
    });
  }

  /** Tells every client how the gateway leaves, and ends its stream. */
  gone(exit: Exit): void {
    const { code, reexecute, cause } = exit;
    for (const stream of this.#streams) {
      stream.send('gone', { code, reexecute, meaning: meaningOf(exit), cause });
      stream.end(RETRY_MS);
    }
    this.#counters?.[Symbol.dispose]();
  }

  #step(step: ChartStep): void {
    const { number, at, event, edges, state, admission, verdict } = step;
    this.#number = number;
    const actor = 'gateway';
    const id = this.#id();
    for (const stream of this.#streams) {
      stream.send('event', { actor, at, number, event, admission, verdict }, id);
      for (const transition of edges) stream.send('edge', { actor, at, number, transition, state }, id);
    }
    if (edges.length > 0) this.#sendSnapshot();
  }

  #sendSnapshot(): void {
    const snapshot = this.#snapshot();
    for (const stream of this.#streams) stream.send('snapshot', snapshot, this.#id());
  }

  #snapshot() {
    const { status } = this.#gateway;
    return {
      actor: 'gateway',
      at: this.#clock.wallMs(),
      epoch: status.epoch,
      number: this.#number,
      state: status.state,
      status,
    };
  }

  #id(): string {
    return `${this.#gateway.lifecycle.epoch}.${this.#number}`;
  }

  #closed(stream: EventStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
  }
}
