/**
 * Loaded into a gateway by `--import`: measures how late its event loop is and the processor time it takes, and tells
 * whoever connects to the socket that BENCH_LOOP_SOCKET names, as JSON in milliseconds; each time anew. JavaScript, for stripping types would load a
 * compiler into the process whose memory is measured.
 */
import { createServer } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** It is late by so much at least: the histogram holds the time between two of its timers. */
const RESOLUTION_MS = 1;

const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
histogram.enable();

let before = process.cpuUsage();

const server = createServer((socket) => {
  const { user, system } = process.cpuUsage(before);
  const delay = { p99: histogram.percentile(99) / 1e6, max: histogram.max / 1e6 };
  socket.end(JSON.stringify({ ...delay, processorMs: (user + system) / 1e3 }));
  histogram.reset();
  before = process.cpuUsage();
});
server.listen(process.env.BENCH_LOOP_SOCKET);
server.unref();
