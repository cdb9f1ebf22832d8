/**
 * Takes and leaves the lock named by its argument, as told on stdin: `take AT` and `release AT` at that wall time in
 * milliseconds (without one at once). Says `owned`, `released` or an error's code.
 */
import { createInterface } from 'node:readline';
import { isSluiceError } from '../../../src/errors.ts';
import { acquireLock, type HomeLock } from '../../../src/process/lock.ts';

const path = process.argv[2] ?? '';
let lock: HomeLock | undefined;

const orders: Record<string, (argument: string | undefined) => string> = {
  take(at) {
    awaitMoment(at);
    lock = acquireLock(path);
    return 'owned';
  },
  release(at) {
    awaitMoment(at);
    lock?.[Symbol.dispose]();
    return 'released';
  },
};

/** Stands still until then, so that no timer's delay comes in between. */
function awaitMoment(at: string | undefined): void {
  while (Date.now() < Number(at ?? 0)) {
    // Every process of the test waits for the same moment.
  }
}

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [order = '', argument] = line.split(' ');
  try {
    console.log(orders[order]?.(argument));
  } catch (thrown) {
    console.log(isSluiceError(thrown) ? thrown.code : String(thrown));
  }
}
