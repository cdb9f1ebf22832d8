/** Where a long text is taken apart. */
import { expect, test } from 'vitest';
import { partsOf } from '../../src/messages/parts.ts';

const FAMILY = '👨‍👩‍👧‍👦';

test('a text that fits is one part, as it is', () => {
  expect(partsOf('  as it is \n', 12)).toEqual(['  as it is \n']);
  expect(partsOf('', 5)).toEqual(['']);
});

test('it ends at a paragraph before a line, a line before a sentence, a sentence before a word', () => {
  expect(partsOf('One two.\n\nThree\nfour', 16)).toEqual(['One two.', 'Three\nfour']);
  expect(partsOf('Say one. Then two.\nAnd three', 24)).toEqual(['Say one. Then two.', 'And three']);
  expect(partsOf('Is it just one? Or is it two', 20)).toEqual(['Is it just one?', 'Or is it two']);
  expect(partsOf('one two three four', 10)).toEqual(['one two', 'three four']);
  expect(partsOf('これは一つ。これは二つ目です', 10)).toEqual(['これは一つ。', 'これは二つ目です']);
});

test('a word that just fits is not moved on', () => {
  expect(partsOf('0123456789 next', 10)).toEqual(['0123456789', 'next']);
});

test('no good place is sought in the first half of a part', () => {
  expect(partsOf('a bcdefghijklmnop', 10)).toEqual(['a bcdefghi', 'jklmnop']);
});

test('a line keeps its indentation', () => {
  expect(partsOf('if (a) {\n    b();\n}', 14)).toEqual(['if (a) {', '    b();\n}']);
});

test('what a reader sees as one character stays whole', () => {
  expect(partsOf(FAMILY.repeat(5), 24)).toEqual([FAMILY.repeat(2), FAMILY.repeat(2), FAMILY]);
  expect(partsOf('e\u0301'.repeat(4), 5)).toEqual(['e\u0301'.repeat(2), 'e\u0301'.repeat(2)]);
  expect(partsOf('🇩🇪🇫🇷🇮🇹', 5)).toEqual(['🇩🇪', '🇫🇷', '🇮🇹']);
  expect(partsOf('a\r\nb', 2)).toEqual(['a', 'b']);
});

test('one that is longer than a part is cut, and not within a pair of code units', () => {
  const parts = partsOf(`${FAMILY}${FAMILY}`, 4);
  expect(parts.every((part) => part.length <= 4 && part.isWellFormed())).toBe(true);
  expect(parts.join('')).toBe(`${FAMILY}${FAMILY}`);
});

test('no part is longer than it may be, none is empty, and nothing but blanks is lost', () => {
  const words = [
    'hello',
    'wörld.',
    '\n',
    FAMILY,
    'ok?',
    '\n\n',
    '   ',
    'a-very-long-word-without-a-place-to-cut-it',
    '\t',
  ];
  let seed = 1;
  const next = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed;
  };
  for (let round = 0; round < 300; round += 1) {
    const text = Array.from({ length: 40 }, () => words[next() % words.length]).join(
      next() % 2 === 0 ? ' ' : '',
    );
    const charsMax = 12 + (next() % 40);
    const parts = partsOf(text, charsMax);
    expect(parts.filter((part) => part.length > charsMax || part.trim() === '')).toEqual([]);
    expect(parts.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
  }
});

test('a very long text without a place to cut it takes no time worth mentioning', () => {
  expect(partsOf('x'.repeat(1_000_000), 4096)).toHaveLength(245);
});
