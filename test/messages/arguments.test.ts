import { describe, expect, test } from 'vitest';
import type { ArgSpec, CommandLine } from '../../src/config/schema.ts';
import { bindArguments } from '../../src/messages/arguments.ts';
import { quoteWords, splitWords, usageOf } from '../../src/messages/words.ts';

const arg = (name: string, more: Partial<ArgSpec> = {}): ArgSpec => ({
  name,
  required: false,
  rest: false,
  ...more,
});

/** A command in whose text the arguments may stand as variables. */
const ofText = (args: readonly ArgSpec[]) => ({ args, command: 'true' });

test('in a list $$NAME is the text $NAME, with arguments and without', () => {
  const command = ['echo', '$$HOME', '$WORD', '$$WORD', 'a$$WORD', '$$', '$$$WORD'];
  expect(bindArguments({ args: [arg('WORD')], command }, 'w')).toMatchObject({
    command: ['echo', '$HOME', 'w', '$WORD', 'a$$WORD', '$$', '$$$WORD'],
  });
  expect(bindArguments({ args: [], command: ['echo', '$$WORD'] }, '')).toMatchObject({
    command: ['echo', '$WORD'],
  });
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
    ['LEVEL="info" LINES=\'7\'', { LINES: '7', LEVEL: 'info' }],
  ])('are filled by %j', (words, values) => {
    expect(bindArguments(ofText(args), words)).toEqual({ ok: true, values, command: 'true' });
  });

  test.each([
    ['5x', 'LINES must match [0-9]+, and "5x" does not'],
    ['5\n', undefined],
    ['5 loud', 'LEVEL is one of debug, info, not "loud"'],
    ['5 info more', 'nothing is declared for "more"'],
    ['LINES=1 LINES=2', 'LEVEL is one of debug, info, not "LINES=2"'],
    ['5 info a\0b', 'an argument holds a NUL character'],
  ])('filled by %j: %s', (words, problem) => {
    const bound = bindArguments(ofText(args), words);
    expect(bound.ok ? undefined : bound.problem).toBe(problem);
  });

  test('take all that stands in the quotes behind their name', () => {
    const one = [arg('A'), arg('B')];
    const valuesOf = (words: string) => bindArguments(ofText(one), words);
    expect(valuesOf('A="x y"')).toMatchObject({ values: { A: 'x y', B: '' } });
    expect(valuesOf("B='x  \"y' z")).toMatchObject({ values: { A: 'z', B: 'x  "y' } });
    expect(valuesOf('A="a \\"quoted\\" word" B=""')).toMatchObject({
      values: { A: 'a "quoted" word', B: '' },
    });
    expect(valuesOf('A="open B=2')).toMatchObject({ values: { A: '"open', B: '2' } });
    expect(valuesOf('a=b="c d" A=')).toMatchObject({ ok: false });
  });

  test('that must be there are missed by name, and the last may take all that is left', () => {
    const say = [arg('TO', { required: true }), arg('TEXT', { rest: true, required: true })];
    expect(bindArguments(ofText(say), 'me')).toEqual({ ok: false, problem: 'TEXT is missing' });
    expect(bindArguments(ofText(say), 'me hello  "big world"')).toEqual({
      ok: true,
      values: { TO: 'me', TEXT: 'hello big world' },
      command: 'true',
    });
    expect(bindArguments(ofText(say), 'me TEXT=a b')).toMatchObject({ values: { TO: 'me', TEXT: 'a b' } });
    expect(usageOf('say', say)).toBe('/say TO TEXT…');
    expect(usageOf('logs', args)).toBe('/logs [LINES] [LEVEL]');
  });

  test.each<[string, Partial<ArgSpec>, string, string | undefined]>([
    ['is empty', {}, '""', 'X is empty'],
    ['is empty by name', {}, 'X=', 'X is empty'],
    ['has nothing but empty words', { rest: true }, '"" \'\'', 'X is empty'],
    ['has one word that is not', { rest: true }, '"" a', undefined],
    ['is a blank', {}, '" "', undefined],
    ['is empty and may be by its pattern', { pattern: '[a-z]*' }, '""', undefined],
    [
      'is empty and may not be by its pattern',
      { pattern: '[a-z]+' },
      '""',
      'X must match [a-z]+, and "" does not',
    ],
    ['is empty and may be by its choices', { choices: ['', 'all'] }, '""', undefined],
    ['is empty and none of its choices', { choices: ['one', 'all'] }, '""', 'X is one of one, all, not ""'],
  ])('one that is required and %s', (_, more, words, problem) => {
    const bound = bindArguments(ofText([arg('X', { required: true, ...more })]), words);
    expect(bound.ok ? undefined : bound.problem).toBe(problem);
  });

  test('one that need not be there may be empty', () => {
    expect(bindArguments(ofText([arg('X')]), '""')).toMatchObject({ ok: true, values: { X: '' } });
  });

  test('a wrong word is said back short, however long it was', () => {
    for (const words of ['x'.repeat(250_000), `5 ${'y'.repeat(250_000)}`, `5 info ${'z'.repeat(250_000)}`]) {
      const bound = bindArguments(ofText(args), words);
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

describe('the places of arguments in a list', () => {
  const LINES = arg('LINES', { default: '20' });
  const FILE = arg('FILE');
  const WORDS = arg('WORDS', { rest: true });

  test.each<[string, CommandLine, ArgSpec[], string, CommandLine]>([
    ['a value is one item', ['ls', '$FILE'], [FILE], '"two words; rm -rf /"', ['ls', 'two words; rm -rf /']],
    ['a default stands in', ['tail', '-n', '$LINES'], [LINES], '', ['tail', '-n', '20']],
    ['what is not given leaves no item', ['ls', '$FILE', '/tmp'], [FILE], '', ['ls', '/tmp']],
    ['an empty value is an item', ['ls', '$FILE'], [FILE], '""', ['ls', '']],
    ['the rest is an item a word', ['say', '$WORDS'], [WORDS], 'a "b c" d', ['say', 'a', 'b c', 'd']],
    ['twice is twice', ['cp', '$FILE', '$FILE'], [FILE], 'x', ['cp', 'x', 'x']],
    [
      'a value is not looked into',
      ['say', '$FILE', '$LINES'],
      [FILE, LINES],
      '$LINES',
      ['say', '$LINES', '20'],
    ],
    [
      'a part of an item is a text',
      ['sh', '-c', 'ls "$FILE"', '\u0024{FILE}'],
      [FILE],
      'x',
      ['sh', '-c', 'ls "$FILE"', '\u0024{FILE}'],
    ],
    ['another name is a text', ['printf', '$HOME'], [FILE], 'x', ['printf', '$HOME']],
    ['a text for a shell stays', 'ls "$FILE"', [FILE], '-rf', 'ls "$FILE"'],
  ])('%s', (_, command, args, words, filled) => {
    expect(bindArguments({ args, command }, words)).toMatchObject({ ok: true, command: filled });
  });

  test.each<[string, CommandLine, ArgSpec, string, boolean]>([
    ['would be an option', ['ls', '$FILE'], FILE, '-rf', false],
    ['is among the rest', ['ls', '$WORDS'], WORDS, 'a --output=/etc/passwd', false],
    ['stands in a place before the end of options', ['ls', '$FILE', '--', '$FILE'], FILE, '-rf', false],
    ['stands behind the end of options', ['ls', '--', '$FILE'], FILE, '-rf', true],
    ['is one of the choices', ['ls', '$HOW'], arg('HOW', { choices: ['-l', '-a'] }), '-l', true],
    ['is the default', ['ls', '$HOW'], arg('HOW', { default: '-l' }), '', true],
    ['has no place in the list', ['printenv', 'FILE'], FILE, '-rf', true],
    ['has a hyphen inside', ['ls', '$FILE'], FILE, 'a-b', true],
  ])('a word with a hyphen that %s is refused or not', (_, command, argument, words, ok) => {
    const bound = bindArguments({ args: [argument], command }, words);
    expect(bound.ok).toBe(ok);
    if (!bound.ok)
      expect(bound.problem).toMatch(/^[A-Z]+ must not begin with "-", which would make "-.*" an option$/);
  });
});
