/** When a gateway that keeps dying stops taking turns, and what its deaths are called. Oracles by hand. */
import { describe, expect, test } from 'vitest';
import { crashIncident, isCrashLoop, startsInSafeMode } from '../../src/gateway/crash-chain.ts';

const S = 1000;
const MIN = 60 * S;
const NOW = 1_800_000_000_000;
const rules = { deaths: 5, withinMs: 60 * S, slowDeaths: 8, slowWithinMs: 30 * MIN, quietMs: 2 * MIN };
const ago = (...ms: number[]) => ms.map((each) => NOW - each);

describe('a crash loop', () => {
  test('is five deaths in a minute', () => {
    expect(isCrashLoop(ago(0, 10 * S, 20 * S, 30 * S), rules, NOW)).toBe(false);
    expect(isCrashLoop(ago(0, 10 * S, 20 * S, 30 * S, 60 * S), rules, NOW)).toBe(true);
    expect(isCrashLoop(ago(0, 10 * S, 20 * S, 30 * S, 61 * S), rules, NOW)).toBe(false);
  });

  test('is eight deaths in half an hour', () => {
    const seven = ago(0, 4 * MIN, 8 * MIN, 12 * MIN, 16 * MIN, 20 * MIN, 24 * MIN);
    expect(isCrashLoop(seven, rules, NOW)).toBe(false);
    expect(isCrashLoop([...seven, NOW - 30 * MIN], rules, NOW)).toBe(true);
    expect(isCrashLoop([...seven, NOW - 31 * MIN], rules, NOW)).toBe(false);
  });

  test('is none without a death', () => {
    expect(isCrashLoop([], rules, NOW)).toBe(false);
  });
});

describe('a start', () => {
  /** Five deaths in a minute, of the lives 1 to 5. */
  const deaths = [1, 2, 3, 4, 5].map((life) => ({ life, at: NOW - (6 - life) * S }));
  const facts = { deaths, rules, now: NOW };

  test.each([
    ['is in safe mode after a crash loop', undefined, true],
    ['goes on with safe mode where the life before had not left it', { life: 6, mode: 'on' }, true],
    ['counts no death of a life before one that has left safe mode', { life: 6, mode: 'left' }, false],
    ['counts those since, that life’s own with them', { life: 2, mode: 'left' }, false],
    ['counts all of those since', { life: 1, mode: 'left' }, true],
  ] as const)('%s', (_, mark, expected) => {
    expect(startsInSafeMode({ ...facts, mark })).toBe(expected);
  });

  test('goes on with safe mode however long ago the deaths were', () => {
    expect(startsInSafeMode({ ...facts, deaths: [], mark: { life: 6, mode: 'on' } })).toBe(true);
  });
});

describe('the incident of a death', () => {
  /** Of the lives 1, 2 and so on; `ats`: when each died, as the clock said by then. */
  const died = (...ats: number[]) => ats.map((at, before) => ({ life: before + 1, at: NOW + at }));

  test('is named after the first of those that followed each other without a quiet time', () => {
    const deaths = died(0, MIN, 4 * MIN, 6 * MIN, 7 * MIN);
    expect(crashIncident(deaths, 2 * MIN)).toBe('crash:3');
  });

  test('does not depend on the order in which the deaths are known', () => {
    const deaths = died(0, 2 * MIN, 3 * MIN);
    expect(crashIncident([...deaths].reverse(), 2 * MIN)).toBe('crash:1');
  });

  test('is the death itself when it stands alone, and none without one', () => {
    expect(crashIncident([{ life: 7, at: NOW }], 2 * MIN)).toBe('crash:7');
    expect(crashIncident([], 2 * MIN)).toBeUndefined();
  });

  test('is a new one after a clock that was set back by more, and stays that whatever time the clock says next', () => {
    const early = died(0, 1, -121 * S);
    expect(crashIncident(early, 2 * MIN)).toBe('crash:3');
    const nearer = died(0, 1, -121 * S, -116 * S);
    expect(crashIncident(nearer, 2 * MIN)).toBe('crash:3');
    const past = died(0, 1, -121 * S, -116 * S, -1 * S);
    expect(crashIncident(past, 2 * MIN)).toBe('crash:3');
  });

  test('goes on over a clock that was set back by less', () => {
    expect(crashIncident(died(0, -119 * S), 2 * MIN)).toBe('crash:1');
  });
});
