/**
 * The long form of the crash suite: `npm run test:crash -- [--kills N] [--seed S] [--chapter N]`. Plays chapters until so
 * many lives were killed and each instrumented point was one of the places often enough, then writes
 * `docs/reliability.md`. With `--chapter` it plays that one alone, and writes nothing. Exit 1 when a promise was broken, 2 when it is told something else.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProgramArguments } from '../support/program-arguments.ts';
import { SMALL_DISK_MISSING } from '../support/small-disk.ts';
import { POINTS } from './inside/points.ts';
import { calmChapter, chapterOf, ROUNDS_PER_CHAPTER } from './plan.ts';
import { POINT_KILLS_MIN, writeReport } from './report.ts';
import type { Chapter } from './round.ts';
import { bundledGateway, type Checked, killsOf, playAll, problemLines } from './run.ts';

const KILLS = 1000;

const EVERY_CHAPTER = -1;

/** Chapters that are played for points which were not come to often enough. */
const MORE_CHAPTERS_MAX = 12;

const CALM_ROUNDS = 4;

const given = new ProgramArguments(
  { kills: { type: 'string' }, seed: { type: 'string' }, chapter: { type: 'string' } },
  'npm run test:crash -- [--kills N] [--seed S] [--chapter N]',
);
const kills = given.count('kills', KILLS, 1);
const chapterWanted = given.count('chapter', EVERY_CHAPTER, 0);
const seed = given.values.seed ?? randomBytes(4).toString('hex');
const canMount = SMALL_DISK_MISSING === undefined;
if (!canMount) console.log(`no disk is filled: that ${SMALL_DISK_MISSING}`);
console.log(`seed ${seed}`);

using gateway = await bundledGateway();
const all: Checked[] = [];
const startedMs = performance.now();
const options = {
  entry: gateway.entry,
  onChecked(checked: Checked) {
    all.push(checked);
    const { chapter, findings, record } = checked;
    const took = `${Math.round((performance.now() - startedMs) / 1000)} s`;
    const count = `${killsOf([checked]).length} of ${record.ended.length} lives killed`;
    console.log(`${took}: chapter ${chapter.number}: ${count}, ${findings.problems.length} problems`);
    for (const line of problemLines([checked])) console.log(`  ${line}`);
    if (findings.problems.length > 0) console.log(`  all that is known of it: ${keep(checked)}`);
  },
};

let isEnded = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    isEnded = true;
    console.log('no further chapter: those under way take half a minute, and leave nothing behind');
  });
}

if (chapterWanted === EVERY_CHAPTER) {
  await playAll(chapters(), options);
  const rare = rarePoints();
  const isWhole = rare.length === 0 && killsOf(all).length >= kills;
  for (const { point, count } of rare) console.log(`only ${count} kills ${point}`);
  if (kills >= KILLS && !isEnded) writeReport(all, { seed, tookMs: performance.now() - startedMs, canMount });
  process.exitCode = isWhole && problemLines(all).length === 0 ? 0 : 1;
} else {
  const chapter = chapterOf(seed, chapterWanted, { rounds: ROUNDS_PER_CHAPTER });
  await playAll([chapter], options);
  process.exitCode = problemLines(all).length === 0 ? 0 : 1;
}

/** Those of the seed until enough lives were killed, a calm one, and then for the points that are still rare. */
function* chapters(): Generator<Chapter> {
  yield calmChapter(seed, CALM_ROUNDS);
  let number = 0;
  for (; killsOf(all).length < kills && !isEnded; number += 1) {
    yield chapterOf(seed, number, { rounds: ROUNDS_PER_CHAPTER });
  }
  if (kills < KILLS) return;
  for (let more = 0; more < MORE_CHAPTERS_MAX && rarePoints().length > 0 && !isEnded; more += 1) {
    const wanted = rarePoints().flatMap(({ point, count }) =>
      Array.from({ length: POINT_KILLS_MIN - count }, () => point),
    );
    const points = wanted.slice(0, ROUNDS_PER_CHAPTER);
    // Of a server that does not recognise what comes again: there is a way to every point.
    yield chapterOf(seed, (number + more) * 4, { rounds: points.length, points });
  }
}

/** Writes down what a chapter left, for whoever looks for the reason; gives the file. */
function keep({ chapter, record }: Checked): string {
  const path = join(tmpdir(), `sluice-crash-${seed}-${chapter.number}.json`);
  writeFileSync(path, JSON.stringify({ chapter, record }, null, 1));
  return path;
}

function rarePoints(): { point: string; count: number }[] {
  const hits = new Map(POINTS.map((point) => [point, 0]));
  for (const { point } of killsOf(all)) if (point !== undefined) hits.set(point, (hits.get(point) ?? 0) + 1);
  // A short run by hand comes to few of them.
  return kills < KILLS
    ? []
    : [...hits].flatMap(([point, count]) => (count < POINT_KILLS_MIN ? [{ point, count }] : []));
}
