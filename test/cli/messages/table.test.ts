/** Messages as lines, on terminals of any width and in a pipe. */
import { describe, expect, test } from 'vitest';
import { widthOf } from '../../../src/cli/chat/width.ts';
import { linesOf } from '../../../src/cli/messages/table.ts';
import type { ToldMessage } from '../../../src/gateway/message-list.ts';

const told = (more: Partial<ToldMessage> = {}): ToldMessage => ({
  ...{ id: 'm_mi9x2k4a0f3b7c', platform: 'telegram', platformMessageId: '7', sender: 'telegram:1' },
  ...{
    conversation: 'telegram:-1002003004005',
    kind: 'turn',
    text: 'what changed since monday?',
    textCut: false,
  },
  ...{ receivedAt: new Date(2026, 10, 21, 8, 41, 2).getTime(), epoch: 3, admission: 'dispatch' },
  ...{ state: 'settled', phase: 'settled', outcome: 'answered', reason: null, settledAt: 1, recorded: true },
  replies: [],
  ...more,
});

const reply = (more: Partial<ToldMessage['replies'][number]>): ToldMessage['replies'][number] => ({
  ...{
    id: 'o_mi9x2k4b0f4a1z',
    state: 'delivered',
    attempts: 1,
    possibleDuplicate: false,
    nextAt: null,
    error: null,
  },
  ...more,
});

const MESSAGES = [
  told({ state: 'open', phase: 'awaiting-resume', outcome: null, reason: 'resume' }),
  told({ text: '漢字'.repeat(100), outcome: 'refused', reason: 'state' }),
  told({ text: `one\n\ttwo\u001b[2J ${'three '.repeat(100)}`, outcome: 'failed', reason: 'x'.repeat(500) }),
  told({
    conversation: 'telegram:\u202e\u0007evil\n',
    replies: [reply({ state: 'dead', error: 'no such chat '.repeat(9) })],
  }),
];

describe.each([40, 60, 80, 99, 100, 120, 200])('on a terminal of %d columns', (columns) => {
  test('no line is longer, and every message has its id and what became of it', () => {
    const lines = linesOf(MESSAGES, columns);
    for (const line of lines) expect(widthOf(line), line).toBeLessThanOrEqual(columns);
    const text = lines.join('\n');
    expect(text.split('m_mi9x2k4a0f3b7c').length - 1).toBe(MESSAGES.length);
    for (const word of ['awaiting-resume', 'refused (state)', 'failed', 'answered'])
      expect(text).toContain(word);
    expect(text).toContain('reply o_mi9x2k4b0f4a1z is dead');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/);
  });
});

test('on a narrow terminal a message is its id and outcome, when and where, and what it said', () => {
  expect(linesOf([told()], 40)).toEqual([
    'm_mi9x2k4a0f3b7c  answered',
    '  2026-11-21 08:41:02  telegram:-100200…',
    '  what changed since monday?',
  ]);
});

test('in a pipe a message is one line, and only a very long text is cut', () => {
  const [head, ...rows] = linesOf([told({ text: 'a\nb' }), told({ text: 'x'.repeat(1000) })], undefined);
  expect(head).toMatch(/^TIME +ID +KIND +OUTCOME +CONVERSATION +TEXT$/);
  expect(rows[0]).toBe('2026-11-21 08:41:02  m_mi9x2k4a0f3b7c  turn  answered  telegram:-1002003004005  a b');
  expect(rows[1]).toMatch(/ x{200}…$/);
  expect(rows).toHaveLength(2);
});

test('a message that a person discarded has who, and why', () => {
  const discarded = told({ outcome: 'discarded', reason: 'by local:owner: why not' });
  expect(linesOf([discarded], undefined)[1]).toContain('  discarded (by local:owner: why not)  ');
  expect(linesOf([discarded], 60)[0]).toBe('m_mi9x2k4a0f3b7c  discarded (by local:owner: why not)');
  const long = linesOf([told({ outcome: 'discarded', reason: `by local:owner: ${'why '.repeat(99)}` })], 200);
  expect(long[1]).toMatch(/ discarded \(by local:owner: why .{1,40}…\) {2}telegram/);
});

test('what has not been delivered stands below its message, and what has does not', () => {
  const nextAt = new Date(2026, 10, 21, 9, 0, 0).getTime();
  const replies = [
    reply({}),
    reply({ id: 'o_2', state: 'pending', attempts: 2, nextAt, error: 'slow down' }),
    reply({ id: 'o_3', state: 'unknown', attempts: 1, error: 'the line was cut' }),
    reply({ id: 'o_4', state: 'pending', attempts: 0 }),
  ];
  expect(linesOf([told({ replies })], undefined).slice(2)).toEqual([
    '  reply o_2 is pending after 2 attempts, not before 2026-11-21 09:00:00: slow down',
    '  reply o_3 is unknown after 1 attempt: the line was cut',
    '  reply o_4 is pending',
  ]);
});
