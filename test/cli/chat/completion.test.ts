/** Tab completes the name of a command as far as it is certain, and shows what there is when it is not. */
import { expect, test } from 'vitest';
import { complete, SUGGESTIONS_MAX } from '../../../src/cli/chat/completion.ts';
import { draftOf } from '../../../src/cli/chat/draft.ts';

const named = (...names: string[]) => names.map((name) => ({ name, usage: '', help: '' }));
const COMMANDS = named('restart', 'restart-sglang', 'status', 'stop', 'größe');

const after = (text: string) => {
  const { draft, suggestions } = complete(draftOf(text), COMMANDS);
  return [draft.text, suggestions.map(({ name }) => name)];
};

test.each([
  ['/sta', '/status ', []],
  ['/STA', '/status ', []],
  ['/gr', '/größe ', []],
  ['/r', '/restart', []],
  ['/restart', '/restart', ['restart', 'restart-sglang']],
  ['/restart-', '/restart-sglang ', []],
  ['/st', '/st', ['status', 'stop']],
  ['/nosuch', '/nosuch', []],
  ['/', '/', ['restart', 'restart-sglang', 'status', 'stop', 'größe']],
  ['hello', 'hello', []],
  ['', '', []],
  ['//x', '//x', []],
  ['/status now', '/status now', []],
])('%j becomes %j', (text, expected, suggested) => {
  expect(after(text)).toEqual([expected, suggested]);
});

test('nothing is completed in the middle of a text, and a long list is cut', () => {
  const draft = { text: '/stat', cursor: 3 };
  expect(complete(draft, COMMANDS)).toEqual({ draft, suggestions: [] });
  const many = Array.from({ length: 100 }, (_, n) => `${n}`);
  expect(complete(draftOf('/'), named(...many)).suggestions).toHaveLength(SUGGESTIONS_MAX);
});
