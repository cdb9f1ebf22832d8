/** Plays chapters and checks each; what came of all of them together. */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { BundledGateway } from '../support/stand-in/gateway.ts';
import { playChapter } from './chapter.ts';
import { check } from './checker.ts';
import { type Deviations, type Findings, noDeviations, type Problem } from './findings.ts';
import type { PlantedBug } from './inside/planted-bugs.ts';
import type { ChapterRecord, Ended } from './record.ts';
import type { Chapter } from './round.ts';

const ENTRY = fileURLToPath(new URL('../support/programs/gateway-with-crash-points.ts', import.meta.url));

export const bundledGateway = (): Promise<BundledGateway> => BundledGateway.build(ENTRY);

export interface Checked {
  readonly chapter: Chapter;
  readonly record: ChapterRecord;
  readonly findings: Findings;
}

export interface RunOptions {
  readonly entry: string;
  readonly planted?: PlantedBug;
  readonly onEnded?: (ended: Ended) => void;
  readonly onChecked?: (checked: Checked) => void;
}

/** As many chapters side by side as there are cores: each of them waits most of its time. */
const LANES = Math.max(1, Math.min(4, availableParallelism()));

/** In the order of `chapters`, whoever is done first. */
export async function playAll(chapters: Iterable<Chapter>, options: RunOptions): Promise<Checked[]> {
  const all: Checked[] = [];
  await inLanes(chapters, async (chapter) => {
    const record = await playChapter(chapter, options);
    const checked = { chapter, record, findings: check(record) };
    all.push(checked);
    options.onChecked?.(checked);
  });
  return all.toSorted((a, b) => a.chapter.number - b.chapter.number);
}

/** Takes one after the other, LANES of them at a time. */
export async function inLanes<T>(all: Iterable<T>, play: (one: T) => Promise<void>): Promise<void> {
  const waiting = all[Symbol.iterator]();
  const lane = async () => {
    for (let next = waiting.next(); !next.done; next = waiting.next()) await play(next.value);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** The ends that nobody had a word in. */
export const killsOf = (all: readonly Checked[]): Ended[] =>
  all.flatMap(({ record }) => record.ended).filter(({ how }) => how !== 'left');

/** A problem as it is told: with what repeats it. */
export const problemLines = (all: readonly Checked[]): string[] =>
  all.flatMap(({ chapter, findings }) =>
    findings.problems.map(
      ({ rule, about, what }: Problem) =>
        `${rule}: ${about}: ${what} [seed ${chapter.seed}, chapter ${chapter.number}]`,
    ),
  );

export function deviationsOf(all: readonly Checked[]): Deviations {
  const sum = noDeviations();
  for (const { findings } of all) {
    for (const name of Object.keys(sum) as (keyof Deviations)[]) sum[name] += findings.deviations[name];
  }
  return sum;
}
