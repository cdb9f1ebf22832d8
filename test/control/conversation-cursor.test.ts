import { describe, expect, test } from 'vitest';
import { cursorId, parseCursor } from '../../src/control/conversation-cursor.ts';

describe('an id of an event', () => {
  test.each([
    [
      '1763712345678.m_mi9x2k4a0f3b7c',
      { settledAt: 1763712345678, messageId: 'm_mi9x2k4a0f3b7c', replies: null },
    ],
    [
      '1763712345678.m_mi9x2k4a0f3b7c.2',
      { settledAt: 1763712345678, messageId: 'm_mi9x2k4a0f3b7c', replies: 2 },
    ],
    ['0', { settledAt: 0, messageId: '', replies: null }],
  ])('%j is read and written the same', (id, cursor) => {
    expect(parseCursor(id)).toEqual(cursor);
    expect(cursorId(cursor)).toBe(id);
  });

  test.each([
    undefined,
    '',
    'x',
    '-1',
    '1e9',
    '1.',
    '1.m_a.',
    '1.m_a.x',
    '1.m a',
    `${'9'.repeat(16)}`,
    '1.m_a.1.1',
    '\u0661',
  ])('%j is none', (id) => expect(parseCursor(id)).toBeUndefined());
});
