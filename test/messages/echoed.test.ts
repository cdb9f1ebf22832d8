import { expect, test } from 'vitest';
import { echoed } from '../../src/messages/echoed.ts';

test.each([
  ['word', 'word'],
  ['nope\x1b[31mX', 'nopeX'],
  ['\x1b]0;title\x07bell\x07', 'bell'],
  ['a\nb\tc', 'a\nb\tc'],
  ['\x9b31mcsi', 'csi'],
  ['x'.repeat(60), 'x'.repeat(60)],
  ['x'.repeat(61), `${'x'.repeat(60)}…`],
  [`${'x'.repeat(59)}🦀`, `${'x'.repeat(59)}…`],
])('%j is said back as %j', (word, said) => {
  expect(echoed(word)).toBe(said);
});

test('a text of nothing but what a terminal obeys is said back as cut', () => {
  expect(echoed('\x1b[31m'.repeat(100_000))).toBe('…');
});
