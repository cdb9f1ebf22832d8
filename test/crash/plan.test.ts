/** The plan of a run: all of it comes from the seed, and it leads to every instrumented point. */
import { expect, test } from 'vitest';
import { POINTS } from './inside/points.ts';
import { chapterOf, ROUNDS_PER_CHAPTER } from './plan.ts';
import type { Chapter } from './round.ts';

/** As many as a long run plays at least. */
const CHAPTERS = 40;

const SEVERAL = 3;

const planOf = (seed: string): Chapter[] =>
  Array.from({ length: CHAPTERS }, (_, at) => chapterOf(seed, at, { rounds: ROUNDS_PER_CHAPTER }));

test('the same seed gives the same plan, another one another', () => {
  expect(planOf('a')).toEqual(planOf('a'));
  expect(planOf('b')).not.toEqual(planOf('a'));
});

test('the chapters of a long run lead to every point several times; further ones are made for what is rare', () => {
  const ends = planOf('a').flatMap(({ rounds }) => rounds.map(({ end }) => end));
  const led = Map.groupBy(ends, (end) => (end.how === 'point' ? end.point : ''));
  expect(POINTS.filter((point) => (led.get(point)?.length ?? 0) < SEVERAL)).toEqual([]);
});

test('no two messages of a chapter have one id', () => {
  for (const { rounds } of planOf('a')) {
    const ids = rounds
      .flatMap(({ lines, beside }) => [...lines, ...(beside === undefined ? [] : [beside])])
      .map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  }
});
