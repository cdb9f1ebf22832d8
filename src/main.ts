#!/usr/bin/env node
/**
 * The bin, and the one owner of `process.exit` and `process.execve`. It imports nothing but the signal handlers,
 * so that for `run` they stand before anything else loads: a SIGTERM in that time would be a raw death.
 */
import { signals } from './process/signals.ts';

const NODE_MAJOR_MIN = 24;

/** Set by the first half of an in-place restart for the second, and taken out at once: children must not see it. */
const IN_PLACE = 'SLUICE_IN_PLACE';

const SIGUSR1_BLOCKED = '--disable-sigusr1';

const argv = process.argv.slice(2);

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
  process.stderr.write(`sluice needs Node ≥ ${NODE_MAJOR_MIN}, this is ${process.versions.node}\n`);
  process.exit(1);
}
const isRun = commandOf(argv) === 'run';
if (isRun) {
  // With this option Node blocks SIGUSR1 for good instead of leaving it to us; without it, it unblocks the signal.
  if (process.execArgv.includes(SIGUSR1_BLOCKED)) become(withoutBlock(process.execArgv));
  signals.install();
}
const { readEnvironment } = await import('./config/process-environment.ts');
if (isRun) {
  signals.reclaim(/--inspect/.test([...process.execArgv, readEnvironment().NODE_OPTIONS].join(' ')));
}
// Compiled code of the last start: half of a start is compiling (measured).
const { compileCacheFolder } = await import('./process/compile-cache.ts');
const cache = compileCacheFolder(readEnvironment());
if (cache !== undefined) process.getBuiltinModule('node:module').enableCompileCache?.(cache);
const { main } = await import('./cli/main.ts');
const outcome = await main(argv, { signals, inPlaceName: IN_PLACE, leaveNow: (code) => process.exit(code) });
if (outcome.reexecute) reexecute(outcome.env);
process.exit(outcome.code);

/** The first word that is neither an option nor the value of one. */
function commandOf(words: readonly string[]): string | undefined {
  return words.find(
    (word, index) => !word.startsWith('-') && !['--home', '--config'].includes(words[index - 1] ?? ''),
  );
}

/** Becomes the next life of this gateway: same pid, same terminal. Returns only where that is not possible. */
function reexecute(env: NodeJS.ProcessEnv): void {
  become(process.execArgv, { ...env, [IN_PLACE]: '1' });
}

/** Runs this program anew in this process, by default in this environment. */
function become(execArgv: readonly string[], ...env: NodeJS.ProcessEnv[]): void {
  const script = process.argv[1] ?? '';
  try {
    process.execve?.(process.execPath, [process.execPath, ...execArgv, script, ...argv], ...env);
  } catch (error) {
    process.stderr.write(`sluice: cannot restart in place (${String(error)})\n`);
  }
}

function withoutBlock(execArgv: readonly string[]): string[] {
  return execArgv.filter((option) => option !== SIGUSR1_BLOCKED);
}
