import { expect, test } from 'vitest';
import { Deadlines } from '../../src/gateway/deadlines.ts';
import { FakeClock } from '../support/fake-clock.ts';

const started = () => {
  const clock = new FakeClock();
  const fired: unknown[] = [];
  const times = { drainMs: 60_000, killMs: 5000, exitMs: 10_000 };
  return {
    clock,
    fired,
    times,
    deadlines: new Deadlines(
      clock,
      () => times,
      (event) => fired.push(event),
    ),
  };
};

test('each deadline fires once, at its own time, with the serial of what it bounds', async () => {
  const { clock, fired, deadlines } = started();
  deadlines.start({ deadline: 'drain', serial: 3, closing: false });
  expect(deadlines.endsAt).toBe(clock.wallMs() + 60_000);
  await clock.advance(59_999);
  expect(fired).toEqual([]);
  await clock.advance(1);
  expect(fired).toEqual([{ type: 'drain.deadline', serial: 3 }]);
  expect(deadlines.endsAt).toBeNull();
});

test('the next deadline takes the place of the one before, and none fires after a stop', async () => {
  const { clock, fired, deadlines } = started();
  deadlines.start({ deadline: 'drain', serial: 1, closing: false });
  deadlines.start({ deadline: 'kill', serial: 2, closing: false });
  await clock.advance(5000);
  expect(fired).toEqual([{ type: 'kill.deadline', serial: 2 }]);
  deadlines.start({ deadline: 'exit', serial: 3, closing: false });
  deadlines.stop();
  await clock.advance(100_000);
  expect(fired).toHaveLength(1);
  expect(clock.pending).toBe(0);
});

test('flushing and closing share the exit limit: closing keeps a fifth of it, two seconds at most', async () => {
  const { clock, times, deadlines } = started();
  const takesMs = (closing: boolean) => {
    deadlines.start({ deadline: 'exit', serial: 1, closing });
    return (deadlines.endsAt ?? 0) - clock.wallMs();
  };
  expect([takesMs(false), takesMs(true)]).toEqual([8000, 2000]);
  times.exitMs = 1000;
  expect([takesMs(false), takesMs(true)]).toEqual([800, 200]);
  times.exitMs = 60_000;
  expect([takesMs(false), takesMs(true)]).toEqual([58_000, 2000]);
});
