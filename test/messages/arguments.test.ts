import { describe, expect, test } from 'vitest';
import type { ArgSpec } from '../../src/config/schema.ts';
import { bindArguments, quoteWords, splitWords, usageOf } from '../../src/messages/arguments.ts';

const arg = (name: string, more: Partial<ArgSpec> = {}): ArgSpec => ({
  name,
  required: false,
  rest: false,
  ...more,
});

describe('words', () => {
  test.each([
    ['a  b\tc\nd', ['a', 'b', 'c', 'd']],
    ['"two words" \'and three more\'', ['two words', 'and three more']],
    ['"a \\"quoted\\" word" "back\\\\slash"', ['a "quoted" word', 'back\\slash']],
    ["'it \\ stays'", ['it \\ stays']],
    ['""', ['']],
    ['an "open quote', ['an', '"open', 'quote']],
    ["it's fine", ["it's", 'fine']],
    ['', []],
  ])('of %j are %j', (text, words) => {
    expect(splitWords(text)).toEqual(words);
  });

  test.each([[['a b', '"', "'", '\\', '', 'x\ny', '$(rm)']], [[]]])(
    '%j survive being quoted and read',
    (words) => {
      expect(splitWords(quoteWords(words))).toEqual(words);
    },
  );
});

describe('declared arguments', () => {
  const args = [
    arg('LINES', { default: '20', pattern: '[0-9]+' }),
    arg('LEVEL', { choices: ['debug', 'info'] }),
  ];

  test.each([
    ['', { LINES: '20', LEVEL: '' }],
    ['5', { LINES: '5', LEVEL: '' }],
    ['5 info', { LINES: '5', LEVEL: 'info' }],
    ['LEVEL=info 7', { LINES: '7', LEVEL: 'info' }],
  ])('are filled by %j', (words, values) => {
    expect(bindArguments(args, words)).toEqual({ ok: true, values });
  });

  test.each([
    ['5x', 'LINES must match [0-9]+, and "5x" does not'],
    ['5\n', undefined],
    ['5 loud', 'LEVEL is one of debug, info, not "loud"'],
    ['5 info more', 'nothing is declared for "more"'],
    ['LINES=1 LINES=2', 'LEVEL is one of debug, info, not "LINES=2"'],
    ['5 info a\0b', 'an argument holds a NUL character'],
  ])('filled by %j: %s', (words, problem) => {
    const bound = bindArguments(args, words);
    expect(bound.ok ? undefined : bound.problem).toBe(problem);
  });

  test('that must be there are missed by name, and the last may take all that is left', () => {
    const say = [arg('TO', { required: true }), arg('TEXT', { rest: true, required: true })];
    expect(bindArguments(say, 'me')).toEqual({ ok: false, problem: 'TEXT is missing' });
    expect(bindArguments(say, 'me hello  "big world"')).toEqual({
      ok: true,
      values: { TO: 'me', TEXT: 'hello big world' },
    });
    expect(bindArguments(say, 'me TEXT=a b')).toEqual({ ok: true, values: { TO: 'me', TEXT: 'a b' } });
    expect(usageOf('say', say)).toBe('/say TO TEXT…');
    expect(usageOf('logs', args)).toBe('/logs [LINES] [LEVEL]');
  });

  test('a wrong word is said back short, however long it was', () => {
    for (const words of ['x'.repeat(250_000), `5 ${'y'.repeat(250_000)}`, `5 info ${'z'.repeat(250_000)}`]) {
      const bound = bindArguments(args, words);
      expect(bound).toMatchObject({ ok: false, problem: expect.stringMatching(/^.{1,120}$/) });
    }
  });

  test('a quarter of a megabyte of quotes is read in time that grows with its length alone', () => {
    const startedMs = performance.now();
    for (const words of [
      '"'.repeat(250_001),
      '"\\'.repeat(125_000),
      `"${'a '.repeat(125_000)}`,
      '\'"'.repeat(125_000),
    ]) {
      splitWords(words);
    }
    // Some milliseconds; a look at each pair of characters would take minutes.
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });
});
