/**
 * Where the place of an argument may not stand in a command that is a list; judged when the configuration is read. Pure.
 */
import { whatReads } from './interpreters.ts';
import { placeIn } from './units.ts';

/**
 * Why an item of a list cannot stand where it does, given the declared arguments, each with whether it takes all remaining
 * words (`rest`); undefined when it can.
 */
export function placeProblem(
  command: readonly string[],
  index: number,
  declared: ReadonlyMap<string, { readonly rest: boolean }>,
): string | undefined {
  const name = placeIn(command[index] ?? '');
  if (name === undefined) return undefined;
  const argument = declared.get(name);
  if (argument === undefined) {
    return `$${name} is no argument of this command, and no shell reads a list; declare ${name} under args, or write $$${name} for the text $${name}`;
  }
  const reader = whatReads(command, index, argument.rest);
  if (reader === undefined) return undefined;
  if (reader.as === 'program') return `$${name} would let the sender choose the program; write its name`;
  if (reader.as === 'before-program') {
    return `$${name} takes all remaining words, and the second would be the program; remove its rest`;
  }
  return reader.isShell
    ? `$${name} would be a program for the shell; use "$${name}" inside of a text`
    : `$${name} would be a program for ${reader.name}; have a program of yours read it from the environment variable ${name}`;
}
