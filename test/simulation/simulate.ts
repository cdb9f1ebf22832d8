/** One share of the seeds that the gate runs; in several files, so that they run side by side. */
import { describe, expect, test } from 'vitest';
import { reportOf, runSeeds } from './seeds.ts';

const SHARES = 4;
const SEEDS_PER_SHARE = 500;
const CALM_PER_SHARE = 25;

/** Pairs of a fault and what it met: each share alone has to meet so many. */
const PAIRS_MIN = 100;

const EVENTS_MIN = 200;

/** `share`: from 0. */
export function simulate(share: number): void {
  const shares = `share ${share + 1} of ${SHARES}`;
  describe(`a gateway in a simulated world, ${shares}`, () => {
    test(`keeps every promise in ${SEEDS_PER_SHARE} worlds in which it crashes`, async () => {
      const tally = await runSeeds({ first: share * SEEDS_PER_SHARE, count: SEEDS_PER_SHARE });
      const { seeds, events, eventsMin, crashes, crashesMin, faults, pairs, failed } = tally;
      for (const result of failed) throw new Error(reportOf(result));
      console.log(
        `${shares}: ${seeds} seeds, ${events} events, ${crashes} crashes, ${faults} faults, ${pairs.size} pairs`,
      );
      expect(seeds).toBe(SEEDS_PER_SHARE);
      expect(eventsMin).toBeGreaterThanOrEqual(EVENTS_MIN);
      expect(crashesMin).toBeGreaterThanOrEqual(1);
      expect(pairs.size).toBeGreaterThanOrEqual(PAIRS_MIN);
    });

    test(`answers everything and marks nothing in ${CALM_PER_SHARE} worlds in which nothing goes wrong`, async () => {
      const first = share * CALM_PER_SHARE;
      const { failed, counts } = await runSeeds({ first, count: CALM_PER_SHARE, weather: 'calm' });
      for (const result of failed) throw new Error(reportOf(result));
      expect([...counts.keys()].sort()).toEqual(['answered', 'done', 'ran']);
    });
  });
}
