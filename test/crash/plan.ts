/**
 * What a run will do, all of it from its seed: chapters (a home and a chat server each) of rounds (a life of a gateway
 * each). A round says who writes what and when, what goes wrong meanwhile, and how the life ends. What comes of it hangs
 * on the machine; the plan does not.
 */
import { Dice } from './dice.ts';
import { POINTS } from './inside/points.ts';
import type { Chapter, Round } from './round.ts';
import { roundOf } from './stages.ts';

export const ROUNDS_PER_CHAPTER = 25;

/** This part of all rounds is ended at a point. */
const POINT_ROUNDS = 0.7;

/** In this part of them a command line runs a command beside the gateway. */
const BESIDE_CHANCE = 0.06;

/** Points that many a life on its way there does not come to stand twice. */
const CYCLE = [...POINTS, ...POINTS.filter((point) => /commit (?:calm|unknown)|reconcile/.test(point))];

export interface ChapterOptions {
  readonly rounds: number;
  /** Points to come to, in order; absent: what comes by the seed. */
  readonly points?: readonly (string | undefined)[];
  /** In every round a command line runs a command beside the gateway; absent: in some. */
  readonly beside?: true;
}

export function chapterOf(seed: string, number: number, options: ChapterOptions): Chapter {
  const dice = new Dice(`${seed}/${number}`);
  const smallDisk = number % 2 === 1;
  const sendsOnce = number % 4 === 3;
  const clocksOff = number % 3 === 2;
  const resume = number % 2 === 0 ? 'auto' : dice.pick(['auto', 'auto', 'ask', 'always', 'never'] as const);
  const names = counter();
  const points = options.points ?? pointsOf(seed, number, options.rounds, dice);
  const rounds = Array.from({ length: options.rounds }, (_, at) => {
    const isBeside = options.beside ?? dice.chance(BESIDE_CHANCE);
    const about = { number: at, point: points[at], smallDisk, sendsOnce, clocksOff };
    return roundOf({ dice, names, isBeside, ...about });
  });
  return { seed, number, resume, smallDisk, sendsOnce, clocksOff, rounds };
}

/**
 * Where the lives of a chapter end; undefined for those that end at any moment. Over all chapters every point comes as
 * often as in a cycle before the next one begins, but where a server that recognises what comes again leaves no way to it.
 */
function pointsOf(seed: string, chapter: number, rounds: number, dice: Dice): (string | undefined)[] {
  const count = Math.floor(rounds * POINT_ROUNDS);
  const first = chapter * Math.floor(ROUNDS_PER_CHAPTER * POINT_ROUNDS);
  const points = Array.from({ length: count }, (_, at) => {
    const place = first + at;
    const cycle = Math.floor(place / CYCLE.length);
    const point = new Dice(`${seed}/points/${cycle}`).shuffled(CYCLE)[place % CYCLE.length];
    return chapter % 4 === 3 && /reconcile|commit unknown/.test(point ?? '') ? undefined : point;
  });
  return dice.shuffled([...points, ...Array.from({ length: rounds - count }, () => undefined)]);
}

/** `m1`, `m2`, `s3`: no two of a chapter are alike. */
function counter(): (kind: string) => string {
  let count = 0;
  return (kind) => {
    count += 1;
    return `${kind}${count}`;
  };
}

const CALM_CHAPTER = 1_000_000;

/** A chapter in which nobody dies and nothing goes wrong. */
export function calmChapter(seed: string, rounds: number): Chapter {
  const chapter = chapterOf(seed, 0, { rounds });
  const calm = chapter.rounds.map(
    ({ number, lines, beside, resumes }): Round => ({
      ...{ number, lines, resumes, server: {}, troubles: [], requests: [], end: { how: 'leaves' } },
      ...(beside === undefined ? {} : { beside }),
    }),
  );
  // After those in which somebody dies.
  return { ...chapter, number: CALM_CHAPTER, rounds: calm };
}
