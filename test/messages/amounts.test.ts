import { expect, test } from 'vitest';
import { limit, seconds } from '../../src/messages/amounts.ts';

test.each([
  [0, '0 s'],
  [-5, '0 s'],
  [1499, '1 s'],
  [119_000, '119 s'],
  [120_000, '2 min'],
  [7_200_000, '2 h'],
])('%d ms are %s', (ms, text) => {
  expect(seconds(ms)).toBe(text);
});

test.each([
  [300, '0.3 s'],
  [1500, '1.5 s'],
  [60_000, '60 s'],
  [90_001, '90.001 s'],
  [120_000, '2 min'],
  [130_000, '130 s'],
  [7_200_000, '2 h'],
  [9_000_000, '150 min'],
  [86_400_000, '24 h'],
])('a limit of %d ms is %s, and no other one', (ms, text) => {
  expect(limit(ms)).toBe(text);
});
