/** How fast a conversation is written to. */
import { expect, test } from 'vitest';
import { OutboundBudget } from '../../src/gateway/outbound-budget.ts';
import { FakeClock } from '../support/fake-clock.ts';

function world() {
  const clock = new FakeClock();
  return { clock, budget: new OutboundBudget(clock) };
}

test('a burst of twenty leaves at once, and then one a second', async () => {
  const { clock, budget } = world();
  const burst = Array.from({ length: 20 }, () => budget.take('chat:1'));
  expect(burst).toEqual(Array.from({ length: 20 }, () => 0));
  expect(budget.take('chat:1')).toBe(1000);
  await clock.advance(400);
  expect(budget.take('chat:1')).toBe(600);
  await clock.advance(600);
  expect(budget.take('chat:1')).toBe(0);
  expect(budget.take('chat:1')).toBe(1000);
});

test('each conversation has its own', () => {
  const { budget } = world();
  for (let count = 0; count < 20; count += 1) budget.take('chat:1');
  expect(budget.take('chat:1')).toBe(1000);
  expect(budget.take('chat:2')).toBe(0);
});

test('a platform that names a smaller number gets no more than that in a burst, nor in a minute', async () => {
  const { clock, budget } = world();
  const taken = () => [budget.take('chat:1', 3), budget.take('chat:1', 3), budget.take('chat:1', 3)];
  expect(taken()).toEqual([0, 0, 0]);
  expect(budget.take('chat:1', 3)).toBe(20_000);
  await clock.advance(60_000);
  expect(taken()).toEqual([0, 0, 0]);
  expect(budget.take('chat:1', 3)).toBe(20_000);
});

test('what is only shown is left out as soon as less than half is left, and takes nothing then', () => {
  const { budget } = world();
  const shown = Array.from({ length: 15 }, () => budget.takeSpare('chat:1'));
  expect(shown.filter(Boolean)).toHaveLength(10);
  expect(shown.lastIndexOf(true)).toBe(9);
  const messages = Array.from({ length: 11 }, () => budget.take('chat:1'));
  expect(messages.filter((waitMs) => waitMs === 0)).toHaveLength(10);
});

test.each([
  [2, 0],
  [5, 0],
  [6, 1],
  [8, 3],
  [10, 5],
])(
  'where a platform takes %i messages a minute, %i things are shown: five messages can always leave',
  (perMinute, times) => {
    const { budget } = world();
    const shown = Array.from({ length: 20 }, () => budget.takeSpare('chat:1', perMinute));
    expect(shown.filter(Boolean)).toHaveLength(times);
    const messages = Array.from({ length: Math.min(5, perMinute) }, () => budget.take('chat:1', perMinute));
    expect(messages.every((waitMs) => waitMs === 0)).toBe(true);
  },
);

test('conversations that were not written to for a while are forgotten', async () => {
  const { clock, budget } = world();
  for (let count = 0; count < 1000; count += 1) budget.take(`chat:${count}`);
  await clock.advance(1000);
  budget.take('chat:busy');
  budget.take('chat:busy');
  for (let count = 1000; count < 1999; count += 1) budget.take(`chat:${count}`);
  expect(budget.size).toBeLessThanOrEqual(1001);
  // Who was in the middle of a burst still is.
  for (let count = 0; count < 18; count += 1) expect(budget.take('chat:busy')).toBe(0);
  expect(budget.take('chat:busy')).toBe(1000);
});
