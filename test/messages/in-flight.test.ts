/** Work in flight in words: what is named, and what is only counted. */
import { expect, test } from 'vitest';
import { commandLines, firstFew } from '../../src/messages/in-flight.ts';

const commands = (running: number, waiting: number) => [
  ...Array.from({ length: running }, (_, n) => ({ id: `r${n}`, waiting: false })),
  ...Array.from({ length: waiting }, (_, n) => ({ id: `w${n}`, waiting: true })),
];
const lines = (running: number, waiting: number) =>
  commandLines(commands(running, waiting), ({ id }) => id).join(' ');

test('all commands that run have a line, of those that wait the first five', () => {
  expect(lines(0, 0)).toBe('');
  expect(lines(7, 5)).toBe('r0 r1 r2 r3 r4 r5 r6 w0 w1 w2 w3 w4');
  expect(lines(1, 6)).toBe('r0 w0 w1 w2 w3 w4 … and 1 more command waiting for a free place');
  expect(lines(1, 1000)).toBe('r0 w0 w1 w2 w3 w4 … and 995 more commands waiting for a free place');
});

test('what holds up an end is named as far as the first five', () => {
  expect(firstFew(['a'])).toBe('a');
  expect(firstFew(['a', 'b', 'c', 'd', 'e'])).toBe('a, b, c, d, e');
  expect(firstFew(['a', 'b', 'c', 'd', 'e', 'f'])).toBe('a, b, c, d, e and 1 more');
});
