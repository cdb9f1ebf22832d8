/** What is said of an id that stands for nothing, or for too much; and of reasons, in words. */
import { describe, expect, test } from 'vitest';
import { SluiceError } from '../../src/errors.ts';
import { type FoundId, oneThing } from '../../src/messages/found-id.ts';
import { reasonInWords } from '../../src/messages/reasons.ts';

function said(id: string, found: FoundId): Pick<SluiceError, 'code' | 'message'> {
  try {
    oneThing(id, found);
  } catch (error) {
    if (error instanceof SluiceError) return { code: error.code, message: error.message };
  }
  throw new Error('it stands for one thing');
}

describe('an id', () => {
  test('that stands for one thing is that thing', () => {
    const found = { is: 'outbound', id: 'o1', message: null } as const;
    expect(oneThing('o', found)).toBe(found);
  });

  test('that stands for none, or for several, is said back, with what it may have been meant for', () => {
    expect(said('m_1', { is: 'none', near: [] })).toEqual({
      code: 'NOT_FOUND',
      message: 'no message is known as "m_1"',
    });
    expect(said('m_1', { is: 'none', near: ['m_2', 'm_3'] }).message).toMatch(/; did you mean m_2 or m_3\?$/);
    expect(said('m_', { is: 'several', ids: ['m_2', 'm_3'] })).toEqual({
      code: 'ID_AMBIGUOUS',
      message: '"m_" is the beginning of several ids: m_2, m_3',
    });
    expect(said('x'.repeat(5000), { is: 'none', near: [] }).message.length).toBeLessThan(200);
  });
});

test('a reason that is a word has a sentence, and one that is a sentence stays as it is', () => {
  expect(reasonInWords('exit-code-137')).toBe('it ended with exit code 137');
  expect(reasonInWords('too-old')).toBe('it had become too old');
  for (const sentence of ['the server said no', 'by local:owner: wrong chat', 'constructor', '__proto__'])
    expect(reasonInWords(sentence)).toBe(sentence);
});
