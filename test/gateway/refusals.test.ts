import { describe, expect, test } from 'vitest';
import type { Refusal } from '../../machines/events.ts';
import { Refusals } from '../../src/gateway/refusals.ts';

const draining: Refusal = { because: 'draining', request: null, failure: null, degraded: [] };
const degraded = (...reasons: string[]): Refusal => ({
  ...{ because: 'degraded', request: null, failure: null },
  degraded: reasons,
});
const group = { platform: 'chat', conversation: 'chat:group' };

describe('a refusal', () => {
  test('is said once a conversation while the gateway leaves, then settles silently', () => {
    const refusals = new Refusals();
    expect([1, 2, 3].map(() => refusals.toldAlready(group, draining))).toEqual([false, true, true]);
  });

  test('is said in each conversation', () => {
    const refusals = new Refusals();
    refusals.toldAlready(group, draining);
    expect(refusals.toldAlready({ ...group, conversation: 'chat:other' }, draining)).toBe(false);
  });

  test('is said once a conversation while safe mode lasts, and once more by a drain in it', () => {
    const refusals = new Refusals();
    const safeMode = degraded('agent:default', 'safe-mode');
    expect([1, 2, 3].map(() => refusals.toldAlready(group, safeMode))).toEqual([false, true, true]);
    expect([1, 2].map(() => refusals.toldAlready(group, draining))).toEqual([false, true]);
    expect(refusals.toldAlready(group, safeMode)).toBe(true);
  });

  test('that tells what to do instead is said though another was, and the same once', () => {
    const refusals = new Refusals();
    const hints = [undefined, '/count', '/count', '/up', undefined];
    expect(hints.map((hint) => refusals.toldAlready(group, draining, hint))).toEqual([
      ...[false, false, true, false, true],
    ]);
  });

  test('is said once where no more is kept, and again by the next drain', () => {
    const refusals = new Refusals();
    expect([1, 2].map(() => refusals.toldAlready(group, 'full'))).toEqual([false, true]);
    refusals.forget();
    expect(refusals.toldAlready(group, 'full')).toBe(false);
  });

  test('is said once where the conversation rests, whatever the gateway did meanwhile', () => {
    const refusals = new Refusals();
    expect([1, 2].map(() => refusals.toldAlready(group, 'resting'))).toEqual([false, true]);
    refusals.toldAlready(group, draining);
    refusals.forget();
    expect(refusals.toldAlready(group, 'resting')).toBe(true);
    expect(refusals.toldAlready(group, draining)).toBe(false);
  });

  test('that reached nobody is said the next time', () => {
    const refusals = new Refusals();
    for (const refusal of [draining, degraded('safe-mode')]) {
      refusals.toldAlready(group, refusal);
      refusals.forgetTold(group.conversation);
      expect(refusals.toldAlready(group, refusal)).toBe(false);
    }
  });

  test('is said again by the next drain', () => {
    const refusals = new Refusals();
    refusals.toldAlready(group, draining);
    refusals.forget();
    expect(refusals.toldAlready(group, draining)).toBe(false);
  });

  test.each([
    ['to whoever waits at its connection', { platform: 'local', conversation: 'local:default' }, draining],
    [
      'to them in safe mode, too',
      { platform: 'local', conversation: 'local:default' },
      degraded('safe-mode'),
    ],
    ['because an agent is down, for another may be by now', group, degraded('agent:default')],
    ['that no state is the reason of', group, null],
  ])('is always said %s', (_, row, refusal) => {
    const refusals = new Refusals();
    expect([1, 2, 3].map(() => refusals.toldAlready(row, refusal))).toEqual([false, false, false]);
  });

  test('is said once more rather than remembered without a limit', () => {
    const refusals = new Refusals();
    for (let count = 0; count < 10_000; count += 1) {
      refusals.toldAlready({ platform: 'chat', conversation: `chat:${count}` }, draining);
    }
    expect(refusals.toldAlready({ platform: 'chat', conversation: 'chat:0' }, draining)).toBe(true);
    expect(refusals.toldAlready(group, draining)).toBe(false);
    expect(refusals.toldAlready({ platform: 'chat', conversation: 'chat:0' }, draining)).toBe(false);
  });
});
