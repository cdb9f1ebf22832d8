/** The heap of a process of its own that fills it: bounded, and able to grow to the bounds. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { NEW_OBJECTS_BYTES_MAX } from '../../src/process/heap-bounds.ts';

const MODULE = fileURLToPath(new URL('../../src/process/heap-bounds.ts', import.meta.url));

/** Keeps the last 100,000 of three million objects, as streams in flight do; looks as often as a second would have passed. */
const FILL = `
const { getHeapSpaceStatistics } = process.getBuiltinModule('node:v8');
const size = (name) => getHeapSpaceStatistics().find((space) => space.space_name === name).space_size;
let look = () => {};
if (process.argv[1] === 'bounded') {
  const { boundHeap } = await import(${JSON.stringify(MODULE)});
  boundHeap({ every: (_periodMs, fire) => ((look = fire), { [Symbol.dispose]() {} }) });
}
const most = { new_space: 0, old_space: 0 };
const kept = [];
for (let n = 0; n < 3_000_000; n += 1) {
  kept[n % 100_000] = { n, text: 'token ' + n, more: [n] };
  if (n % 5_000 === 0) look();
  if (n % 1_000 === 0) for (const name in most) most[name] = Math.max(most[name], size(name));
}
console.log(JSON.stringify(most));
`;

/** The most that each part took, in bytes. */
const mostBytes = (how: string): { new_space: number; old_space: number } =>
  JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', FILL, how], { encoding: 'utf8' }));

test('new objects grow to their bound and little past it, and the whole heap stays at less than half', () => {
  const bounded = mostBytes('bounded');
  const unbounded = mostBytes('unbounded');
  expect(bounded.new_space).toBeGreaterThanOrEqual(NEW_OBJECTS_BYTES_MAX);
  // A look sees what was a moment ago: a step or two may pass the bound.
  expect(bounded.new_space).toBeLessThan(4 * NEW_OBJECTS_BYTES_MAX);
  expect(unbounded.new_space).toBeGreaterThan(8 * NEW_OBJECTS_BYTES_MAX);
  const wholeOf = (most: typeof bounded) => most.new_space + most.old_space;
  expect(wholeOf(bounded)).toBeLessThan(wholeOf(unbounded) / 2);
});
