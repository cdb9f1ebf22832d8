/** Which epoch a step of the chart is written under, when the epoch was a guess at first. */
import { expect, test } from 'vitest';
import { Lifecycle } from '../../src/gateway/lifecycle.ts';
import type { JournalRow } from '../../src/store/records.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { keptLog } from '../support/gateway-core.ts';

function starting() {
  const rows: JournalRow[] = [];
  const nothing = () => {};
  const lifecycle = new Lifecycle({
    supervisor: 'none',
    clock: new FakeClock(),
    log: keptLog().log,
    journal: (row) => rows.push(row),
    times: () => ({ drainMs: 0, killMs: 0, exitMs: 0 }),
    usual: () => ({ agent: 'default', whenBusy: 'queue' }),
    changed: nothing,
  });
  lifecycle.start({
    ...{ takeUpHeld: nothing, holdUnstarted: nothing, abortStart: nothing, interruptWork: nothing },
    ...{ killCommands: nothing, flush: nothing, stopReceiving: nothing, askWhetherClosed: nothing },
  });
  return { lifecycle, rows };
}

const numbers = (rows: readonly JournalRow[]) => rows.map(({ epoch, number }) => [epoch, number]);

test('what happened under a guessed epoch is written under the one that the store gives', () => {
  const { lifecycle, rows } = starting();
  lifecycle.begin(1, false);
  expect(lifecycle.epoch).toBe(1);
  lifecycle.send({ type: 'degraded.raised', reason: 'store' });
  lifecycle.send({ type: 'started' });
  expect(rows).toEqual([]);
  lifecycle.begin(8, true);
  lifecycle.send({ type: 'degraded.cleared', reason: 'store' });
  expect(numbers(rows)).toEqual([
    [8, 1],
    [8, 2],
    [8, 3],
  ]);
});

test('of a start that never gets a store the last steps are kept, and the gap shows', () => {
  const { lifecycle, rows } = starting();
  lifecycle.begin(1, false);
  for (let count = 0; count < 2500; count += 1) lifecycle.send({ type: 'work.settled', id: 'nobody' });
  lifecycle.begin(2, true);
  expect(rows).toHaveLength(2000);
  expect(numbers(rows)[0]).toEqual([2, 501]);
});
