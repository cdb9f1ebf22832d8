/** Trees of processes that are hard to end, as commands for a shell; with real programs. */
import { join } from 'node:path';

const programs = join(import.meta.dirname, '../support/programs');

/** Each prints "ready" when it stands. What runs for 100 s would outlive the test by far. */
export const TREES = {
  'a shell with a child': 'echo ready; sleep 100; true',
  'a background child that holds the output': 'sleep 100 & echo ready; wait',
  'a child in a session of its own': 'setsid sleep 100 & echo ready; wait',
  'a daemon that has let go of the output':
    'setsid sh -c "echo ready; exec </dev/null >/dev/null 2>&1; sleep 100 & sleep 100" & wait',
  'a child in a group of its own without the marker': 'set -m; env -i sleep 100 & echo ready; wait',
  'a child that ignores TERM': 'trap "" TERM; echo ready; sleep 100; sleep 100',
  'a leader that goes and a child without the marker that ignores TERM':
    'env -i /bin/sh -c "trap \\"\\" TERM; echo ready; /bin/sleep 100; /bin/sleep 100" & wait',
  'a daemon that ignores TERM': '(trap "" TERM; setsid sleep 100 >/dev/null 2>&1 &); echo ready; sleep 100',
  'a loop that forks': `exec sh ${programs}/fork-loop.sh 400`,
  'a relay that is always on the move': `sh ${programs}/relay.sh 2000; echo ready; sleep 100`,
};
