/** Patterns of arguments: what they match, and that no pattern and no value can hold up the gateway. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  PATTERN_LENGTH_MAX,
  PATTERN_STEPS_MAX,
  PATTERN_VALUE_LENGTH_MAX,
  readPattern,
} from '../../src/config/patterns.ts';
import { bindArguments } from '../../src/messages/arguments.ts';
import { quoteWords } from '../../src/messages/words.ts';

function matches(pattern: string, value: string): boolean {
  const read = readPattern(pattern);
  if (typeof read === 'string') throw new Error(`${pattern} ${read}`);
  return read.matches(value);
}

/** What one message may cost, on a machine that is busy; an engine that backtracks takes years for most of these. */
const MATCH_MS_MAX = 2000;

/** Each with the piece of a value that it goes through again and again. */
const EVIL: readonly (readonly [pattern: string, piece: string])[] = [
  ['^(a+)+$', 'a'],
  ['(a*)*b', 'a'],
  ['(a|a)*b', 'a'],
  ['(a|b|ab)*c', 'ab'],
  ['(.*a){20}', 'a'],
  ['(.*,){11}P', ','],
  ['(x+x+)+y', 'x'],
  ['([a-zA-Z]+)*$', 'a'],
  ['\\s*$', ' '],
  ['.*\\s*$', ' '],
  ['\\s+|.*\\s+$', ' '],
  ['(?:a?){30}a{30}', 'a'],
  ['(a|b)*a(a|b){20}', 'ab'],
  ['(a|b)*a(a|b){200}', 'abba'],
  ['(?:\\p{L}?){1000}', 'é'],
  ['(\\w*\\d*){300}x', 'a1'],
  ['(?:.{0,100}){10}z', 'a'],
  ['(a{0,500}){2}', 'a'],
];

describe('a pattern', () => {
  test.each([
    ['[0-9]+', '20', true],
    ['[0-9]+', '20; reboot', false],
    ['[0-9]+', '20\n', false],
    ['^[0-9]+$', '20', true],
    ['a|b', 'ab', false],
    ['a|b', 'b', true],
    ['\\p{L}+', 'Grüße', true],
    ['.', '🙂', true],
    ['(?i)[a-z]+', 'Grace', true],
    ['', '', true],
    ['', 'a', false],
    ['[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z]{2,})+', 'db-1.example.org', true],
  ])('%j matches all of %j: %s', (pattern, value, expected) => {
    expect(matches(pattern, value)).toBe(expected);
  });

  test.each([
    ['a)|(?:b', 'is no regular expression: unexpected ): `a)|(?:b`; correct it'],
    [
      '(?=a)b',
      'is no regular expression: invalid or unsupported Perl syntax: `(?=`; write it without looking',
    ],
    ['(?<!a)b', 'write it without looking ahead or back, or judge it in the command'],
    ['(a)\\1', 'is no regular expression: invalid escape sequence: `\\1`; write it without referring back'],
    ['\\u00E9', 'is no regular expression: invalid escape sequence: `\\u`; write \\x{E9} for \\u00E9'],
    [
      'a{1001}',
      'is no regular expression: invalid repeat count: `{1001}`; repeat a part 1,000 times at most',
    ],
    [
      '((a{0,100}){0,100}){0,100}',
      'is no regular expression: invalid repeat count: `{0,100}`; repeat a part 1,000 times at most; repeats within repeats multiply',
    ],
    ['a'.repeat(PATTERN_LENGTH_MAX + 1), 'is longer than 1000 characters; write a shorter one'],
    ['a{0,1000}'.repeat(2), 'is too large once its repeats are written out; repeat less'],
    ['a{0,1000}'.repeat(100), 'is too large once its repeats are written out; repeat less'],
  ])('%.40s is refused, with what to do', (pattern, problem) => {
    expect(readPattern(pattern)).toContain(problem);
  });

  test('of the size that is said may be used', () => {
    expect(matches(`.{0,${Math.floor(PATTERN_STEPS_MAX / 2) - 250}}`, 'x'.repeat(1000))).toBe(true);
  });

  test('means what it means to V8, as far as both know the same', () => {
    const atom = fc.constantFrom(
      'a',
      'b',
      '[ab]',
      '[^a]',
      '\\d',
      '\\w',
      '.',
      '(?:ab)',
      '(a|b)',
      '(?:)',
      '\\b',
    );
    const times = fc.constantFrom('', '*', '+', '?', '{2}', '{1,3}', '*?');
    const piece = fc.tuple(atom, times).map(([one, count]) => (one === '\\b' ? one : `${one}${count}`));
    const branch = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(''));
    const pattern = fc.array(branch, { minLength: 1, maxLength: 3 }).map((branches) => branches.join('|'));
    const value = fc.string({ unit: fc.constantFrom('a', 'b', '1', ' ', '\n'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, value, (written, given) => {
        expect(matches(written, given)).toBe(new RegExp(`^(?:${written})$`, 'u').test(given));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('no pattern holds up the gateway', () => {
  test.each(EVIL)('%s, on the longest value it is tried on', (pattern, piece) => {
    const value = piece.repeat(Math.floor((PATTERN_VALUE_LENGTH_MAX - 1) / piece.length));
    const begunMs = performance.now();
    for (const end of ['', '!']) matches(pattern, `${value}${end}`);
    expect(performance.now() - begunMs).toBeLessThan(MATCH_MS_MAX);
  });

  test('whatever it is made of', () => {
    const atom = fc.constantFrom('a', 'b', '.', '\\w', '\\s', '[ab]', '(?:a|a)', '(?:a|ab)', '\\p{L}');
    const times = fc.constantFrom('*', '+', '?', '{0,30}', '{20}', '*?');
    const nested = fc.letrec((tie) => ({
      part: fc.oneof(
        { maxDepth: 4 },
        atom,
        fc.tuple(tie('part'), times).map(([part, count]) => `(?:${part})${count}`),
        fc.tuple(tie('part'), tie('part')).map(([one, other]) => `${one}${other}`),
        fc.tuple(tie('part'), tie('part')).map(([one, other]) => `(?:${one}|${other})`),
      ),
    }));
    const value = fc.string({
      unit: fc.constantFrom('a', 'b', ' ', 'é'),
      minLength: PATTERN_VALUE_LENGTH_MAX - 1,
      maxLength: PATTERN_VALUE_LENGTH_MAX - 1,
    });
    fc.assert(
      fc.property(nested.part, value, (pattern, given) => {
        const begunMs = performance.now();
        const read = readPattern(`${pattern}`);
        if (typeof read !== 'string') read.matches(`${given}!`);
        expect(performance.now() - begunMs).toBeLessThan(MATCH_MS_MAX);
      }),
      { numRuns: 300 },
    );
  });

  test('a longer value is not tried at all, and its sender is told', () => {
    const long = 'a'.repeat(10_000);
    expect(matches('a*', 'a'.repeat(PATTERN_VALUE_LENGTH_MAX))).toBe(true);
    expect(matches('a*', long)).toBe(false);
    const args = [{ name: 'X', pattern: '(a+)+b', required: false, rest: false }];
    expect(bindArguments({ args, command: 'true' }, quoteWords([long]))).toEqual({
      ok: false,
      problem: 'X may have 2000 characters at most, and has 10000',
    });
  });
});
