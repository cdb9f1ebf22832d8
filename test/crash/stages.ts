/**
 * What happens in a round: of each kind of scene, who writes and what is done to the gateway, so that it is likely to come
 * to the point where it shall die.
 */
import type { Dice } from './dice.ts';
import {
  type End,
  EVERYBODY,
  type Line,
  type Request,
  type Round,
  type Timed,
  type Trouble,
  type Word,
} from './round.ts';

/** In a chapter with such clocks, this part of its lives has one. */
const CLOCK_OFF_CHANCE = 0.3;

/** Longest a wall clock of a life is off: less than what makes a reply too old to be sent. */
const CLOCK_OFF_MS = 3 * 3_600_000;

export interface RoundOptions {
  readonly dice: Dice;
  readonly number: number;
  readonly point: string | undefined;
  readonly smallDisk: boolean;
  readonly sendsOnce: boolean;
  readonly clocksOff: boolean;
  readonly names: (kind: string) => string;
  readonly isBeside: boolean;
}

/** One round; `point`: where its life shall end, at any moment without one. */
export function roundOf(options: RoundOptions): Round {
  const { dice, number, point, smallDisk, sendsOnce, clocksOff, names, isBeside } = options;
  const scene = point === undefined ? sceneByChance(dice, number, smallDisk) : sceneOf(point);
  const staged = STAGES[scene]({ dice, names });
  const hit = point !== undefined && isFrequent(point) ? dice.between(1, 3) : 1;
  const end: End = point === undefined ? endByChance(dice, scene) : { how: 'point', point, hit };
  const canAsk = dice.chance(0.15) ? { reconcile: true as const } : {};
  return {
    number,
    lines: [...staged.lines, ...chatter(dice, names)],
    ...(isBeside ? { beside: { id: names('b') } } : {}),
    server: sendsOnce ? { sendsOnce } : (staged.server ?? canAsk),
    troubles: staged.troubles ?? troublesByChance(dice, !clocksOff),
    requests: staged.requests ?? [],
    ...(clocksOff && dice.chance(CLOCK_OFF_CHANCE) ? { clock: clockOff(dice) } : {}),
    end,
    resumes: EVERYBODY.filter(() => dice.chance(0.5)),
  };
}

type Scene =
  | 'traffic'
  | 'busy'
  | 'progress'
  | 'stop'
  | 'restart'
  | 'hurry'
  | 'drain'
  | 'fails'
  | 'cuts'
  | 'asks'
  | 'locked'
  | 'full'
  | 'stopped';

interface Staged {
  readonly lines: readonly Line[];
  readonly server?: Round['server'];
  readonly troubles?: readonly Timed<Trouble>[];
  readonly requests?: readonly Timed<Request>[];
}

interface Stage {
  readonly dice: Dice;
  readonly names: (kind: string) => string;
}

/** What makes it likely that a life comes to a point of a kind. */
const STAGES: Readonly<Record<Scene, (stage: Stage) => Staged>> = {
  traffic: () => ({ lines: [] }),
  busy: (stage: Stage) => ({ lines: busy(stage) }),
  progress: ({ dice, names }: Stage) => ({
    lines: [said(names('m'), 'long', dice.pick(EVERYBODY), 0)],
    troubles: [],
  }),
  stop: (stage: Stage) => leaving(stage, 'SIGTERM'),
  restart: (stage: Stage) => leaving(stage, 'SIGUSR1'),
  hurry: (stage: Stage) => leaving(stage, 'hurry'),
  drain: (stage: Stage) => leaving(stage, 'drain'),
  fails: ({ dice }: Stage) => ({
    lines: [],
    troubles: [
      { atMs: 0, one: { what: 'behaviour', behaviour: { how: 'fail' }, times: dice.between(1, 3) } },
    ],
  }),
  cuts: ({ dice }: Stage) => ({
    lines: [],
    troubles: [
      {
        atMs: 0,
        one: {
          what: 'behaviour',
          behaviour: dice.chance(0.5) ? { how: 'cut' } : { how: 'cut', lost: true },
          times: dice.between(1, 3),
        },
      },
    ],
  }),
  asks: () => ({
    lines: [],
    server: { reconcile: true },
    troubles: [{ atMs: 0, one: { what: 'behaviour', behaviour: { how: 'cut' }, times: 3 } }],
  }),
  locked: ({ dice }: Stage) => ({
    lines: [],
    troubles: [
      { atMs: dice.between(0, 150), one: { what: 'database locked', forMs: dice.between(150, 500) } },
    ],
  }),
  full: ({ dice }: Stage) => ({
    lines: [],
    troubles: [{ atMs: dice.between(0, 150), one: { what: 'disk full', forMs: dice.between(150, 900) } }],
  }),
  stopped: ({ dice }: Stage) => ({
    lines: [],
    troubles: [
      { atMs: dice.between(0, 200), one: { what: 'SIGSTOP and SIGCONT', forMs: dice.between(50, 400) } },
    ],
  }),
};

