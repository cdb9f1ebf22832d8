/**
 * What a chart asked for, carried out after the event that asked for it: an action of a chart only enqueues here, so
 * that no effect can disturb a transition, and what an effect sends to its chart is a step of its own.
 */
export class ChartEffects {
  readonly #tasks: (() => void)[] = [];
  readonly #failed: (error: unknown) => void;
  #running = false;

  /** `failed` is told of an effect that throws, which is a defect; the next ones are carried out all the same. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Carries `task` out with the next `run`, after those that were asked for before. */
  later(task: () => void): void {
    this.#tasks.push(task);
  }

  /** Carries out all there is, and what is asked for meanwhile; one that is called from within an effect returns at once. */
  run(): void {
    if (this.#running) return;
    this.#running = true;
    for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) {
      try {
        task();
      } catch (error) {
        this.#failed(error);
      }
    }
    this.#running = false;
  }
}
