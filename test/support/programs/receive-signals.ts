/**
 * Catches signals the way `main.ts` does and prints what they ask for. Its first argument says how:
 * `slow`: the thread stands still after `install()` until a line comes, only then somebody listens;
 * `clocked`: the time between signals is told by lines `later MS`;
 * `bare`: imports the module and installs nothing;
 * `fault`: throws and rejects before anybody listens for faults, and listens when a line comes;
 * `unheard`: throws, and nobody ever listens.
 * All but the last end with stdin.
 */
import { readSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createSignals, type Signals, signals } from '../../../src/process/signals.ts';

const mode = process.argv[2];
let nowMs = 0;

function report(from: Signals): void {
  from.onLastResort(() => {
    console.log('last resort');
    process.exit(130);
  });
  from.attach((request) => console.log(JSON.stringify(request)));
}

function awaitLine(): void {
  readSync(0, Buffer.alloc(100));
}

if (mode === 'slow') {
  signals.install();
  console.log('ready');
  awaitLine();
  // The loop turns once, as it does between two imports: what has arrived meets nobody.
  await new Promise((resolve) => setImmediate(resolve));
  report(signals);
  process.stdin.resume();
} else if (mode === 'clocked') {
  const clocked = createSignals(
    process,
    () => nowMs,
    () => true,
  );
  clocked.install();
  report(clocked);
  console.log('ready');
  createInterface({ input: process.stdin }).on('line', (line) => {
    nowMs += Number(line.split(' ')[1]);
    console.log(`at ${nowMs}`);
  });
} else if (mode === 'bare') {
  console.log('ready');
  process.stdin.resume();
} else {
  signals.install();
  setImmediate(() => {
    throw new Error('thrown too early');
  });
  if (mode === 'fault') {
    void Promise.reject(new Error('rejected too early'));
    createInterface({ input: process.stdin }).on('line', () => {
      signals.onFault((fault) => console.log((fault as Error).message));
    });
    setImmediate(() => console.log('ready'));
  }
}
