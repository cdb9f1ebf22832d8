import { describe, expect, test } from 'vitest';
import type { Refusal, Request } from '../../machines/events.ts';
import { echoed } from '../../src/messages/echoed.ts';
import * as replies from '../../src/messages/replies.ts';

const leaving = (intent: Request['intent']): Refusal => ({
  because: 'draining',
  request: { intent, cause: intent, actor: 'local:owner', signal: null },
  failure: null,
  degraded: [],
});

const degraded = (...reasons: string[]): Refusal => ({
  because: 'degraded',
  request: null,
  failure: null,
  degraded: reasons as Refusal['degraded'],
});

describe('a refusal says why and what to do', () => {
  test.each([
    [leaving('restart'), /restarting\. Send it again in about 30 s\.$/],
    [leaving('stop'), /stopping\. Send it again when the gateway is back/],
    [
      leaving('drain'),
      /draining: it takes no new turns\. Send it again when the drain is over; commands still run/,
    ],
    [degraded('store'), /cannot write to its disk.*free some space, then send it again/],
    [degraded('agent:a', 'store'), /cannot write to its disk/],
    [degraded('safe-mode'), /safe mode.*\/resume-turns/],
    [degraded('agent:a', 'agent:b'), /the agent a, b does not answer at present.*\/status/],
  ])('%#', (refusal, text) => {
    expect(replies.refusal(refusal, { leftMs: 30_000, canQueue: false, storeObstacle: 'disk' })).toMatch(
      text,
    );
  });

  test('a lock on the store is no full disk', () => {
    const about = { leftMs: null, canQueue: false, storeObstacle: 'lock' } as const;
    const text = replies.refusal(degraded('store'), about);
    expect(text).toMatch(/another program has .* store locked.*close that program, then send it again/);
    expect(text).not.toMatch(/disk|space/);
  });

  test('whoever can ask for it to be kept is told how', () => {
    expect(
      replies.refusal(leaving('restart'), { leftMs: 30_000, canQueue: true, storeObstacle: 'disk' }),
    ).toMatch(/in about 30 s, or have it kept: `sluice send --queue`, over HTTP `whenBusy: queue`\.$/);
  });

  const aliased = (intent: Request['intent'], alias: replies.AliasEnd) =>
    replies.refusal(leaving(intent), { leftMs: 30_000, canQueue: false, storeObstacle: 'disk' }, alias);

  test.each([
    ['drain', 'draining'],
    ['restart', 'restarting'],
    ['stop', 'stopping'],
  ] as const)('an alias of a command names, in a %s, what to send instead', (intent, doing) => {
    const text = aliased(intent, { alias: 'aa', is: 'command', text: '/arg one two' });
    expect(text).toBe(
      `Not taken: aliases wait while the gateway is ${doing}. Send /arg one two itself, it runs while draining.`,
    );
  });

  test('an alias of a turn says that it is one', () => {
    expect(aliased('drain', { alias: 'ask', is: 'turn' })).toBe(
      'Not taken: the gateway is draining: it takes no new turns, and /ask stands for a turn. Send it again when the drain is over; commands still run.',
    );
    expect(aliased('restart', { alias: 'ask', is: 'turn' })).toBe(
      'Not taken: the gateway is restarting, and /ask stands for a turn. Send it again in about 30 s.',
    );
  });

  test('an alias of nothing says so: to wait does not help', () => {
    expect(aliased('drain', { alias: 'x', is: 'unknown', text: '/nosuch' })).toBe(
      'Not taken: /x stands for /nosuch, and there is no such command. Correct quick_commands.x.',
    );
  });

  test('what an alias stands for is said back within a limit', () => {
    for (const is of ['command', 'unknown'] as const) {
      const text = aliased('stop', { alias: 'aa', is, text: `/arg ${'x'.repeat(100_000)}` });
      expect(text).toContain('x…');
      expect(text.length).toBeLessThan(1200);
    }
  });

  test('a restart that is nearly there still takes a moment', () => {
    expect(
      replies.refusal(leaving('restart'), { leftMs: -3, canQueue: false, storeObstacle: 'disk' }),
    ).toContain('in about 5 s');
  });
});

test('what is said back is short, and no character is cut in half', () => {
  expect(echoed('short')).toBe('short');
  expect(echoed('x'.repeat(61))).toBe(`${'x'.repeat(60)}…`);
  expect(echoed(`${'x'.repeat(59)}${'😀'.repeat(9)}`)).toBe(`${'x'.repeat(59)}…`);
  expect(replies.unknownCommand('y'.repeat(100_000), []).length).toBeLessThan(300);
  expect(replies.unknownAgent('y'.repeat(200), []).length).toBeLessThan(110);
});
