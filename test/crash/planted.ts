/** For each planted bug: a plan in which it must show itself, and what the checker must say of it. */
import type { Rule } from './findings.ts';
import type { PlantedBug } from './inside/planted-bugs.ts';
import { chapterOf } from './plan.ts';
import type { Chapter } from './round.ts';

interface Planted {
  /** Where the gateways die, one after the other. */
  readonly points: readonly string[];
  readonly beside?: true;
  readonly rule: Rule;
}

const times = (count: number, point: string): string[] => Array.from({ length: count }, () => point);

const PLANTED: Readonly<Record<PlantedBug, Planted>> = {
  'acknowledge before commit': { points: times(3, 'after acknowledge'), rule: 'none is missing' },
  'settle twice': { points: times(2, 'after commit settle-turn'), rule: 'one outcome each' },
  'lost outbox row': { points: times(3, 'before send'), rule: 'a reply arrives' },
  'reordered queue': { points: times(3, 'before commit start-turn'), rule: 'order in' },
  'command run again': { points: times(4, 'before commit settle-command'), rule: 'a command at most once' },
  'recovery touches a living life': {
    points: times(2, 'after commit settle-turn'),
    beside: true,
    rule: 'a living life is left alone',
  },
  'everything settled at boot': {
    points: times(3, 'before commit start-turn'),
    rule: 'the outcome is one that this message can have',
  },
  'every reply marked': { points: times(1, 'after commit sent'), rule: 'a mark is earned' },
};

export const ruleAgainst = (bug: PlantedBug): Rule => PLANTED[bug].rule;

export function plantedChapter(bug: PlantedBug, seed: string): Chapter {
  const { points, beside } = PLANTED[bug];
  const options = { rounds: points.length, canMount: false, points };
  return chapterOf(seed, 0, beside === undefined ? options : { ...options, beside });
}
