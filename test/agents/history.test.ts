import { describe, expect, test } from 'vitest';
import { type Exchange, exchangesIn, windowOf } from '../../src/agents/history.ts';

const exchanges = (count: number): Exchange[] =>
  Array.from({ length: count }, (_, n) => ({ texts: [`q${n}`], answer: `a${n}` }));

const contents = (of: readonly Exchange[], messagesMax: number): string[] =>
  windowOf(of, messagesMax).map(({ role, content }) => `${role} ${content}`);

describe('the history that a model is shown', () => {
  test('is both sides in turn, oldest first', () => {
    expect(contents(exchanges(2), 40)).toEqual(['user q0', 'assistant a0', 'user q1', 'assistant a1']);
  });

  test('holds the last so many messages', () => {
    expect(contents(exchanges(30), 4)).toEqual(['user q28', 'assistant a28', 'user q29', 'assistant a29']);
    expect(windowOf(exchanges(30), 40)).toHaveLength(40);
  });

  test('begins with a person, even if the window would begin with an answer', () => {
    expect(contents(exchanges(3), 3)).toEqual(['user q2', 'assistant a2']);
    expect(contents(exchanges(3), 1)).toEqual([]);
    expect(contents(exchanges(3), 0)).toEqual([]);
    expect(contents([], 40)).toEqual([]);
  });

  test('asks the store for as many exchanges as the window may show', () => {
    expect([0, 1, 2, 3, 40].map(exchangesIn)).toEqual([0, 1, 1, 2, 20]);
  });

  test('joins what one turn was asked in several messages', () => {
    expect(contents([{ texts: ['one', 'two'], answer: 'a' }], 2)).toEqual(['user one\n\ntwo', 'assistant a']);
  });

  test('leaves out a turn that said only white space', () => {
    const blank = { texts: ['q'], answer: ' \n' };
    expect(contents([...exchanges(1), blank], 40)).toEqual(['user q0', 'assistant a0']);
  });

  test('gives up the oldest when it is too long, however large the window', () => {
    const long = (n: number): Exchange => ({ texts: [`q${n}`], answer: 'x'.repeat(150_000) });
    const shown = windowOf([long(0), long(1), long(2), long(3)], 40);
    expect(shown.map(({ content }) => content.length)).toEqual([2, 150_000, 2, 150_000]);
    expect(windowOf([{ texts: ['q'], answer: 'x'.repeat(400_001) }], 40)).toEqual([]);
  });
});
