import { describe, expect, test } from 'vitest';
import { resetAtMs } from '../../src/agents/http-reset-time.ts';

/** 15 January 2027, 08:00:00 UTC. */
const NOW_MS = 1_800_000_000_000;

/** Milliseconds from now on; undefined where the headers say nothing that can be right. */
const waitMs = (headers: Record<string, string>): number | undefined => {
  const atMs = resetAtMs(headers, NOW_MS);
  return atMs === undefined ? undefined : atMs - NOW_MS;
};

describe('the time of another try', () => {
  test.each<[string, Record<string, string>, number | undefined]>([
    ['seconds', { 'retry-after': '20' }, 20_000],
    ['no seconds at all', { 'retry-after': '0' }, 0],
    ['milliseconds, which are more exact', { 'retry-after-ms': '1500', 'retry-after': '2' }, 1500],
    ['a date', { 'retry-after': 'Fri, 15 Jan 2027 08:01:00 GMT' }, 60_000],
    ['a date that has passed', { 'retry-after': 'Fri, 15 Jan 2027 07:59:00 GMT' }, undefined],
    ['a span of requests', { 'x-ratelimit-reset-requests': '1m30s' }, 90_000],
    ['a span with a fraction', { 'x-ratelimit-reset-tokens': '7.66s' }, 7660],
    ['a span in milliseconds', { 'x-ratelimit-reset-tokens': '120ms' }, 120],
    ['a span of plain seconds', { 'x-ratelimit-reset-requests': '12' }, 12_000],
    [
      'the later of two limits, where neither says that it is used up',
      { 'x-ratelimit-reset-requests': '1s', 'x-ratelimit-reset-tokens': '5s' },
      5000,
    ],
    [
      'the limit that is used up, not the later one',
      {
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '1s',
        'x-ratelimit-remaining-tokens': '5',
        'x-ratelimit-reset-tokens': '5s',
      },
      1000,
    ],
    ['a time in milliseconds', { 'x-ratelimit-reset': String(NOW_MS + 7000) }, 7000],
    ['a time in seconds', { 'x-ratelimit-reset': String(NOW_MS / 1000 + 9) }, 9000],
    ['seconds that are left', { 'x-ratelimit-reset': '30' }, 30_000],
    ['the first header that can be right', { 'retry-after': 'soon', 'x-ratelimit-reset': '30' }, 30_000],
    ['nothing', {}, undefined],
    ['a word', { 'retry-after': 'later' }, undefined],
    ['a negative number', { 'retry-after': '-5' }, undefined],
    ['a year', { 'retry-after': '999999999' }, undefined],
    ['junk after a number', { 'x-ratelimit-reset-requests': '1s; drop' }, undefined],
  ])('is read from %s', (_, headers, expected) => {
    expect(waitMs(headers)).toBe(expected);
  });
});