function sceneOf(point: string): Scene {
  if (/receive-waiting|start-turn|start-command|take-up|receive-held/.test(point)) return 'busy';
  if (/progress/.test(point)) return 'progress';
  if (/commit hold|refuse|draining.waiting|restarting/.test(point)) return 'restart';
  if (/draining.interrupting|cut-off/.test(point)) return 'hurry';
  if (/draining.drained/.test(point)) return 'drain';
  if (/life-end|stopped|platform-stop|stop-receiving|store-close/.test(point)) return 'stop';
  if (/running.degraded/.test(point)) return 'locked';
  if (/unsent/.test(point)) return 'fails';
  if (/unknown/.test(point)) return 'cuts';
  return /reconcile/.test(point) ? 'asks' : 'traffic';
}

function sceneByChance(dice: Dice, round: number, smallDisk: boolean): Scene {
  // A lock needs a file, and what the first life of a home does is its own kind of start.
  const outages: Scene[] = round === 0 ? [] : smallDisk ? ['full', 'full'] : ['locked'];
  const rare: Scene[] = ['stop', 'restart', 'hurry', 'drain', 'fails', 'cuts', 'asks', 'stopped', ...outages];
  return dice.chance(0.5) ? dice.pick(rare) : dice.pick(['traffic', 'busy']);
}

function endByChance(dice: Dice, scene: Scene): End {
  const asked = scene === 'stop' || scene === 'hurry';
  if (asked && dice.chance(0.5)) return { how: 'leaves' };
  const longest = scene === 'restart' || scene === 'locked' || scene === 'full' ? 900 : 350;
  return dice.chance(0.3)
    ? { how: 'kill', from: 'spawn', afterMs: dice.between(20, 300) }
    : { how: 'kill', from: 'link', afterMs: dice.between(0, longest) };
}

/** A life comes to these many times. */
const isFrequent = (point: string): boolean =>
  /receive-turn|settle-turn|commit (claim|sent)|acknowledge| send|receive-command|settle-co/.test(point);

/** One person who writes faster than the agent answers, and commands that wait for one another. */
function busy({ dice, names }: Stage): Line[] {
  const who = dice.pick(EVERYBODY);
  const asked = Array.from({ length: dice.between(2, 4) }, (_, at) =>
    said(names('m'), dice.pick(['say', 'stream']), who, 5 + at),
  );
  const notes = [0, 1].map((at) => said(names('m'), 'slow-note', dice.pick(EVERYBODY), at));
  return [said(names('m'), 'slow', who, 0), ...asked, ...notes];
}

/** It is asked to leave while turns and commands are at work, and is written to meanwhile. */
function leaving(stage: Stage, request: Request): Staged {
  const { dice, names } = stage;
  const atMs = dice.between(20, 120);
  const late = [
    said(names('m'), 'say', dice.pick(EVERYBODY), atMs + 30),
    { ...said(names('m'), 'say', dice.pick(EVERYBODY), atMs + 30), whenBusy: 'queue' as const },
    said(names('m'), 'note', dice.pick(EVERYBODY), atMs + 40),
  ];
  return { lines: [...busy(stage), ...late], requests: [{ atMs, one: request }] };
}

/** What everybody writes at any time. */
function chatter(dice: Dice, names: (kind: string) => string): Line[] {
  return Array.from({ length: dice.between(3, 7) }, (): Line => {
    const word = dice.pick([
      'say',
      'say',
      'stream',
      'slow',
      'note',
      'note',
      'n',
      'slow-note',
      'status',
      'ps',
      'odd',
    ] as const);
    const queue = dice.chance(0.2) ? { whenBusy: 'queue' as const } : {};
    if (dice.chance(0.15)) {
      const conversation = dice.pick(['here', 'there']);
      return { id: names('s'), word, conversation, through: 'socket', atMs: dice.between(0, 150), ...queue };
    }
    const before = dice.chance(0.35);
    const line = said(names('m'), word, dice.pick(EVERYBODY), dice.between(0, 200));
    const { atMs: _, ...early } = line;
    return { ...(before ? early : line), ...queue };
  }).toSorted((a, b) => (a.atMs ?? -1) - (b.atMs ?? -1));
}

const said = (id: string, word: Word, conversation: string, atMs: number) =>
  ({ id, word, conversation, through: 'platform', atMs }) as const satisfies Line;

function troublesByChance(dice: Dice, mayWait: boolean): Timed<Trouble>[] {
  if (!dice.chance(0.3)) return [];
  const behaviour = dice.pick([
    ...([{ how: 'delay', ms: dice.between(20, 120) }, { how: 'cut' }, { how: 'cut', lost: true }] as const),
    ...([{ how: 'fail' }, { how: 'wait', ms: dice.between(30, 1200) }, { how: 'format' }] as const),
    'link',
  ] as const);
  const atMs = dice.between(0, 150);
  if (behaviour !== 'link' && behaviour.how === 'wait' && !mayWait) return [];
  if (behaviour === 'link') return [{ atMs, one: { what: 'link cut' } }];
  const scope = dice.chance(0.5) ? { conversation: `standin:${dice.pick(EVERYBODY)}` } : {};
  return [{ atMs, one: { what: 'behaviour', behaviour, times: dice.between(1, 4), ...scope } }];
}

function clockOff(dice: Dice): NonNullable<Round['clock']> {
  const far = () => dice.between(-CLOCK_OFF_MS, CLOCK_OFF_MS);
  return { offByMs: dice.chance(0.5) ? far() : 0, jumpsAfterMs: dice.between(50, 500), jumpMs: far() };
}
