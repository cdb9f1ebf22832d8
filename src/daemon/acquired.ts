/**
 * What a run has acquired, undone in reverse. Each piece has a name, so that a log can say what failed or what held
 * the process up. One that fails is logged and skips no other: by then the exit is decided, and it stands.
 */
import type { Exit } from '../../machines/exit.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../telemetry/log.ts';

/**
 * How long the process may take from the chart's end to its own. The chart's deadlines are over by then; what is left
 * are files to write and to close, so whatever takes longer hangs.
 */
export const LEAVING_MS_MAX = 5_000;

export interface AcquiredOptions {
  readonly clock: Pick<Clock, 'timer'>;
  readonly log: Pick<Log, 'error' | 'fatal'>;
  /** Ends the process at once. */
  readonly leaveNow: (code: number) => void;
  /** What keeps the event loop busy, by kind. */
  readonly activeResources: () => readonly string[];
}

export class Acquired implements AsyncDisposable {
  readonly #options: AcquiredOptions;
  readonly #stack = new AsyncDisposableStack();
  #limit: Disposable | undefined;
  #step = 'the start';

  constructor(options: AcquiredOptions) {
    this.#options = options;
  }

  /** Has `undo` called at the end, before what was deferred earlier. `name` completes "could not end …". */
  defer(name: string, undo: () => unknown): void {
    this.#stack.defer(() => this.step(name, undo));
  }

  /** Does one step of leaving. Never rejects. */
  async step(name: string, run: () => unknown): Promise<void> {
    this.#step = name;
    try {
      await run();
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, `could not end ${name}`);
    }
  }

  /** From now on everything must be undone within LEAVING_MS_MAX; else the process leaves with this exit's code. */
  limit({ code }: Exit): void {
    const { clock, log, leaveNow, activeResources } = this.#options;
    this.#limit = clock.timer(LEAVING_MS_MAX, () => {
      const facts = { code, held: this.#step, active: [...new Set(activeResources())] };
      log.fatal(facts, `left without waiting any longer for ${this.#step}`);
      leaveNow(code);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
    this.#limit?.[Symbol.dispose]();
  }
}
