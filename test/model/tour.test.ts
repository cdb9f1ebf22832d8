import { expect, test } from 'vitest';
import { type TourGraph, tour, type Walk } from './tour.ts';

/** A graph from `node: { event: target }`. */
const graphOf = (start: string, nodes: Record<string, Record<string, string>>): TourGraph => ({
  start,
  nodes: new Map(
    Object.entries(nodes).map(([key, edges]) => [key, { edges: new Map(Object.entries(edges)) }]),
  ),
});

const taken = (walks: readonly Walk[]): string[] =>
  [...new Set(walks.flat().map(({ from, event }) => `${from} ${event}`))].sort();

const ONE_WAY = graphOf('boot', {
  boot: { ping: 'boot', start: 'up', fail: 'down' },
  up: { ping: 'up', drain: 'draining', crash: 'down' },
  draining: { ping: 'draining', cancel: 'up', end: 'down' },
  down: {},
  unreachable: { ping: 'boot' },
});

test('a tour takes every edge that can be reached, and none that cannot', () => {
  expect(taken(tour(ONE_WAY))).toEqual([
    'boot fail',
    'boot ping',
    'boot start',
    'draining cancel',
    'draining end',
    'draining ping',
    'up crash',
    'up drain',
    'up ping',
  ]);
});

test('each walk begins at the start, and each step where the one before ended', () => {
  for (const walk of tour(ONE_WAY)) {
    let at = 'boot';
    for (const { from, event, to } of walk) {
      expect(from).toBe(at);
      expect(ONE_WAY.nodes.get(from)?.edges.get(event)).toBe(to);
      at = to;
    }
  }
});

test('a tour boots anew only for doors that close behind it', () => {
  // Three edges lead into `down`, so three boots are needed; loops and the cancel cost none.
  expect(tour(ONE_WAY)).toHaveLength(3);
});

test('the same graph gives the same tour', () => {
  expect(tour(ONE_WAY)).toEqual(tour(ONE_WAY));
});

test('an edge to a node that is none is named', () => {
  expect(() => tour(graphOf('boot', { boot: { start: 'nowhere' } }))).toThrow(/nowhere/);
});
