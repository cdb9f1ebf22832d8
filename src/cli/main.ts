/** The program behind `main.ts`: what it was called with, turned into how the process leaves. */
import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { systemClock } from '../clock.ts';
import type { WorkingFolder } from '../config/paths.ts';
import { readEnvironment } from '../config/process-environment.ts';
import { messageOf } from '../errors.ts';
import type { Signals } from '../process/signals.ts';
import { EXIT } from './context.ts';
import { createOutput, type Output } from './output.ts';
import { runProgram } from './program.ts';
import type { RunHost } from './run.ts';

/** How long a leaving daemon waits for whoever reads its log. */
const LAST_WORDS_MS_MAX = 1000;

/** Stands for a working folder that is not known. */
const NO_WORKING_FOLDER = 'none';

export interface Host {
  readonly signals: Signals;
  /**
   * The variable that says: this is the second half of an in-place restart. It holds the working folder of the first, from
   * which the second counts relative paths also when it was deleted, and is taken out at once: children must not see it.
   */
  readonly inPlaceName: string;
  readonly leaveNow: (code: number) => void;
  readonly platformKinds?: NonNullable<RunHost['platformKinds']>;
  readonly wrapStore?: NonNullable<RunHost['wrapStore']>;
}

/** How the process leaves: with a code, or by becoming its next life. */
export interface Leaving {
  readonly code: number;
  readonly reexecute: boolean;
  /** The environment of the next life. */
  readonly nextEnv: NodeJS.ProcessEnv;
}

export async function main(argv: readonly string[], host: Host): Promise<Leaving> {
  const { [host.inPlaceName]: folderBefore, ...env } = readEnvironment();
  const output = createOutput(process.stdout, process.stderr, env);
  const input = () => process.stdin;
  const cwd =
    workingFolder() ?? (folderBefore !== undefined && isAbsolute(folderBefore) ? folderBefore : undefined);
  const nextEnv = { ...env, [host.inPlaceName]: cwd ?? NO_WORKING_FOLDER };
  const cli = { env, cwd, argv, version: installedVersion(), output, input };
  const { inPlaceName: _, ...rest } = host;
  const result = await runProgram(cli, { ...rest, inPlace: folderBefore !== undefined, nextEnv });
  await lastWords(output, 'exit' in result);
  if ('exit' in result) return { ...result.exit, nextEnv };
  return { code: unlessUnwritten(result.code, output), reexecute: false, nextEnv };
}

/** Undefined where it was deleted: then Node throws. */
function workingFolder(): WorkingFolder {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

/**
 * Waits until all is written, for the exit would cut it off. A person may read an answer page by page for as long
 * as they like; a daemon does not stay for a log that nobody takes.
 */
async function lastWords(output: Output, isDaemon: boolean): Promise<void> {
  const written = output.flushed();
  await (isDaemon ? Promise.race([written, systemClock.delay(LAST_WORDS_MS_MAX)]) : written);
}

/** An answer that could not be written is none, however well the rest went. */
function unlessUnwritten(code: number, { failure, note }: Output): number {
  if (failure === undefined || code !== EXIT.done) return code;
  note(`sluice: the answer could not be written: ${messageOf(failure)}`);
  return EXIT.failed;
}

/** From the package's own file: beside the bundle, or at the root of a checkout. */
export function installedVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
      if (name === 'sluice') return String(version);
    } catch {
      // The other place has it.
    }
  }
  return 'unknown';
}
