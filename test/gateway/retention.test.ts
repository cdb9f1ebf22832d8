/** What was settled long ago goes, a few rows at a time, and not while the store cannot be written. */
import { expect, test } from 'vitest';
import {
  PRUNE_PERIOD_MS,
  PRUNE_STEP_MS,
  PRUNED_AT_ONCE_MAX,
  Retention,
} from '../../src/gateway/retention.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { keptLog } from '../support/gateway-core.ts';

const DAY = 86_400_000;

function retention(deleted: readonly (number | Error)[]) {
  const clock = new FakeClock(100 * DAY);
  const { log, lines } = keptLog();
  const asked: { beforeMs: number; rowsMax: number; at: number }[] = [];
  const left = [...deleted];
  const store = {
    writable: true,
    prune: async (beforeMs: number, rowsMax: number) => {
      asked.push({ beforeMs, rowsMax, at: clock.wallMs() - 100 * DAY });
      const next = left.shift() ?? 0;
      if (next instanceof Error) throw next;
      return next;
    },
  };
  return {
    clock,
    lines,
    asked,
    store,
    retention: new Retention({ store, clock, log, retentionMs: () => 30 * DAY }),
  };
}

test('deletes a few rows a second while there are any, then looks again after a while', async () => {
  const { clock, asked, retention: it } = retention([100, 40, 0]);
  for (let second = 0; second < 5; second += 1) await clock.advance(PRUNE_STEP_MS);
  expect(asked.map(({ at }) => at)).toEqual([1, 2, 3].map((step) => step * PRUNE_STEP_MS));
  expect(asked[0]).toMatchObject({ beforeMs: 70 * DAY + PRUNE_STEP_MS, rowsMax: PRUNED_AT_ONCE_MAX });
  await clock.advance(PRUNE_PERIOD_MS);
  expect(asked).toHaveLength(4);
  it[Symbol.dispose]();
  expect(clock.pending).toBe(0);
});

test('leaves a store alone that cannot be written, and goes on after a failure', async () => {
  const { clock, asked, store, lines, retention: it } = retention([new Error('a defect of the test'), 0]);
  store.writable = false;
  await clock.advance(PRUNE_STEP_MS);
  expect(asked).toEqual([]);
  store.writable = true;
  await clock.advance(PRUNE_PERIOD_MS);
  expect(lines).toContainEqual(expect.objectContaining({ msg: 'old messages could not be deleted' }));
  await clock.advance(PRUNE_PERIOD_MS);
  expect(asked).toHaveLength(2);
  it[Symbol.dispose]();
});
