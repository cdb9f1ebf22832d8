/** Ids sort in the order in which they were made, whatever the clock does. */
import { describe, expect, test } from 'vitest';
import { newId } from '../../src/messages/ids.ts';

const NOW = 1_800_000_000_000;
/** More than an id's counter has values. */
const MANY = 36 ** 3 + 10;

const made = (count: number, wallMs: (n: number) => number): string[] =>
  Array.from({ length: count }, (_, n) => newId('m', wallMs(n)));

describe('ids of one process sort as they were made', () => {
  test.each([
    ['within one moment, also when its counter begins anew', (_: number) => NOW],
    ['while the clock goes on', (n: number) => NOW + 1000 + n],
    ['over a clock that is set back by a day', (n: number) => NOW + (n < MANY / 2 ? 86_400_000 : 0)],
  ])('%s', (_, wallMs) => {
    const ids = made(MANY, wallMs);
    expect(ids.findIndex((id, at) => at > 0 && id <= (ids[at - 1] ?? ''))).toBe(-1);
    expect(new Set(ids).size).toBe(MANY);
  });
});

test('an id begins with the letter of what it is for', () => {
  expect(newId('o', NOW)).toMatch(/^o_[a-z0-9]{14}$/);
});
