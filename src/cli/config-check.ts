/**
 * `sluice config check`: everything that is wrong with a configuration, each with its place and what would be right,
 * and what is to be known although it is valid. Says which file it took and why.
 */
import { checkFile } from '../config/check.ts';
import { readConfigText } from '../config/config-file.ts';
import { findConfig } from '../config/paths.ts';
import { type PlacedProblem, PROBLEMS_SHOWN_MAX, problemsDocument, problemText } from '../config/problems.ts';
import type { ConfigOrigin } from '../config/schema.ts';
import { BUILTIN_NAMES } from '../messages/commands.ts';
import { readLivingRecord } from '../process/runtime-status.ts';
import { type Context, EXIT } from './context.ts';
import { gatewayEnvironment, isGatewaysFile, type JudgedBy } from './gateway-environment.ts';

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
export async function configCheck(
  context: Context,
  file: string | undefined,
  options: FileOptions,
): Promise<number> {
  const found = whichFile(context, file ?? options.config);
  const { env, environment } = await judgedBy(context, found.path);
  const { problems, warnings } = checkFile({ ...found, env, builtinNames: BUILTIN_NAMES });
  if (context.json) {
    context.output.json({ ...documentOf(found, problems), environment, warnings });
  } else {
    printProblems(context, found, problems);
    for (const warning of warnings) context.output.print(`warning: ${warning}`);
    const all = counted(problems.length, 'error');
    const verdict = problems.length === 0 ? `${found.path} is valid` : `${found.path} has ${all}`;
    context.output.print(`${verdict} (${WHY[found.origin]})`);
  }
  return problems.length === 0 ? EXIT.done : EXIT.failed;
}

/** A file that a gateway runs on means what it means there. */
async function judgedBy(context: Context, path: string): Promise<JudgedBy> {
  const text = isGatewaysFile(context, path) ? readConfigText(path) : undefined;
  if (typeof text !== 'string') return { env: context.env, environment: 'shell' };
  return gatewayEnvironment(context, [text]);
}

/** The file that a command about configurations means, and why. */
export function whichFile(
  { env, cwd, paths }: Context,
  flag: string | undefined,
): { path: string; origin: ConfigOrigin } {
  return findConfig({ flag, env, cwd, owned: readLivingRecord(paths.pid)?.config ?? undefined });
}

/** Each problem with its line, as far as they are printed. */
export function printProblems(
  { output }: Context,
  { path }: { path: string },
  problems: readonly PlacedProblem[],
): void {
  for (const problem of problems.slice(0, PROBLEMS_SHOWN_MAX)) output.print(problemText(problem, path));
  if (problems.length > PROBLEMS_SHOWN_MAX) {
    output.print(`… and ${problems.length - PROBLEMS_SHOWN_MAX} more`);
  }
}

/** What `--json` says of a file. */
export function documentOf(
  { path, origin }: { path: string; origin: ConfigOrigin },
  problems: readonly PlacedProblem[],
): Record<string, unknown> {
  return { ok: problems.length === 0, file: path, origin, why: WHY[origin], ...problemsDocument(problems) };
}

/** `1 error`, `2 errors`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
