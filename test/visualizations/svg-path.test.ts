import { expect, test } from 'vitest';
import { arrowHead, roundedPath, underArrow } from '../../visualizations/svg-path.ts';

test('two points are a straight line', () => {
  expect(
    roundedPath([
      [0, 0],
      [20, 0],
    ]),
  ).toBe('M0 0L20 0');
});

test('a corner is cut by its radius', () => {
  expect(
    roundedPath([
      [0, 0],
      [20, 0],
      [20, 30],
    ]),
  ).toBe('M0 0L13 0Q20 0 20 7L20 30');
});

test('corners near each other share the stretch between them', () => {
  expect(
    roundedPath([
      [0, 0],
      [20, 0],
      [20, 8],
      [40, 8],
    ]),
  ).toBe('M0 0L16 0Q20 0 20 4L20 4Q20 8 24 8L40 8');
});

test('a repeated point neither bends nor breaks a line', () => {
  expect(
    roundedPath([
      [0, 0],
      [10, 0],
      [10, 0],
      [20, 0],
    ]),
  ).not.toContain('NaN');
});

test('fewer than two points are no line', () => {
  expect(roundedPath([])).toBe('');
  expect(roundedPath([[3, 4]])).toBe('');
});

test('the arrowhead stands at the tip and points along the last stretch', () => {
  expect(
    arrowHead([
      [0, 0],
      [20, 0],
      [20, 30],
    ]),
  ).toEqual({ x: 20, y: 30, degrees: 90 });
  expect(
    arrowHead([
      [20, 0],
      [0, 0],
    ]),
  ).toEqual({ x: 0, y: 0, degrees: 180 });
  expect(
    arrowHead([
      [0, 30],
      [0, 0],
      [0, 0],
    ]),
  ).toEqual({ x: 0, y: 0, degrees: -90 });
});

test('under its arrowhead a line ends 5 px before the tip, and a shorter one where it starts', () => {
  expect(
    underArrow([
      [0, 0],
      [0, 30],
    ]),
  ).toEqual([
    [0, 0],
    [0, 25],
  ]);
  expect(
    underArrow([
      [0, 0],
      [3, 0],
    ]),
  ).toEqual([
    [0, 0],
    [0, 0],
  ]);
  expect(underArrow([])).toEqual([]);
});
