import { describe, expect, test } from 'vitest';
import type { Refusal, Request } from '../../machines/events.ts';
import { echoed } from '../../src/messages/echoed.ts';
import * as replies from '../../src/messages/replies.ts';

const leaving = (intent: Request['intent']): Refusal => ({
  because: 'draining',
  request: { intent, cause: intent, actor: 'local:owner' } as Request,
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

  test('an alias of an exec command names the command that runs', () => {
    expect(
      replies.refusal(leaving('stop'), { leftMs: null, canQueue: false, storeObstacle: 'disk' }, 'cleanup'),
    ).toContain('Send /cleanup itself');
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
