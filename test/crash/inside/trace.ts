/**
 * What a gateway under test notes of itself, outside its store: each line is in the file before the call returns, so
 * that a kill a moment later takes nothing of it back.
 */
import { appendFileSync } from 'node:fs';

export type Noted =
  /** The test's own: the round that begins. */
  | { readonly what: 'round'; readonly round: number }
  /** A life has a number from now on. */
  | { readonly what: 'life'; readonly life: number; readonly epoch: number | null; readonly pid: number }
  /** It kills itself here. */
  | { readonly what: 'point'; readonly point: string }
  /** It is about to put on disk that a message is being sent. */
  | { readonly what: 'claim'; readonly id: string; readonly life: number }
  /** That could not be put there. */
  | { readonly what: 'unclaimed'; readonly id: string }
  /** A command begins, and that could not be put on disk. */
  | { readonly what: 'start-unwritten'; readonly id: string }
  /** A message is handed to the platform. */
  | { readonly what: 'send'; readonly id: string }
  /** What became of a message that goes out is on disk: `sent`, `unsent`, `unknown` or `dead`. */
  | { readonly what: 'mark'; readonly id: string; readonly as: string }
  /** An outcome is on disk. */
  | { readonly what: 'settled'; readonly id: string; readonly outcome: string }
  /** It is on disk that this message waits for a person's word. */
  | { readonly what: 'awaits'; readonly id: string }
  /** It is on disk that this turn has begun. */
  | { readonly what: 'turn'; readonly id: string }
  /** It is on disk that something will be said, by its id of the outbox, and which life says it. */
  | { readonly what: 'said'; readonly id: string; readonly life: number }
  /** The end of a life is on disk. */
  | { readonly what: 'life-over'; readonly life: number }
  /** It is on disk that a conversation rests. */
  | { readonly what: 'quarantine'; readonly conversation: string }
  /** A message that came in was not taken, and shall be delivered again. */
  | { readonly what: 'not-taken'; readonly id: string }
  /** A commit was refused: the store cannot be written. */
  | { readonly what: 'unwritable' }
  /** A commit of which no point is named. */
  | { readonly what: 'unnamed'; readonly ops: string };

export class Trace {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  note(noted: Noted): void {
    appendFileSync(this.#path, `${JSON.stringify(noted)}\n`);
  }
}
