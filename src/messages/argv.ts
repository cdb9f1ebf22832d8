/**
 * Puts what a person wrote into the places of a command that is a list. A value is an item of its own, so nothing can
 * split it, join it to another or read it as part of a program. Pure.
 */
import type { CommandLine } from '../config/schema.ts';
import { placeIn, textIn } from '../config/units.ts';

/** What follows this item is no option, by the convention that most programs keep. */
const END_OF_OPTIONS = '--';

/** What may stand in the place of an argument: nothing, its value, or the words of one that takes the rest. */
export type GivenWords = ReadonlyMap<string, readonly string[]>;

/**
 * The command with the words of each argument in its place; one that was not given leaves no item behind. A text for a
 * shell is never changed, and a `$NAME` that is none of the arguments stays as it is.
 */
export function withArguments(command: CommandLine, given: GivenWords): CommandLine {
  if (typeof command === 'string') return command;
  return command.flatMap((item) => given.get(placeIn(item) ?? '') ?? [textIn(item)]);
}

/** True when a word in the place of this argument may be read as an option of the program. */
export function mayBeOption(command: CommandLine, name: string): boolean {
  if (typeof command === 'string') return false;
  const end = command.indexOf(END_OF_OPTIONS);
  return command.some((item, index) => placeIn(item) === name && (end === -1 || index < end));
}
