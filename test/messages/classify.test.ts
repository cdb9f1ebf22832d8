import { expect, test } from 'vitest';
import { classify, commandText, rewritten } from '../../src/messages/classify.ts';
import { exampleCommands } from '../support/example-commands.ts';

const CASES: readonly [text: string, is: Record<string, unknown>][] = [
  ['/status', { kind: 'control', name: 'status', words: '' }],
  ['/STATUS', { kind: 'control', name: 'status' }],
  ['\n  /status  \n', { kind: 'control', name: 'status', words: '' }],
  ['/status@my_bot', { kind: 'control', name: 'status' }],
  ['/restart@bot now', { kind: 'control', name: 'restart', words: 'now' }],
  ['/restart\nnow', { kind: 'control', name: 'restart', words: 'now' }],
  ['/up', { kind: 'exec', words: '' }],
  ['/up  a  b ', { kind: 'exec', words: 'a  b' }],
  ['/restart-sglang', { kind: 'exec' }],
  ['/short and more', { kind: 'alias', words: 'and more' }],
  ['/nothing here', { kind: 'control', name: 'unknown', word: 'nothing', words: 'here' }],
  ['/constructor', { kind: 'control', name: 'unknown', word: 'constructor' }],
  ['/__proto__', { kind: 'turn' }],
  ['/übung', { kind: 'control', name: 'unknown', word: 'übung' }],
  ['hello', { kind: 'turn', text: 'hello' }],
  [' hello ', { kind: 'turn', text: ' hello ' }],
  ['say /up', { kind: 'turn', text: 'say /up' }],
  ['//up', { kind: 'turn', text: '/up' }],
  ['//', { kind: 'turn', text: '/' }],
  ['/', { kind: 'turn', text: '/' }],
  ['/ up', { kind: 'turn', text: '/ up' }],
  ['/etc/hosts is broken', { kind: 'turn', text: '/etc/hosts is broken' }],
  ['/up/', { kind: 'turn' }],
  ['/up, please', { kind: 'turn' }],
  ['/-up', { kind: 'turn' }],
  ['', { kind: 'turn', text: '' }],
];

test.each(CASES)('%j is %o', (text, is) => {
  expect(classify(text, exampleCommands)).toMatchObject(is);
});

test('an alias keeps the words it is given', () => {
  const alias = classify('/short a "b c"', exampleCommands);
  if (alias.kind !== 'alias') throw new Error('no alias');
  expect(rewritten(alias.command, alias.words)).toBe('/up a "b c"');
  expect(rewritten(alias.command, '')).toBe('/up');
});

test.each([
  ['/Status', '/status'],
  ['/up@bot  one  "two three" ', '/up one  "two three"'],
  ['/short a', '/short a'],
  ['/nosuch now', '/nosuch now'],
])('the command %j is sent again as %j', (text, again) => {
  const command = classify(text, exampleCommands);
  if (command.kind === 'turn') throw new Error('no command');
  expect(commandText(command)).toBe(again);
  expect(classify(again, exampleCommands)).toEqual(command);
});

test('a quarter of a megabyte without a space is read in time that grows with its length alone', () => {
  const startedMs = performance.now();
  classify(`/${'a-'.repeat(128 * 1024)}!`, exampleCommands);
  classify(`/up@${'@'.repeat(256 * 1024)}/`, exampleCommands);
  // Some milliseconds; a look at each pair of characters would take minutes.
  expect(performance.now() - startedMs).toBeLessThan(10_000);
});
