/** For what nothing tells of by itself: asks again and again, with a pause between, and not for ever. */
import { systemClock } from '../../src/clock.ts';

/** How long anything in a test may take before the test is told what did not come. */
export const PATIENCE_MS = 45_000;

/** Between two questions: short beside what is waited for, long beside what it costs to ask. */
const PAUSE_MS = 10;

/** Resolves with the first truthy answer. Rejects when none came in time, and with what `ask` throws. */
export async function polled<T>(
  ask: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  what: string,
  pauseMs = PAUSE_MS,
): Promise<T> {
  const startedMs = performance.now();
  for (;;) {
    const found = await ask();
    if (found) return found;
    if (performance.now() - startedMs > PATIENCE_MS) throw new Error(`waited in vain for ${what}`);
    await systemClock.delay(pauseMs);
  }
}
