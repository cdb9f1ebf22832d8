/**
 * What the live page and other watchers see of the chart: each event with what was decided, and each edge it
 * took, in order. Inspects the actor only while somebody watches; a watcher that throws is dropped, never felt by the
 * chart (an `inspect` callback that throws would lose the event).
 */
import type { InspectionEvent, Subscription } from 'xstate';
import { transitionIdOf } from '../../machines/catalog.ts';
import type { Admission, LifecycleEvent, Verdict } from '../../machines/events.ts';

export interface ChartStep {
  readonly number: number;
  /** Wall milliseconds. */
  readonly at: number;
  readonly event: LifecycleEvent;
  readonly edges: readonly string[];
  /** The state after the step. */
  readonly state: string;
  readonly admission: Admission | undefined;
  readonly verdict: Verdict | undefined;
}

export type ChartListener = (step: ChartStep) => void;

export class ChartWatch {
  readonly #listeners = new Set<ChartListener>();
  readonly #inspectActor: (inspect: (event: InspectionEvent) => void) => Subscription;
  readonly #failed: (error: unknown) => void;
  #inspection: Subscription | undefined;
  #step: { number: number; at: number; event: LifecycleEvent; edges: string[] } | undefined;

  /** `failed` hears of what a watcher threw, and of an edge that has no name. */
  constructor(
    inspectActor: (inspect: (event: InspectionEvent) => void) => Subscription,
    failed: (error: unknown) => void,
  ) {
    this.#inspectActor = inspectActor;
    this.#failed = failed;
  }

  add(listener: ChartListener): Disposable {
    this.#listeners.add(listener);
    this.#inspection ??= this.#inspectActor((event) => this.#inspect(event));
    return { [Symbol.dispose]: () => this.#remove(listener) };
  }

  begin(number: number, at: number, event: LifecycleEvent): void {
    this.#step = this.#listeners.size === 0 ? undefined : { number, at, event, edges: [] };
  }

  #inspect(event: InspectionEvent): void {
    if (this.#step === undefined || event.type !== '@xstate.microstep') return;
    try {
      for (const transition of event._transitions) this.#step.edges.push(transitionIdOf(transition));
    } catch (error) {
      // An edge that cannot be named is not drawn; the state after the step still is.
      this.#failed(error);
    }
  }

  end(result: Pick<ChartStep, 'state' | 'admission' | 'verdict'>): void {
    if (this.#step === undefined) return;
    const step = { ...this.#step, ...result };
    this.#step = undefined;
    for (const listener of this.#listeners) {
      try {
        listener(step);
      } catch (error) {
        this.#remove(listener);
        this.#failed(error);
      }
    }
  }

  #remove(listener: ChartListener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#inspection?.unsubscribe();
    this.#inspection = undefined;
  }
}
