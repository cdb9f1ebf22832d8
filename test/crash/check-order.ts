/**
 * Order within a conversation: what is taken in comes in the order in which it was written, turns begin in that order,
 * and what is said comes in the order in which it was decided.
 */
import { answers, type Case, isTurn, type Told } from './case.ts';
import type { InboxRow } from './record.ts';

export function checkOrder(about: Case): void {
  const turns = about.told.filter(({ written }) => isTurn(written));
  for (const told of Map.groupBy(turns, ({ written }) => written.key).values()) {
    checkArrival(about, told);
    checkTurns(about, told);
    checkAnswers(about, told);
  }
  checkSent(about);
}

/** As they were written, so they stand; but for those that the store had no room for when they came. */
function checkArrival(about: Case, told: readonly Told[]): void {
  let before: { id: string; row: InboxRow } | undefined;
  for (const { written, row } of told) {
    // Whoever waits at a connection of their own has no place in a line.
    if (row === undefined || written.platform !== 'standin' || about.wasTurnedBack(written)) continue;
    if (before !== undefined && row.seq < before.row.seq) {
      about.broken('order in', written.id, `it was taken in before ${before.id}, which was written first`);
    }
    before = { id: written.id, row };
  }
}

/** All attempts at one come before those at the next; but for one that waited for a person meanwhile. */
function checkTurns(about: Case, told: readonly Told[]): void {
  const inOrder = told
    .flatMap(({ row, written, turns }) => (row === undefined ? [] : [{ row, written, turns }]))
    .filter(({ row, turns }) => turns.length > 0 && !about.hasAwaited(row) && row.recorded === 1)
    .toSorted((a, b) => a.row.seq - b.row.seq);
  for (const [at, { written, turns }] of inOrder.entries()) {
    const next = inOrder[at + 1];
    const last = Math.max(...turns.map(({ seq }) => seq));
    const first = Math.min(...(next?.turns ?? []).map(({ seq }) => seq));
    if (next !== undefined && first < last) {
      about.broken('order in', next.written.id, `a turn of it began before ${written.id} was over`);
    }
  }
}

/** Their answers are made in the same order. */
function checkAnswers(about: Case, told: readonly Told[]): void {
  const made = told
    .flatMap(({ row, written, replies }) => {
      const answer = replies.find(({ text }) => answers(text, written.id));
      const counts =
        row !== undefined && answer !== undefined && row.recorded === 1 && !about.hasAwaited(row);
      return counts ? [{ row, written, seq: answer.seq }] : [];
    })
    .toSorted((a, b) => a.row.seq - b.row.seq);
  for (const [at, { written, seq }] of made.entries()) {
    const before = made[at - 1];
    if (before !== undefined && seq < before.seq) {
      about.broken('order out', written.id, `its answer was made before that of ${before.written.id}`);
    }
  }
}

/** What arrives in a conversation stands in the outbox in the order in which it arrives; a repetition comes before what follows. */
function checkSent(about: Case): void {
  const rows = new Map(about.record.rows.outbox.map((row) => [row.id, row]));
  const unrecorded = new Set(
    about.record.rows.inbox.filter(({ recorded }) => recorded === 0).map(({ id }) => id),
  );
  for (const arrivals of Map.groupBy(about.record.arrivals, ({ conversation }) => conversation).values()) {
    let before = { seq: 0, text: '' };
    for (const { id, text } of arrivals) {
      const row = rows.get(id);
      if (row === undefined || unrecorded.has(row.messageId ?? '')) continue;
      if (row.seq < before.seq) {
        about.broken('order out', id, `${JSON.stringify(text)} arrived after ${JSON.stringify(before.text)}`);
      }
      before = { seq: row.seq, text };
    }
  }
}
