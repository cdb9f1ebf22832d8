import { expect, test } from 'vitest';
import { seconds } from '../../src/messages/amounts.ts';

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
