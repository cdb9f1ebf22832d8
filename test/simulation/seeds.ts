/** Runs many seeds, says of the first that fails what is wrong with it and how to see it again, and adds up what was met. */
import { Coverage } from './coverage.ts';
import type { Planted } from './life.ts';
import type { Weather } from './profile.ts';
import { runSeed, type SeedResult } from './seed.ts';

/** Of the events that led to what is wrong, so many are told at once. */
const EVENTS_TOLD = 40;

export interface Tally {
  readonly seeds: number;
  readonly events: number;
  readonly crashes: number;
  /** Of the seed with the fewest. */
  readonly crashesMin: number;
  readonly eventsMin: number;
  readonly faults: number;
  /** Fault × what it met. */
  readonly pairs: ReadonlySet<string>;
  /** Outcomes of messages that were acknowledged, and what is worth a number besides. */
  readonly counts: ReadonlyMap<string, number>;
  /** Seeds in which something is wrong. */
  readonly failed: readonly SeedResult[];
}

export interface SeedsOptions {
  readonly first: number;
  readonly count: number;
  readonly weather?: Weather;
  readonly planted?: Planted;
  /** Stops at this many that fail. */
  readonly failuresMax?: number;
}

export async function runSeeds(options: SeedsOptions): Promise<Tally> {
  const { first, count, weather = 'rough', planted = {}, failuresMax = 1 } = options;
  const coverage = new Coverage();
  const counts = new Map<string, number>();
  const failed: SeedResult[] = [];
  let events = 0;
  let crashes = 0;
  let crashesMin = Number.POSITIVE_INFINITY;
  let eventsMin = Number.POSITIVE_INFINITY;
  let seeds = 0;
  for (; seeds < count && failed.length < failuresMax; seeds += 1) {
    const result = await runSeed(first + seeds, weather, planted);
    events += result.events;
    crashes += result.crashes;
    crashesMin = Math.min(crashesMin, result.crashes);
    eventsMin = Math.min(eventsMin, result.events);
    coverage.faults += result.faults;
    coverage.add(result.pairs);
    for (const [what, times] of result.counts) counts.set(what, (counts.get(what) ?? 0) + times);
    if (result.violations.length > 0) failed.push(result);
  }
  const { faults, pairs } = coverage;
  return { seeds, events, eventsMin, crashes, crashesMin, faults, pairs, counts, failed };
}

/** What is wrong with a seed, the events that led there, and how to see all of them. */
export function reportOf({ seed, weather, violations, lines }: SeedResult): string {
  const [first] = violations;
  const upTo = first?.at ?? 0;
  return [
    `seed ${seed} (${weather}):`,
    ...violations.slice(0, 10).map(({ rule, what, at }) => `  ${rule}: ${what} (event ${at})`),
    '',
    `the ${EVENTS_TOLD} events before:`,
    ...numbered(lines()).slice(Math.max(0, upTo - EVENTS_TOLD), upTo),
    '',
    `all of them: npm run test:simulation -- --seeds 1 --seed ${seed}${weather === 'calm' ? ' --calm' : ''}`,
  ].join('\n');
}

export const numbered = (lines: readonly string[]): string[] =>
  lines.map((line, index) => `${String(index + 1).padStart(5)} ${line}`);
