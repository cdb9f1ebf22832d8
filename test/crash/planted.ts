/** For each planted bug: a plan in which it must show itself, and what the checker must say of it. */
import type { Rule } from './findings.ts';
import type { PlantedBug } from './inside/planted-bugs.ts';
import { chapterOf } from './plan.ts';
import type { Chapter, Round } from './round.ts';

interface Planted {
  /** Where the gateways die, one after the other. */
  readonly points: readonly string[];
  readonly beside?: true;
  /** What is other in its rounds than the dice say. */
  readonly changed?: (round: Round) => Round;
  readonly rule: Rule;
}

/** Nobody but one person writes, whose agent has effects and keeps at it; nobody sends `/resume`. */
const onePerson = (round: Round): Round => ({
  ...round,
  lines: round.lines
    .filter(({ word }) => word === 'long')
    .map((line) => ({ ...line, conversation: 'ann', through: 'platform' })),
  troubles: [],
  resumes: [],
});

/** Longer than a start takes. */
const NAMED_WAIT_MS = 4000;

/** The first reply meets a server that names a wait. */
const toldToWait = (round: Round): Round => ({
  ...round,
  troubles: [
    { atMs: 0, one: { what: 'behaviour', behaviour: { how: 'wait', ms: NAMED_WAIT_MS }, times: 1 } },
  ],
});

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
  'the down notice is repeated at every death': {
    points: times(2, 'after commit progress'),
    changed: onePerson,
    rule: 'an incident is told once',
  },
  'the second cut message is not told': {
    points: times(2, 'after commit progress'),
    changed: onePerson,
    rule: 'whoever is asked was told',
  },
  "a platform's named wait forgotten at a restart": {
    points: times(2, 'after commit unsent'),
    changed: toldToWait,
    rule: 'a named wait is kept',
  },
};

export const ruleAgainst = (bug: PlantedBug): Rule => PLANTED[bug].rule;

export function plantedChapter(bug: PlantedBug, seed: string): Chapter {
  const { points, beside, changed = (round) => round } = PLANTED[bug];
  const options = { rounds: points.length, points };
  const chapter = chapterOf(seed, 0, beside === undefined ? options : { ...options, beside });
  return { ...chapter, rounds: chapter.rounds.map(changed) };
}
