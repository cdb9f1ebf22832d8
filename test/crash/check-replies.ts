/** What goes out: it arrives, and whoever gets it twice is told that this may be so, and nobody else. */
import { answers, type Case, isTurn, type Told } from './case.ts';
import type { Noted } from './inside/trace.ts';

/** Cut off so often, a message is given up. */
const CUTS_MAX = 5;

/** Gives how many arrivals had a mark. */
export function checkReplies(about: Case): number {
  checkStates(about);
  for (const told of about.told) checkAnswered(about, told);
  let marked = 0;
  for (const [id, arrivals] of about.arrivals) {
    marked += arrivals.filter(({ isMarked }) => isMarked).length;
    checkMarks(about, id);
  }
  return marked;
}

/** At the end nothing is on its way any more. */
function checkStates(about: Case): void {
  for (const { id, state, text, possibleDuplicate } of about.record.rows.outbox) {
    const cuts = cutsOf(about.sendings.get(id) ?? []);
    if (state === 'dead' && cuts >= CUTS_MAX) about.deviations.givenUp += 1;
    else if (state !== 'delivered')
      about.broken('a reply arrives', id, `it is ${state}: ${JSON.stringify(text)}`);
    if (possibleDuplicate === 1 && cuts === 0) {
      about.broken('a mark is earned', id, 'it stands as possibly sent twice, and was never cut off');
    }
  }
}

/** Whoever asked on the chat platform has read the answer. */
function checkAnswered(about: Case, told: Told): void {
  const { written, row, replies } = told;
  if (row === undefined || written.platform !== 'standin') return;
  checkRows(about, told);
  // What a command said while nothing could be written left without a row.
  if (row.recorded === 0 && !isTurn(written)) return;
  const isAnswered = row.outcome === 'answered' || row.outcome === 'ran' || row.outcome === 'done';
  if (!isAnswered) return;
  const arrived = replies.filter(({ id }) => about.arrivals.has(id));
  const isGivenUp = replies.some(({ state }) => state === 'dead');
  if (arrived.length === 0 && !isGivenUp) {
    about.broken('a reply arrives', written.id, `${row.outcome}, and nothing of it arrived`);
  }
}

/** An answer that a death could hide from the next life, which would answer once more. */
function checkRows(about: Case, { written, row, replies }: Told): void {
  if (row === undefined || !isTurn(written)) return;
  const stored = new Set(replies.map(({ id }) => id));
  for (const { id, text, kind } of about.record.arrivals) {
    if (kind === 'reply' && answers(text, written.id) && !stored.has(id))
      about.broken('a repeated reply is marked', written.id, `${id} answers it, and has no row`);
  }
}

/** `id`: of the outbox. */
function checkMarks(about: Case, id: string): void {
  const arrivals = about.arrivals.get(id) ?? [];
  const sendings = about.sendings.get(id) ?? [];
  const cuts = cutsOf(sendings);
  for (const [at, { isMarked, text }] of arrivals.entries()) {
    if (isMarked && cuts === 0) {
      about.broken('a mark is earned', id, `${JSON.stringify(text)} is marked, and was never cut off`);
    }
    if (at > 0 && !isMarked)
      about.broken('a repeated reply is marked', id, `${JSON.stringify(text)} came again, unmarked`);
  }
}

/** How often it was on its way and nobody wrote down what became of it, or that nobody knows. */
function cutsOf(sendings: readonly Noted[]): number {
  let cuts = 0;
  let isUnderWay = false;
  for (const noted of sendings) {
    if (noted.what === 'claim') {
      if (isUnderWay) cuts += 1;
      isUnderWay = true;
    } else if (noted.what === 'unclaimed') {
      isUnderWay = false;
    } else if (noted.what === 'mark') {
      if (noted.as === 'unknown') cuts += 1;
      isUnderWay = false;
    }
  }
  return cuts + (isUnderWay ? 1 : 0);
}
