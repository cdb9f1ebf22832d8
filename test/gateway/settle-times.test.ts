/** No two messages of a conversation settle at the same millisecond, and none far from the clock. */
import { expect, test } from 'vitest';
import { SETTLED_AHEAD_MS_MAX, SettleTimes } from '../../src/gateway/settle-times.ts';
import { FakeClock } from '../support/fake-clock.ts';

function givenTimes() {
  const clock = new FakeClock(1_000_000);
  let setBackMs = 0;
  const times = new SettleTimes({ ...clock, wallMs: () => clock.wallMs() - setBackMs } as FakeClock);
  const next = (conversation = 'local:a') => times.next(conversation);
  return { clock, next, setBack: (ms: number) => (setBackMs = ms) };
}

test('of one moment they follow one another in one conversation, and do not between two', async () => {
  const { clock, next } = givenTimes();
  expect([next(), next(), next('local:b'), next()]).toEqual([1_000_000, 1_000_001, 1_000_000, 1_000_002]);
  await clock.advance(2);
  expect([next(), next('local:b')]).toEqual([1_000_003, 1_000_002]);
  await clock.advance(100);
  expect(next()).toBe(1_000_102);
});

test('a burst runs ahead of the clock up to a limit', () => {
  const { next } = givenTimes();
  const times = Array.from({ length: SETTLED_AHEAD_MS_MAX + 50 }, () => next());
  expect(Math.max(...times)).toBe(1_000_000 + SETTLED_AHEAD_MS_MAX);
});

test('a clock that was set back is followed', () => {
  const { next, setBack } = givenTimes();
  next();
  setBack(60_000);
  expect([next(), next()]).toEqual([940_000, 940_001]);
});
