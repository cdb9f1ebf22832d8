/** Work in flight as people are told of it: a thousand commands that wait are a number, not a thousand lines. Pure. */
import { counted } from './amounts.ts';

/** Commands that wait for a free place and are named; and all work that is named where it holds up an end. */
export const IN_FLIGHT_SHOWN_MAX = 5;

/** A line for each that runs and for the first that wait, and one that counts the others. */
export function commandLines<Command extends { readonly waiting: boolean }>(
  commands: readonly Command[],
  lineOf: (command: Command) => string,
): string[] {
  const waiting = commands.filter((command) => command.waiting);
  const shown = [...commands.filter((command) => !command.waiting), ...waiting.slice(0, IN_FLIGHT_SHOWN_MAX)];
  const more = waiting.length - IN_FLIGHT_SHOWN_MAX;
  const rest = more > 0 ? [`… and ${counted(more, 'more command')} waiting for a free place`] : [];
  return [...shown.map(lineOf), ...rest];
}

/** `a, b, c, d, e and 995 more`. */
export function firstFew(names: readonly string[]): string {
  const more = names.length - IN_FLIGHT_SHOWN_MAX;
  const shown = names.slice(0, IN_FLIGHT_SHOWN_MAX).join(', ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}
