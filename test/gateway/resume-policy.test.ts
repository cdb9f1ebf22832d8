/** What becomes of a message that was cut off, or grew old. Each row is written by hand from the requirement. */
import { describe, expect, test } from 'vitest';
import {
  agedHold,
  type ExpiredMode,
  type ResumeMode,
  type Resumption,
  resumptionOf,
} from '../../src/gateway/resume-policy.ts';

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;
const rules = (resume: ResumeMode, onExpired: ExpiredMode = 'ask') => ({
  resume,
  maxAgeMs: 24 * HOUR,
  onExpired,
});

describe('a message whose turn was cut off', () => {
  const table: readonly [ResumeMode, effects: boolean, Resumption][] = [
    ['auto', false, 'by-itself'],
    ['auto', true, 'ask'],
    ['ask', false, 'ask'],
    ['ask', true, 'ask'],
    ['always', false, 'by-itself'],
    ['always', true, 'by-itself'],
    ['never', false, 'end'],
    ['never', true, 'end'],
  ];
  test.each(table)('with resume: %s and effects: %s goes on: %s', (resume, effects, expected) => {
    const cut = { effects, receivedAt: NOW - HOUR, quarantined: false };
    expect(resumptionOf(cut, rules(resume), NOW)).toBe(expected);
  });

  test.each(['auto', 'always'] as const)('waits for a word when it is old, with resume: %s', (resume) => {
    const at = (receivedAt: number) =>
      resumptionOf({ effects: false, receivedAt, quarantined: false }, rules(resume), NOW);
    expect(at(NOW - 24 * HOUR + 1)).toBe('by-itself');
    expect(at(NOW - 24 * HOUR)).toBe('ask');
  });

  test.each([
    ['comes from a clock that had no time yet', 0],
    ['comes from the future', NOW + HOUR],
  ])('waits for a word when its time %s', (_, receivedAt) => {
    expect(resumptionOf({ effects: false, receivedAt, quarantined: false }, rules('always'), NOW)).toBe(
      'ask',
    );
  });

  test('is not old because the clock was set back by a moment', () => {
    const cut = { effects: false, receivedAt: NOW + 1000, quarantined: false };
    expect(resumptionOf(cut, rules('auto'), NOW)).toBe('by-itself');
  });

  test.each([
    ['auto', 'ask'],
    ['always', 'ask'],
    ['never', 'end'],
  ] as const)(
    'never goes on by itself in a quarantined conversation, with resume: %s',
    (resume, expected) => {
      const cut = { effects: false, receivedAt: NOW - HOUR, quarantined: true };
      expect(resumptionOf(cut, rules(resume), NOW)).toBe(expected);
    },
  );
});

describe('a held message', () => {
  test.each(['answer', 'ask', 'expire'] as const)('that is old goes by on_expired: %s', (onExpired) => {
    expect(agedHold(NOW - 25 * HOUR, rules('auto', onExpired), NOW)).toBe(onExpired);
    expect(agedHold(NOW - 23 * HOUR, rules('auto', onExpired), NOW)).toBe('answer');
  });
});
