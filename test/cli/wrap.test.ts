/** What a small terminal shows: nothing wider than it, nothing lost. */
import { expect, test } from 'vitest';
import { wrapped } from '../../src/cli/wrap.ts';

const LINE = 'accepts  control dispatch, exec dispatch, alias dispatch, turn dispatch';

test('a line longer than the terminal goes on below, indented', () => {
  expect(wrapped(`short\n${LINE}`, 40)).toBe(
    [
      'short',
      'accepts  control dispatch, exec',
      '         dispatch, alias dispatch, turn',
      '         dispatch',
    ].join('\n'),
  );
});

test('what has no space to break at is cut, and every character is shown once', () => {
  const long = `turn     ${'x'.repeat(100)}  5 s`;
  const lines = wrapped(long, 40).split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBe(40);
  expect(lines.join('').replaceAll(' ', '')).toBe(long.replaceAll(' ', ''));
});

test('an answer that goes to no terminal stays as it is, and so does one in a terminal too narrow for words', () => {
  expect(wrapped(LINE, undefined)).toBe(LINE);
  expect(wrapped(LINE, 10)).toBe(LINE);
});
