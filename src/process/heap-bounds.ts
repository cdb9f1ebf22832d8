/**
 * Keeps the heap of a daemon small. V8 prefers speed to memory: while many things live for a moment, as tokens and
 * their connections do, the part for new objects grows to 100 MB, and the part for old ones to a multiple of what is
 * in use. Most of that stays resident. Here the first has a bound, and the second is collected sooner.
 *
 * V8's option for the most new objects may take, `--max-semi-space-size`, counts on the command line of Node only, from
 * which not everybody starts us. The factor by which their part grows is read each time it does, and 1 means that it
 * does not. It shrinks by itself when little happens, and from there it must grow again, or all that is new would count
 * as old at once: so it is looked at after each collection, which is when it grows.
 *
 * What V8 chose before the bounds were set holds until it collects everything: how far old objects may grow was worked
 * out without our percentage (200 streams then took 155 MB instead of 125), and loading the program has made the part
 * for new ones large already. So everything is collected once, soon after the start, when loading has left its garbage.
 */
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '../clock.ts';

/** Past this the part of the heap for new objects is not let grow. Collections in one tick may take a step more. */
export const NEW_OBJECTS_BYTES_MAX = 8 * 1024 * 1024;

/** By how much the old objects may grow before they are collected, in percent of what was in use. */
const OLD_OBJECTS_GROWTH_PERCENT = 25;

/** From the start to the collection of what it left: no part of the start, which it would make longer by 30 ms. */
export const COLLECT_AFTER_MS = 1000;

const FACTORS = { grows: 2, stays: 1 } as const;

/** Keeps the bounds until it is disposed; what was set last then stays. */
export function boundHeap({ timer }: Pick<Clock, 'timer'>): Disposable {
  const kept = new DisposableStack();
  let set: keyof typeof FACTORS = 'grows';
  const look = (): void => {
    const wanted = newObjectsBytes() < NEW_OBJECTS_BYTES_MAX ? 'grows' : 'stays';
    if (wanted === set) return;
    set = wanted;
    setFlagsFromString(`--semi-space-growth-factor=${FACTORS[wanted]}`);
  };
  setFlagsFromString(`--heap-growing-percent=${OLD_OBJECTS_GROWTH_PERCENT}`);
  look();
  const collections = new PerformanceObserver(look);
  collections.observe({ entryTypes: ['gc'] });
  kept.defer(() => collections.disconnect());
  kept.use(timer(COLLECT_AFTER_MS, collectAll));
  return kept;
}

/** Collects everything at once, and takes back what the part for new objects has grown by. */
function collectAll(): void {
  setFlagsFromString('--expose-gc');
  const collect: NodeJS.GCFunction = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** The memory that their part of the heap takes now. */
function newObjectsBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;
}
