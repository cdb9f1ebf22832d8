/**
 * Where the place of an argument may not stand in a command that is a list; judged when the configuration is read. Pure.
 */
import { placeIn } from './units.ts';

const SHELL = /(?:^|\/)(?:ash|bash|dash|fish|ksh|sh|zsh)$/;
/** `-c`, also among others: `-ec`. The next item is a program for the shell. */
const SHELL_TEXT_OPTION = /^-[a-z]*c$/;

/**
 * Why an item of a list cannot stand where it does, given the declared arguments; undefined when it can. Without
 * declared arguments every item is a text.
 */
export function placeProblem(
  command: readonly string[],
  index: number,
  names: ReadonlySet<string>,
): string | undefined {
  const name = placeIn(command[index] ?? '');
  if (name === undefined || names.size === 0) return undefined;
  if (!names.has(name)) {
    return `$${name} is no argument of this command, and no shell reads a list; declare ${name} under args`;
  }
  if (index === 0) return `$${name} would let the sender choose the program; write its name`;
  if (SHELL.test(command[0] ?? '') && SHELL_TEXT_OPTION.test(command[index - 1] ?? '')) {
    return `$${name} would be a program for the shell; use "$${name}" inside of a text`;
  }
  return undefined;
}
