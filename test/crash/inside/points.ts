/**
 * The instrumented points: the moments at which a gateway under test kills itself when it is told to. `before` a commit
 * is when its unit is handed to the store, `after` when it is on disk and whoever waits for it does not know yet.
 */
import { LEAF_STATES } from '../../support/lifecycle-oracle.ts';
import { COMMITS } from './commit-names.ts';
import type { Trace } from './trace.ts';

export const POINTS: readonly string[] = [
  ...COMMITS.flatMap((name) => [`before commit ${name}`, `after commit ${name}`]),
  // The point is the step that enters the state.
  ...LEAF_STATES.map((state) => `entering ${state}`),
  // `found`: what is open was read; the rest of the recovery is its commit.
  ...['before life-begin', 'after life-begin', 'before recovery', 'recovery found'],
  ...['before connect', 'after connect'],
  ...['before acknowledge', 'after acknowledge'],
  // `under way`: the server has it, the gateway no answer.
  ...['before send', 'send under way', 'after send'],
  ...['before reconcile', 'after reconcile'],
  ...['before stop-receiving', 'after stop-receiving', 'before platform-stop'],
  ...['before store-close', 'after store-close'],
];

/** Counts how often a process comes to its points, and kills it where it is told to. */
export class Points {
  readonly #die: { readonly point: string; readonly hit: number } | undefined;
  readonly #trace: Trace;
  #hits = 0;

  constructor(die: { readonly point: string; readonly hit: number } | undefined, trace: Trace) {
    if (die !== undefined && !POINTS.includes(die.point)) throw new Error(`no point is called ${die.point}`);
    this.#die = die;
    this.#trace = trace;
  }

  at(point: string): void {
    if (point !== this.#die?.point) return;
    this.#hits += 1;
    if (this.#hits < this.#die.hit) return;
    this.#trace.note({ what: 'point', point });
    process.kill(process.pid, 'SIGKILL');
  }
}
