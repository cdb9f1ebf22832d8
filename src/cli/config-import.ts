/**
 * `sluice config import`: a configuration from a hermes-agent `config.yaml`, to stdout or to a file; on stderr what
 * was taken, what now means something else, and what was left and why.
 */
import { dirname } from 'node:path';
import { readConfigText } from '../config/config-file.ts';
import { type Imported, importHermes } from '../config/import-hermes.ts';
import type { LoadOptions } from '../config/load.ts';
import { absolutePath } from '../config/paths.ts';
import type { PlacedProblem } from '../config/problems.ts';
import { BUILTIN_NAMES } from '../messages/commands.ts';
import { counted, documentOf, printProblems } from './config-check.ts';
import { type Context, EXIT } from './context.ts';
import { writeNew } from './new-file.ts';

export interface ImportOptions {
  readonly write?: string;
  readonly force?: boolean;
}

/** 0: there is a configuration, 1: the origin cannot be read, has nothing to take, or the file could not be written. */
export function configImport(context: Context, file: string, options: ImportOptions): number {
  const { cwd, env, output } = context;
  const found = { path: absolutePath(file, cwd), origin: 'flag' } as const;
  const target = options.write === undefined ? undefined : absolutePath(options.write, cwd);
  const text = readConfigText(found.path);
  const read =
    typeof text === 'string'
      ? withFolder(
          importedOf(text, { ...found, path: target ?? found.path, env, builtinNames: BUILTIN_NAMES }),
          target,
        )
      : [text];
  if (!('taken' in read)) {
    if (context.json) output.json(documentOf(found, read));
    else printProblems(context, found, read);
    return EXIT.failed;
  }
  const yaml =
    read.taken.length === 0
      ? ''
      : `# Taken from ${oneLine(found.path)} by sluice config import.\n${read.text}`;
  const written = target === undefined || yaml === '' ? null : writeNew(target, yaml, options.force === true);
  if (context.json) {
    const { taken, adapted, left, warnings } = read;
    const file = written?.problem === undefined ? (target ?? null) : null;
    const ok = yaml !== '' && written?.problem === undefined;
    output.json({
      ok,
      from: found.path,
      file,
      problem: written?.problem ?? null,
      yaml,
      taken,
      adapted,
      left,
      warnings,
    });
  } else {
    if (target === undefined) output.write(yaml);
    tell(context, found.path, read);
    if (written !== null) output.note(written.problem ?? `wrote ${target}`);
  }
  return yaml === '' || written?.problem !== undefined ? EXIT.failed : EXIT.done;
}

function importedOf(text: string, options: LoadOptions): Imported | readonly PlacedProblem[] {
  const imported = importHermes(text, options);
  return 'taken' in imported ? imported : imported.problems;
}

/** Says where quick commands run from now on: there it is the folder that the gateway was started in. */
function withFolder<Read extends Imported | readonly PlacedProblem[]>(
  read: Read,
  target: string | undefined,
) {
  if (!('taken' in read) || !read.taken.some((key) => key.startsWith('quick_commands'))) return read;
  const folder = target === undefined ? 'the folder of the new file' : dirname(target);
  const warning = `quick commands run in ${folder} unless they name a cwd: relative paths count from there`;
  return { ...read, warnings: [...read.warnings, warning] };
}

function tell({ output }: Context, from: string, { taken, adapted, left, warnings }: Imported): void {
  const keys = taken.length === 0 ? 'nothing that has a meaning here' : taken.join(', ');
  output.note(`taken from ${from}: ${keys}`);
  for (const { key, why } of adapted) output.note(`adapted  ${key}: ${why}`);
  for (const { key, why } of left) output.note(`left     ${key}: ${why}`);
  for (const warning of warnings) output.note(`warning: ${warning}`);
  if (left.length > 0) output.note(`${counted(left.length, 'key')} left behind`);
}

function oneLine(path: string): string {
  return path.replace(/\p{Cc}/gu, ' ');
}
