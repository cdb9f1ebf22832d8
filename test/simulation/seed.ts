/**
 * One seed: a world is made, a few hundred things happen in it by chance, at least one of them a crash, and then a last,
 * quiet life finishes what it can. What comes out is what the checker has to say.
 */
import type { Violation } from './checker.ts';
import { EVENTS, type WorldEvent } from './events.ts';
import { lineOf } from './happening.ts';
import type { Planted } from './life.ts';
import { profileOf, type Weather } from './profile.ts';
import { finishQuietly } from './quiet-end.ts';
import { Random } from './random.ts';
import { World } from './world.ts';

export interface SeedResult {
  readonly seed: number;
  readonly weather: Weather;
  readonly events: number;
  readonly crashes: number;
  readonly violations: readonly Violation[];
  readonly pairs: ReadonlySet<string>;
  readonly faults: number;
  readonly counts: ReadonlyMap<string, number>;
  /** What happened, a line each; made when it is asked for. */
  readonly lines: () => readonly string[];
}

export async function runSeed(
  seed: number,
  weather: Weather = 'rough',
  planted: Planted = {},
): Promise<SeedResult> {
  const random = new Random(seed);
  const profile = profileOf(random, weather);
  const world = new World({ profile, random, planted });
  const possible = EVENTS.filter(({ isFair }) => isFair || weather === 'rough').map((event) => ({
    event,
    weight: event.weight * (event.isFair ? 1 : profile.often(event.name)),
  }));
  let events = 0;
  const step = async (event: WorldEvent): Promise<void> => {
    events += 1;
    world.happens({ what: 'world', does: event.name });
    await event.happen(world);
    await world.follow();
  };
  while (events < profile.events) await step(chosen(world, possible));
  if (weather === 'rough') {
    // No seed is without a crash, and what only a memory knew is not there at the end.
    if (world.life === undefined) world.boot();
    await world.follow();
    world.life?.mortal.die('any moment');
    await world.follow();
  }
  await finishQuietly(world);
  world.checker.finish();
  const { violations, counts } = world.checker;
  return {
    ...{ seed, weather, events, crashes: world.crashes, violations, counts },
    ...{ pairs: world.coverage.pairs, faults: world.coverage.faults },
    lines: () => world.happened.map(({ at, happening }) => lineOf(happening, at)),
  };
}

function chosen(world: World, possible: readonly { event: WorldEvent; weight: number }[]): WorldEvent {
  const now = possible.filter(({ event, weight }) => weight > 0 && event.canHappen(world));
  let left = world.random.next() * now.reduce((sum, { weight }) => sum + weight, 0);
  for (const { event, weight } of now) {
    left -= weight;
    if (left < 0) return event;
  }
  throw new Error('nothing can happen in this world');
}
