/** The heap of a process of its own that fills it: bounded, and able to grow to the bounds. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { NEW_OBJECTS_BYTES_MAX } from '../../src/process/heap-bounds.ts';

const MODULE = fileURLToPath(new URL('../../src/process/heap-bounds.ts', import.meta.url));

/** `begin(how)` sets the bounds, or not; `collectOnce` does what is due a while after the start. */
const COMMON = `
const { getHeapSpaceStatistics } = process.getBuiltinModule('node:v8');
const space = (name) => getHeapSpaceStatistics().find((one) => one.space_name === name);
let collectOnce = () => {};
if (process.argv[1] === 'bounded') {
  const { boundHeap } = await import(${JSON.stringify(MODULE)});
  boundHeap({ timer: (_delayMs, fire) => ((collectOnce = fire), { [Symbol.dispose]() {} }) });
}
`;

/** Keeps the last 100,000 of three million objects, as streams in flight do, with turns of the event loop in between. */
const FILL = `${COMMON}
const most = { new_space: 0, old_space: 0 };
const kept = [];
for (let n = 0; n < 3_000_000; n += 1) {
  kept[n % 100_000] = { n, text: 'token ' + n, more: [n] };
  if (n % 5_000 === 0) await new Promise(setImmediate);
  if (n % 1_000 === 0) for (const name in most) most[name] = Math.max(most[name], space(name).space_size);
}
console.log(JSON.stringify(most));
`;

/** Leaves garbage as loading does, some 20 MB of it among the old objects, and then what is due after a start. */
const START = `${COMMON}
let loaded = [];
for (let n = 0; n < 200_000; n += 1) loaded.push({ n, text: 'line ' + n, more: [n] });
const before = { old: space('old_space').space_used_size, young: space('new_space').space_size };
loaded = undefined;
collectOnce();
const after = { old: space('old_space').space_used_size, young: space('new_space').space_size };
console.log(JSON.stringify({ before, after }));
`;

/** What a program of these prints. */
function printed<T>(program: string, how: 'bounded' | 'unbounded'): T {
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', program, how], { encoding: 'utf8' }),
  );
}

/** The most that each part took, in bytes. */
interface Most {
  readonly new_space: number;
  readonly old_space: number;
}

test('new objects grow to their bound and little past it, and the whole heap stays at less than half', () => {
  const bounded = printed<Most>(FILL, 'bounded');
  const unbounded = printed<Most>(FILL, 'unbounded');
  expect(bounded.new_space).toBeGreaterThanOrEqual(NEW_OBJECTS_BYTES_MAX);
  // Collections in one tick are seen together, so a step may pass the bound; and V8 allows itself more while it marks.
  expect(bounded.new_space).toBeLessThan(6 * NEW_OBJECTS_BYTES_MAX);
  expect(unbounded.new_space).toBeGreaterThan(8 * NEW_OBJECTS_BYTES_MAX);
  const wholeOf = (most: Most) => most.new_space + most.old_space;
  expect(wholeOf(bounded)).toBeLessThan(wholeOf(unbounded) / 2);
});

test('what loading left is collected once after the start, and the room that it took for new objects given back', () => {
  interface Sizes {
    readonly old: number;
    readonly young: number;
  }
  const { before, after } = printed<{ before: Sizes; after: Sizes }>(START, 'bounded');
  expect(before.old - after.old).toBeGreaterThan(5_000_000);
  expect(after.young).toBeLessThan(NEW_OBJECTS_BYTES_MAX / 2);
  expect(after.young).toBeLessThan(before.young);
});
