/** What a start takes from the last status in its home for how earlier lives ended. Written by hand, status by status. */
import { describe, expect, test } from 'vitest';
import { endsToldIn, lastWordAmong, withEnd } from '../src/last-words.ts';
import type { Life } from '../src/store/store.ts';

const NOW = 1_800_000_000_000;
const read = (status: Record<string, unknown>) => endsToldIn({ status, heartbeatAgeMs: 400.25 }, NOW);

/** As a life left it that was killed while it drained for a stop. */
const identity = { pid: 4711, startTime: '123', bootId: 'b' };
const leaving = {
  ...identity,
  epoch: 7,
  state: 'draining.waiting',
  intent: 'stop',
  cause: 'SIGTERM',
  actor: 'signal',
};
const cutOff = { ...identity, epoch: 7, code: null, cause: 'cut-off', at: NOW - 400 };

describe('a life that was killed', () => {
  test.each(['stop', 'restart'])('while it left for a %s was cut off, when it last gave a sign', (intent) => {
    expect(read({ ...leaving, intent })).toEqual([cutOff]);
  });

  test.each([
    ['drained', { intent: 'drain' }],
    ['ran, or runs again because that was cancelled', { intent: null }],
    ['left for a stop and had failed', { failure: 'fault' }],
  ])('while it %s died', (_, how) => {
    expect(read({ ...leaving, ...how })).toEqual([]);
  });

  test('is told of once, and by its own word where it had one', () => {
    const end = { ...identity, epoch: 7, code: 70, cause: 'fault', at: NOW - 900 };
    expect(read({ ...leaving, ends: [end] })).toEqual([end]);
    expect(read({ ...leaving, ends: [{ ...end, epoch: 6 }] })).toEqual([{ ...end, epoch: 6 }, cutOff]);
  });

  test('is told of also when a start after it failed', () => {
    const exit = { code: 78, cause: 'config-invalid', at: NOW - 100, message: 'agent.type: …' };
    expect(read({ ...leaving, state: 'exited', exit })).toEqual([cutOff]);
    const { message: _, ...silent } = exit;
    expect(read({ ...leaving, state: 'exited', exit: silent })).toEqual([cutOff]);
  });
});

test('a life that came to its end has said so elsewhere', () => {
  expect(read({ ...leaving, exit: { epoch: 7, code: 0, cause: 'SIGTERM', at: NOW - 400 } })).toEqual([]);
  // Also with a message.
  const exit = { epoch: 7, code: 69, cause: 'unavailable', at: NOW - 400, message: 'no disk' };
  expect(read({ ...leaving, exit })).toEqual([]);
});

test('a home without a status, or with what no gateway wrote and no store takes, tells of no end', () => {
  expect(endsToldIn(undefined, NOW)).toEqual([]);
  expect(read({ intent: 'stop', epoch: '7', ends: 'none' })).toEqual([]);
  expect(read({ epoch: 7, ends: [{ epoch: 7 }, null, 'x'] })).toEqual([]);
  expect(read({ ends: [{ ...cutOff, at: NOW + 0.5 }] })).toEqual([]);
  expect(read({ ends: [{ ...cutOff, bootId: null }] })).toEqual([]);
  expect(read({ ...leaving, epoch: 7.5 })).toEqual([]);
  expect(read({ ...leaving, startTime: undefined })).toEqual([]);
});

test('sixteen ends are handed on, the newest, and each is one daemon\u2019s', () => {
  const end = (epoch: number) => ({ ...identity, epoch, code: 0, cause: 'stop', at: NOW });
  const sixteen = Array.from({ length: 16 }, (_, index) => end(index + 1));
  const ends = withEnd(sixteen, end(17));
  expect(ends).toHaveLength(16);
  const life: Life = { id: 40, kind: 'daemon', epoch: 17, ...identity };
  expect(lastWordAmong(ends, life)).toEqual({ code: 0, cause: 'stop', at: NOW });
  expect(lastWordAmong(ends, { ...life, epoch: 1 })).toBeUndefined();
  expect(lastWordAmong(ends, { ...life, kind: 'cli', epoch: null })).toBeUndefined();
});

test.each([
  ['process', { pid: 4712 }],
  ['start', { startTime: '124' }],
  ['boot or container', { bootId: 'c' }],
])('a life of the same epoch that was another %s, as in a copied home, is not told of by it', (_, other) => {
  const life: Life = { id: 40, kind: 'daemon', epoch: 7, ...identity };
  expect(lastWordAmong([cutOff], life)).toEqual({ code: null, cause: 'cut-off', at: NOW - 400 });
  expect(lastWordAmong([cutOff], { ...life, ...other })).toBeUndefined();
});
