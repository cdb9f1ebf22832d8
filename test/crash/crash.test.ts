/**
 * The short form of the crash suite: some forty kills, some of them at instrumented points, and nothing that was promised
 * is broken. `npm run test:crash` is the long one.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BundledGateway } from '../support/stand-in/gateway.ts';
import { calmChapter, chapterOf } from './plan.ts';
import { bundledGateway, type Checked, killsOf, playAll, problemLines } from './run.ts';

/** Another one by `SLUICE_CRASH_SEED`; it is in every message of a test that fails. */
const SEED = process.env.SLUICE_CRASH_SEED ?? 'short';

const CHAPTERS = 4;
const ROUNDS = 11;
const KILLS_MIN = 40;
const CALM_ROUNDS = 2;

let gateway: BundledGateway;
let checked: Checked[];

beforeAll(async () => {
  gateway = await bundledGateway();
  const chapters = Array.from({ length: CHAPTERS }, (_, at) => chapterOf(SEED, at, { rounds: ROUNDS }));
  checked = await playAll([...chapters, calmChapter(SEED, CALM_ROUNDS)], { entry: gateway.entry });
});

afterAll(() => gateway[Symbol.dispose]());

test(`whatever ${KILLS_MIN} kills and more do, each message has its one outcome, in order, and no command ran twice`, () => {
  expect(problemLines(checked)).toEqual([]);
  expect(killsOf(checked).length).toBeGreaterThanOrEqual(KILLS_MIN);
});

test('the kills fall on messages: some were answered, some turns went on, some replies came with a mark', () => {
  const answered = checked.map(({ findings }) => findings.outcomes.turn?.answered ?? 0);
  expect(Math.min(...answered)).toBeGreaterThan(0);
  expect(sum(checked.map(({ findings }) => findings.resumed))).toBeGreaterThan(0);
  expect(sum(checked.map(({ findings }) => findings.marked))).toBeGreaterThan(0);
});

test('where nobody dies, every turn is answered at the first attempt and nothing is marked', () => {
  const calm = checked.at(-1);
  expect(calm?.record.ended.map(({ how }) => how)).toEqual(Array(CALM_ROUNDS).fill('left'));
  expect(Object.keys(calm?.findings.outcomes.turn ?? {})).toEqual(['answered']);
  expect(calm?.findings).toMatchObject({ resumed: 0, marked: 0 });
});

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
