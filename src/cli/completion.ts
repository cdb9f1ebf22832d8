/**
 * `sluice completion`: a script for a shell that completes commands, their options, and the names of quick commands.
 * Commands and options are those of this program; the names are asked for at each Tab, so that they are those of the
 * gateway of the home that is being written.
 */
import { isSluiceError } from '../errors.ts';
import { type Completed, completionScript } from './completion-scripts.ts';
import { type Context, EXIT } from './context.ts';
import { quickCommandList } from './quick-commands.ts';
import type { Shell } from './shells.ts';

/** A command of the program, as whoever owns the library for them has it. */
export interface CommandTree {
  name(): string;
  description(): string;
  readonly commands: readonly CommandTree[];
  readonly options: readonly {
    readonly long?: string | undefined;
    readonly short?: string | undefined;
    /** Its value must follow, or may. */
    readonly required: boolean;
    readonly optional: boolean;
    readonly description: string;
    /** The values that it takes, where there are no others. */
    readonly argChoices?: readonly string[] | undefined;
  }[];
}

/** The commands of the program, those below a group too. */
export function completedOf(program: CommandTree, above = ''): Completed[] {
  return program.commands.flatMap((command) => {
    const words = `${above}${command.name()}`;
    const options = command.options.map(({ long, short, required, optional, description, argChoices }) => ({
      flags: [long, short].filter((flag) => flag !== undefined),
      takesValue: required || optional,
      choices: argChoices ?? [],
      about: description,
    }));
    const help = { flags: ['--help'], takesValue: false, choices: [], about: 'how it is used' };
    const own = { words, about: command.description(), options: [...options, help] };
    return [own, ...completedOf(command, `${words} `)];
  });
}

/** Prints the script of this shell. */
export function completion({ output, json }: Context, shell: Shell, program: CommandTree): number {
  const script = completionScript(shell, completedOf(program));
  if (json) output.json({ shell, script });
  else output.print(script);
  return EXIT.done;
}

/** Prints one name a line, with what it is for; none where they cannot be known, for a shell shows no error. */
export async function completionNames(context: Context, config: string | undefined): Promise<number> {
  try {
    const list = await quickCommandList(context, config);
    const { commands } = list;
    if (context.json) context.output.json(list);
    else
      for (const { name, help } of commands) context.output.print(`${name}\t${help.replaceAll(/\s+/g, ' ')}`);
    return EXIT.done;
  } catch (error) {
    if (isSluiceError(error)) return EXIT.failed;
    throw error;
  }
}
