#!/usr/bin/env node
/**
 * The bin, and the one owner of `process.exit` and `process.execve`. It imports nothing but the signal handlers,
 * so that for `run` they stand before anything else loads: a SIGTERM in that time would be a raw death.
 */
import { signals } from './process/signals.ts';

const NODE_MAJOR_MIN = 24;

/** Set by the first half of an in-place restart for the second. */
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
  if (process.execArgv.includes(SIGUSR1_BLOCKED)) become(wordsWithoutBlock());
  signals.install();
}
const { readEnvironment } = await import('./config/process-environment.ts');
if (isRun) {
  const { systemClock } = await import('./clock.ts');
  const options = [...process.execArgv, readEnvironment().NODE_OPTIONS].join(' ');
  signals.reclaim(/--inspect/.test(options), systemClock);
}
// Compiled code of the last start: half of a start is compiling (measured).
const { compileCacheFolder } = await import('./process/compile-cache.ts');
const cache = compileCacheFolder(readEnvironment());
if (cache !== undefined) process.getBuiltinModule('node:module').enableCompileCache?.(cache);
// Loaded while it is there: it is needed when files may be gone.
const program = isRun ? await import('./process/in-place.ts') : undefined;
const { main } = await import('./cli/main.ts');
const outcome = await main(argv, { signals, inPlaceName: IN_PLACE, leaveNow: (code) => process.exit(code) });
if (outcome.reexecute && program !== undefined) reexecute(program, outcome.nextEnv);
process.exit(outcome.code);

/** The first word that is neither an option nor the value of one. */
function commandOf(words: readonly string[]): string | undefined {
  return words.find(
    (word, index) => !word.startsWith('-') && !['--home', '--config'].includes(words[index - 1] ?? ''),
  );
}

/**
 * Becomes the next life of this gateway: same pid, same terminal. Returns only where that is not possible. The gateway
 * has looked already, before its last log line; this is the last moment, for what went since.
 */
function reexecute(
  { missingFor, thisProgram, wordsOf }: typeof import('./process/in-place.ts'),
  env: NodeJS.ProcessEnv,
): void {
  const mine = thisProgram(argv);
  const missing = missingFor(mine);
  if (missing === null) become(wordsOf(mine), env);
  else process.stderr.write(`sluice: cannot restart in place: ${missing}\n`);
}

/** Runs this program in this process, by default in this environment. Where the system refuses that, Node aborts. */
function become([node = '', ...words]: readonly string[], ...env: NodeJS.ProcessEnv[]): void {
  process.execve?.(node, [node, ...words], ...env);
}

/** Of a process that has only just begun: what it was started from is there. */
function wordsWithoutBlock(): string[] {
  const options = process.execArgv.filter((option) => option !== SIGUSR1_BLOCKED);
  return [process.execPath, ...options, process.argv[1] ?? '', ...argv];
}
