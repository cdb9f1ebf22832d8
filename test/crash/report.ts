/** Writes into `docs/reliability.md` what the long form has done and found, between its two markers. */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Deviations } from './findings.ts';
import { POINTS } from './inside/points.ts';
import { type Checked, deviationsOf, killsOf, problemLines } from './run.ts';

/** So often at least a long run kills a gateway at each of its points. */
export const POINT_KILLS_MIN = 5;

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FILE = join(ROOT, 'docs/reliability.md');
const BEGIN = '<!-- crash suite: begin -->';
const END = '<!-- crash suite: end -->';

export interface Ran {
  readonly seed: string;
  readonly tookMs: number;
  /** Disks could be filled. */
  readonly canMount: boolean;
}

export function writeReport(all: readonly Checked[], ran: Ran): void {
  const page = readFileSync(FILE, 'utf8');
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`${FILE} has no place between ${BEGIN} and ${END}`);
  writeFileSync(FILE, `${before}${BEGIN}\n\n${reportOf(all, ran)}\n\n${END}${after}`);
}

export function reportOf(all: readonly Checked[], ran: Ran): string {
  return [
    summary(all, ran),
    table(['promise', 'broken'], brokenRows(all)),
    '### What became of messages',
    table(['kind', 'outcome', 'messages'], outcomeRows(all)),
    turnsText(all),
    '### What no promise covers',
    table(['what', 'times'], deviationRows(deviationsOf(all))),
    '### What was done to the gateway',
    table(['what', 'times'], troubleRows(all)),
    '### Kills at instrumented points',
    `${howOften(all)} “Before a commit” is when a unit is handed to the store, “after” when it is on disk and whoever waits for it does not know yet; the names are those of \`test/crash/inside\`.`,
    table(['point', 'kills'], pointRows(all)),
  ].join('\n\n');
}

function summary(all: readonly Checked[], { seed, tookMs, canMount }: Ran): string {
  const kills = killsOf(all);
  const atPoints = kills.filter(({ how }) => how === 'killed at a point').length;
  const lives = all.reduce((sum, { record }) => sum + record.ended.length + 1, 0);
  const messages = all.reduce((sum, { record }) => sum + record.written.length + record.beside.length, 0);
  const replies = all.reduce((sum, { record }) => sum + record.arrivals.length, 0);
  const machine = `${availableParallelism()} cores (${cpus()[0]?.model.trim()}), Node ${process.versions.node}, ${process.platform}`;
  return [
    `${versionRun()}, ${new Date().toISOString().slice(0, 10)}, on ${machine}, seed \`${seed}\`: ${counted(kills.length)} kills in ${counted(lives)} lives of ${counted(all.length)} homes, ${counted(atPoints)} of them at instrumented points and ${counted(kills.length - atPoints)} at any moment; ${counted(messages)} messages in, ${counted(replies)} out; ${Math.round(tookMs / 60_000)} minutes.`,
    ...(canMount ? [] : ['No disk was filled: that needs root; the plan is the same.']),
  ].join(' ');
}

/** The commit where there is a repository, and whether its files had changed since; else the version of the package. */
function versionRun(): string {
  try {
    const args = ['describe', '--always', '--dirty', '--exclude', '*'];
    const commit = execFileSync('git', args, {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return `Commit ${commit.trim().replace('-dirty', ' and what was changed since')}`;
  } catch {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    return `Version ${version}`;
  }
}

const RULES = [
  'none is missing',
  'one outcome each',
  'the outcome is one that this message can have',
  'the same id tells the same outcome',
  'order in',
  'order out',
  'a command at most once',
  'a turn once an attempt',
  'a reply arrives',
  'a repeated reply is marked',
  'a mark is earned',
  'whoever is asked was told',
  'an incident is told once',
  'a named wait is kept',
  'a living life is left alone',
  'nothing comes from nowhere',
  'the database is whole',
  'nothing odd happened',
] as const;

function brokenRows(all: readonly Checked[]): string[][] {
  const problems = all.flatMap(({ findings }) => findings.problems);
  return RULES.map((rule) => [rule, counted(problems.filter((problem) => problem.rule === rule).length)]);
}

function outcomeRows(all: readonly Checked[]): string[][] {
  const sums = new Map<string, number>();
  for (const { findings } of all) {
    for (const [kind, outcomes] of Object.entries(findings.outcomes)) {
      for (const [outcome, count] of Object.entries(outcomes)) {
        const key = `${kind} ${outcome}`;
        sums.set(key, (sums.get(key) ?? 0) + count);
      }
    }
  }
  return [...sums]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([key, count]) => {
      const [kind = '', ...outcome] = key.split(' ');
      return [kind, outcome.join(' '), counted(count)];
    });
}

function turnsText(all: readonly Checked[]): string {
  const resumed = all.reduce((sum, { findings }) => sum + findings.resumed, 0);
  const marked = all.reduce((sum, { findings }) => sum + findings.marked, 0);
  return `${counted(resumed)} turns went on with a message whose turn had been cut off; ${counted(marked)} replies came with the mark that they may have come before. Problems found: ${counted(problemLines(all).length)}.`;
}

const DEVIATIONS: Readonly<Record<keyof Deviations, string>> = {
  notRecorded:
    'a command or a control command that ran while the store could not be written, and said “not recorded”',
  ranAgainUnrecorded: '… and ran once more, because the gateway died before it could be written',
  givenUp: 'a reply that was cut off five times, and given up as a dead letter',
  ageUnknown: 'a message that waits for a word because a clock had been set back behind its arrival',
};

const deviationRows = (deviations: Deviations): string[][] =>
  Object.entries(DEVIATIONS).map(([name, what]) => [what, counted(deviations[name as keyof Deviations])]);

function troubleRows(all: readonly Checked[]): string[][] {
  const sums = new Map<string, number>();
  for (const { record } of all) {
    for (const [what, count] of Object.entries(record.troubles))
      sums.set(what, (sums.get(what) ?? 0) + count);
  }
  const beside = all.reduce((sum, { record }) => sum + record.beside.length, 0);
  sums.set('a command line runs a command beside it', beside);
  return [...sums].toSorted(([a], [b]) => a.localeCompare(b)).map(([what, count]) => [what, counted(count)]);
}

function howOften(all: readonly Checked[]): string {
  const rare = POINTS.filter((point) => killsAt(all, point) < POINT_KILLS_MIN);
  const times = `at least ${POINT_KILLS_MIN} times`;
  return rare.length === 0
    ? `Each of the ${POINTS.length} points ${times}.`
    : `Of ${POINTS.length} points all but ${rare.length} ${times}; not so ${rare.join(', ')}.`;
}

const killsAt = (all: readonly Checked[], point: string): number =>
  killsOf(all).filter((kill) => kill.point === point).length;

function pointRows(all: readonly Checked[]): string[][] {
  return POINTS.map((point) => [point, counted(killsAt(all, point))]);
}

function table(head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const counted = (count: number): string => count.toLocaleString('en-US');
