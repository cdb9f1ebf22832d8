/**
 * `sluice config check`: everything that is wrong with a configuration, each with its place and what would be right,
 * and what is to be known although it is valid. Says which file it took and why.
 */
import { readConfigText } from '../config/config-file.ts';
import { type Faulty, judgeConfig, type Loaded, type LoadOptions, withoutMark } from '../config/load.ts';
import { findConfig } from '../config/paths.ts';
import { halvesOf, type PlacedProblem, placed, problemText } from '../config/problems.ts';
import type { ConfigOrigin } from '../config/schema.ts';
import { isSluiceError } from '../errors.ts';
import { BUILTIN_NAMES } from '../messages/commands.ts';
import { readPidFile } from '../process/runtime-status.ts';
import { type Context, EXIT } from './context.ts';

/** Most problems that are printed, also as JSON; the rest is counted. */
const PROBLEMS_PRINTED_MAX = 1000;

/** Why this file and no other. */
const WHY: Readonly<Record<ConfigOrigin, string>> = {
  flag: 'the one that was named',
  environment: 'named by SLUICE_CONFIG',
  gateway: 'the one that the gateway of this home uses',
  folder: 'the one in this folder',
  xdg: 'the one in the configuration folder',
  quickstart: 'the built-in quickstart',
};

export interface FileOptions {
  readonly config?: string;
}

/** Checks `file`, or the configuration that other commands would use. 0: valid, 1: not. */
export function configCheck(context: Context, file: string | undefined, options: FileOptions): number {
  const found = whichFile(context, file ?? options.config);
  const checked = checkFile(context, { ...found });
  const { problems, warnings } = checked;
  if (context.json) {
    context.output.json({ ...documentOf(found, problems), warnings });
  } else {
    printProblems(context, found, problems);
    for (const warning of warnings) context.output.print(`warning: ${warning}`);
    const all = counted(problems.length, 'error');
    const verdict = problems.length === 0 ? `${found.path} is valid` : `${found.path} has ${all}`;
    context.output.print(`${verdict} (${WHY[found.origin]})`);
  }
  return problems.length === 0 ? EXIT.done : EXIT.failed;
}

/** The file that a command about configurations means, and why. */
export function whichFile(
  { env, cwd, paths }: Context,
  flag: string | undefined,
): { path: string; origin: ConfigOrigin } {
  return findConfig({ flag, env, cwd, owned: readPidFile(paths.pid)?.config ?? undefined });
}

export interface Checked {
  readonly problems: readonly PlacedProblem[];
  readonly warnings: readonly string[];
  /** Where there is no problem. */
  readonly loaded?: Loaded;
}

/** Reads and judges a file. `folder`: where its relative paths would count from, if not its own. */
export function checkFile(
  { env }: Pick<Context, 'env'>,
  { path, origin, folder }: Pick<LoadOptions, 'path' | 'origin' | 'folder'>,
): Checked {
  const read = readFile(path);
  if (typeof read !== 'string') return { problems: [read], warnings: [] };
  const base = { path, origin, env, builtinNames: BUILTIN_NAMES };
  return checkedOf(judgeConfig(read, folder === undefined ? base : { ...base, folder }), read);
}

/** A judgement with the places of its problems in `text`. */
export function checkedOf(judged: Loaded | Faulty, text: string): Checked {
  if ('config' in judged) return { problems: [], warnings: judged.warnings, loaded: judged };
  return { problems: placed(judged.problems, withoutMark(text)), warnings: judged.warnings };
}

/** The text; a file that cannot be read is a problem of the file as a whole. */
export function readFile(path: string): string | PlacedProblem {
  try {
    return readConfigText(path);
  } catch (error) {
    if (!isSluiceError(error)) throw error;
    const wrong = error.message.startsWith(path) ? error.message.slice(path.length).trim() : error.message;
    const message = wrong.includes('; ') ? wrong : `${wrong}; ${error.hint}`;
    return { line: 1, column: 1, key: '(file)', path: [], message, source: '' };
  }
}

/** Each problem with its line, as far as they are printed. */
export function printProblems(
  { output }: Context,
  { path }: { path: string },
  problems: readonly PlacedProblem[],
): void {
  for (const problem of problems.slice(0, PROBLEMS_PRINTED_MAX)) output.print(problemText(problem, path));
  if (problems.length > PROBLEMS_PRINTED_MAX) {
    output.print(`… and ${problems.length - PROBLEMS_PRINTED_MAX} more`);
  }
}

/** What `--json` says of a file. */
export function documentOf(
  { path, origin }: { path: string; origin: ConfigOrigin },
  problems: readonly PlacedProblem[],
): Record<string, unknown> {
  const shown = problems.slice(0, PROBLEMS_PRINTED_MAX);
  const errors = shown.map(({ line, column, key, message, source }) => {
    const { wrong, right } = halvesOf(message);
    return { line, column, key, message: wrong, hint: right, source };
  });
  return {
    ok: errors.length === 0,
    file: path,
    origin,
    why: WHY[origin],
    errors,
    more: problems.length - shown.length,
  };
}

/** `1 error`, `2 errors`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
