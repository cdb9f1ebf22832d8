/** The checker itself: what is wrong is found, soon, and a seed is the same each time. */
import { describe, expect, test } from 'vitest';
import { PLANTED } from './planted.ts';
import { runSeed } from './seed.ts';
import { runSeeds } from './seeds.ts';

/** Worlds within which a bug has to be found. */
const SEEDS_MAX = 200;

describe('a planted bug is found:', () => {
  test.each(Object.entries(PLANTED))('%s', async (_, { bug, foundBy }) => {
    const { failed } = await runSeeds({ first: 0, count: SEEDS_MAX, planted: bug });
    const rules = new Set(failed.flatMap(({ violations }) => violations.map(({ rule }) => rule)));
    expect(foundBy.filter((rule) => rules.has(rule))).not.toEqual([]);
  });
});

test('a seed is the same each time', async () => {
  const ids = /\b[mtcor]_[0-9a-z]+\b/g;
  const lines = async () => {
    const names = new Map<string, string>();
    // Ids are made by chance; the same ones stand in the same places.
    const named = (id: string) => names.get(id) ?? names.set(id, `${id[0]}${names.size}`).get(id) ?? '';
    return (await runSeed(7)).lines().map((line) => line.replace(ids, named));
  };
  expect(await lines()).toEqual(await lines());
});
