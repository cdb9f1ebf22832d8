/**
 * Whether the gateway took in what it said it took in: nothing is acknowledged that is not on disk, each decision is that
 * of the table, and what is done is what was decided.
 */
import type { MessageEvent } from '../../machines/events.ts';
import { admissionRow, type Column } from '../support/lifecycle-oracle.ts';
import type { Check, Known } from './checker.ts';
import type { Happening } from './happening.ts';

type Judged = Extract<Happening, { what: 'judged' }>;

export class IntakeCheck implements Check {
  readonly #known: Known;
  /** The last decision about each message, in the life that is. */
  readonly #decided = new Map<string, Judged>();
  /** Messages that were handed in, in the life that is; true: while, or before, nothing could be written. */
  readonly #handed = new Map<string, boolean>();

  constructor(known: Known) {
    this.#known = known;
  }

  see(happening: Happening): void {
    const { records, report } = this.#known;
    switch (happening.what) {
      case 'begins':
        this.#decided.clear();
        this.#handed.clear();
        return;
      case 'handed':
        this.#handedIn(happening.said.key);
        return;
      case 'fault':
        if (happening.fault === 'the disk is full')
          for (const key of this.#handed.keys()) this.#handed.set(key, true);
        return;
      case 'judged':
        this.#judged(happening);
        return;
      case 'acknowledged':
        this.#acknowledged(happening);
        return;
      case 'turn begins':
      case 'program begins': {
        const id = records.byKey.get(happening.key)?.row.id;
        // What runs without a row was judged, too, under an id that nobody can look up.
        if (id === undefined || this.#decided.get(id)?.admission === 'dispatch') return;
        report('admission', `${happening.key} was begun, and not dispatched in this life`);
        return;
      }
      default:
        return;
    }
  }

  /** Of what was refused: the chart's word for it. */
  refused(id: string): boolean {
    return this.#decided.get(id)?.admission === 'refuse';
  }

  #handedIn(key: string): void {
    this.#handed.set(key, this.#handed.get(key) === true || this.#known.isOutage());
  }

  #judged(judged: Judged): void {
    const { event, state, degraded, admission } = judged;
    this.#decided.set(event.id, judged);
    const expected = expectedAdmission(event, state, degraded);
    if (expected === admission) return;
    const met = `${state} [${degraded.join()}]`;
    this.#known.report('admission', `${event.type} in ${met}: ${admission}, and the table says ${expected}`);
  }

  #acknowledged({ key, recorded }: Extract<Happening, { what: 'acknowledged' }>): void {
    const { records, said, report, isOutage, unrecorded } = this.#known;
    const kind = said.get(key)?.kind;
    if (records.byKey.has(key)) return;
    const mayRunUnrecorded = kind === 'exec' || kind === 'control';
    const metOutage = isOutage() || this.#handed.get(key) === true;
    if (mayRunUnrecorded && (metOutage || !recorded)) unrecorded.add(key);
    else report('acknowledged', `${key} is acknowledged, and not on disk`);
  }
}

/** The cell of the table; undefined once the chart has ended. */
function expectedAdmission(event: MessageEvent, state: string, degraded: readonly string[]) {
  if (state === 'exited') return undefined;
  const row = admissionRow(state, reasonsThatCount(degraded), 'default');
  return row[columnOf(event)];
}

/** What concerns every agent counts for all of it; the table has no row for each way to be ill in several ways. */
function reasonsThatCount(degraded: readonly string[]): readonly string[] {
  const general = degraded.find((reason) => reason === 'store' || reason === 'safe-mode');
  return general === undefined ? degraded : [general];
}

function columnOf(event: MessageEvent): Column {
  if (event.type === 'message.turn') return event.whenBusy === 'queue' ? 'queued' : 'turn';
  return event.type.slice('message.'.length) as Column;
}
