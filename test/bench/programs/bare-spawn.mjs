/**
 * What starting `sh -c true` costs a process that does nothing else. Arguments: how many at the same time, for how many
 * milliseconds, and how many megabytes it holds meanwhile. Tells over IPC the runs a second, for how long one call of
 * `spawn` keeps the event loop (the median, in milliseconds), and its resident memory in megabytes. JavaScript, for
 * stripping types would load a compiler into the process whose memory is measured.
 */
import { spawn } from 'node:child_process';

const [parallel, forMs, megabytes] = process.argv.slice(2).map(Number);

// Every page is written, or it would not be resident.
const held = Buffer.alloc(megabytes * 1024 * 1024, 1);

const blocked = [];
const endsAt = performance.now() + forMs;

async function line() {
  let runs = 0;
  while (performance.now() < endsAt) {
    const from = performance.now();
    const child = spawn('/bin/sh', ['-c', 'true'], { stdio: ['ignore', 'pipe', 'pipe'] });
    blocked.push(performance.now() - from);
    await new Promise((resolve) => child.once('close', resolve));
    runs += 1;
  }
  return runs;
}

const from = performance.now();
const runs = await Promise.all(Array.from({ length: parallel }, line));
const tookMs = performance.now() - from;
blocked.sort((a, b) => a - b);
process.send({
  perSecond: (runs.reduce((sum, each) => sum + each, 0) * 1000) / tookMs,
  blockedMs: blocked[Math.floor(blocked.length / 2)],
  residentMb: process.memoryUsage().rss / 1024 / 1024,
  held: held.length,
});
process.disconnect();
