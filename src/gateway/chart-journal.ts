/**
 * The steps of the chart as rows of the journal, numbered from 1, each under the epoch of its life. Until the store has
 * given this life its number they are kept: a guessed epoch may be known to the journal already, from another life.
 */
import type { JournalRow } from '../store/records.ts';

/** Journal rows kept until this life is registered; a store that cannot be opened may take its time. */
const EARLY_ROWS_MAX = 2000;

/** A step, before it has its number and its epoch. */
export type ChartStepRow = Omit<JournalRow, 'epoch' | 'number'>;

export class ChartJournal {
  readonly #write: (row: JournalRow) => void;
  readonly #early: Omit<JournalRow, 'epoch'>[] = [];
  #epoch = 0;
  #registered = false;
  #number = 0;

  constructor(write: (row: JournalRow) => void) {
    this.#write = write;
  }

  /** The number of this life; 0 until `begin`. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The number that the next step gets. */
  get next(): number {
    return this.#number + 1;
  }

  /** Tells the epoch. Only a registered one is written, and what came before belongs to it. */
  begin(epoch: number, isRegistered: boolean): void {
    this.#epoch = epoch;
    this.#registered = isRegistered;
    if (!isRegistered) return;
    for (const row of this.#early.splice(0)) this.#write({ ...row, epoch });
  }

  /** Writes a step, or keeps it until it can be. */
  add(step: ChartStepRow): void {
    const row = { ...step, number: this.next };
    this.#number = row.number;
    if (this.#registered) this.#write({ ...row, epoch: this.#epoch });
    else this.#keepEarly(row);
  }

  /** What is given up leaves a gap in the numbers, so that nobody takes the rest for the whole. */
  #keepEarly(row: Omit<JournalRow, 'epoch'>): void {
    if (this.#early.length >= EARLY_ROWS_MAX) this.#early.shift();
    this.#early.push(row);
  }
}
