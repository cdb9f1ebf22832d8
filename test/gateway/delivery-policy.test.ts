/** The table of what becomes of a message that goes out, held cell by cell to one that was written by hand. */
import { describe, expect, test } from 'vitest';
import {
  BACKOFF_MS_MAX,
  backoffMs,
  type Circumstances,
  type Happening,
  isDeferral,
  type OpenState,
  stepFor,
} from '../../src/gateway/delivery-policy.ts';

const PLATFORMS = {
  ordinary: { sendsOnce: false, canAsk: false },
  'one that recognises what it has': { sendsOnce: true, canAsk: false },
  'one that can be asked': { sendsOnce: false, canAsk: true },
  'one that can do both': { sendsOnce: true, canAsk: true },
} as const;

type Cell = string | readonly [ordinary: string, recognises: string, canBeAsked: string];

const NOTHING = '-';

/**
 * What it becomes, what is next, and then in this order: `counted` when that was an attempt, `plain` or `marked` when it
 * is sent like that from now on, `parks` when its conversation rests.
 */
const ORACLE: Readonly<Record<OpenState, Readonly<Record<Happening, Cell>>>> = {
  pending: {
    sent: NOTHING,
    'not-sent': NOTHING,
    cut: NOTHING,
    wait: NOTHING,
    format: NOTHING,
    gone: NOTHING,
    orphaned: NOTHING,
    'found-delivered': NOTHING,
    'found-absent': NOTHING,
    'not-known': NOTHING,
    'not-asked': NOTHING,
    'too-old': 'dead never',
    discarded: 'dead never',
    'link-lost': 'pending link',
    leaving: 'pending next-start',
    unclaimed: 'pending store',
  },
  sending: {
    sent: 'delivered never counted',
    'not-sent': 'pending backoff counted',
    cut: ['unknown backoff counted marked', 'pending backoff counted', 'unknown ask-later counted'],
    wait: 'pending named-wait',
    format: 'pending at-once counted plain',
    gone: 'dead never counted parks',
    orphaned: ['unknown at-once marked', 'pending at-once', 'unknown ask'],
    'found-delivered': NOTHING,
    'found-absent': NOTHING,
    'not-known': NOTHING,
    'not-asked': NOTHING,
    'too-old': NOTHING,
    discarded: NOTHING,
    'link-lost': 'pending link',
    leaving: 'pending next-start',
    unclaimed: NOTHING,
  },
  unknown: {
    sent: NOTHING,
    'not-sent': NOTHING,
    cut: NOTHING,
    wait: NOTHING,
    format: NOTHING,
    gone: NOTHING,
    orphaned: ['unknown at-once marked', 'pending at-once', 'unknown ask'],
    'found-delivered': 'delivered never',
    'found-absent': 'pending at-once',
    'not-known': 'unknown at-once marked',
    'not-asked': 'unknown ask-later',
    'too-old': 'dead never',
    discarded: 'dead never',
    'link-lost': 'unknown link',
    leaving: 'unknown next-start',
    unclaimed: 'unknown store',
  },
};

function told(state: OpenState, happening: Happening, circumstances: Circumstances): string {
  const step = stepFor(state, happening, circumstances);
  if (step === null) return NOTHING;
  const { state: to, next, counts, as, parks } = step;
  return [to, next, counts ? 'counted' : '', as ?? '', parks ? 'parks' : ''].filter(Boolean).join(' ');
}

/** Of a platform that can do both the certain way is taken. */
function expected(cell: Cell, platform: keyof typeof PLATFORMS): string {
  if (typeof cell === 'string') return cell;
  const [ordinary, recognises, canBeAsked] = cell;
  if (platform === 'ordinary') return ordinary;
  return platform === 'one that can be asked' ? canBeAsked : recognises;
}

const STATES = Object.keys(ORACLE) as OpenState[];
const cells = STATES.flatMap((state) =>
  (Object.entries(ORACLE[state]) as [Happening, Cell][]).map(([happening, cell]) => ({
    state,
    happening,
    cell,
  })),
);

describe.for(Object.keys(PLATFORMS) as (keyof typeof PLATFORMS)[])('a platform: %s', (platform) => {
  test.for(cells)('$state, $happening', ({ state, happening, cell }) => {
    const circumstances = { ...PLATFORMS[platform], plain: false, cuts: 1 };
    expect(told(state, happening, circumstances)).toBe(expected(cell, platform));
  });

  test('plain text that is rejected, too, is dead', () => {
    const circumstances = { ...PLATFORMS[platform], plain: true, cuts: 2 };
    expect(told('sending', 'format', circumstances)).toBe('dead never counted');
  });
});

test('only the rejection of formatting depends on whether it was plain', () => {
  for (const { state, happening } of cells.filter(({ happening }) => happening !== 'format')) {
    const circumstances = { ...PLATFORMS.ordinary, cuts: 1 };
    const [as, plain] = [false, true].map((plain) => told(state, happening, { ...circumstances, plain }));
    expect(plain).toBe(as);
  }
});

test('what may have reached its reader five times is not sent a sixth time, unless nobody would notice', () => {
  const after = (cuts: number, platform: keyof typeof PLATFORMS) =>
    told('sending', 'cut', { ...PLATFORMS[platform], plain: false, cuts });
  expect([1, 4, 5, 6].map((cuts) => after(cuts, 'ordinary'))).toEqual([
    'unknown backoff counted marked',
    'unknown backoff counted marked',
    'dead never counted',
    'dead never counted',
  ]);
  expect(after(50, 'one that recognises what it has')).toBe('pending backoff counted');
  expect(after(50, 'one that can be asked')).toBe('unknown ask-later counted');
  // A gateway that dies over and over is not the message's fault.
  expect(told('sending', 'orphaned', { ...PLATFORMS.ordinary, plain: false, cuts: 50 })).toBe(
    'unknown at-once marked',
  );
});

test('a wait that the platform names, a lost link and a gateway that leaves are no attempts; anything else is', () => {
  const happenings = Object.keys(ORACLE.sending) as Happening[];
  expect(happenings.filter(isDeferral)).toEqual(['wait', 'link-lost', 'leaving']);
});

describe('the wait after failures', () => {
  test('doubles from a second to a minute', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8, 100].map((failures) => backoffMs(failures, 0));
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    expect(backoffMs(5000, 0)).toBe(BACKOFF_MS_MAX);
  });

  test('is cut by chance, at most in half', () => {
    expect([0, 0.5, 0.999].map((chance) => backoffMs(2, chance))).toEqual([2000, 1500, 1001]);
  });
});
