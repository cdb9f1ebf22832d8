/** The values that options and arguments of the command line take. What is none is refused while the line is read: exit code 2. */
import { type Command, InvalidArgumentError } from 'commander';
import { DURATION_MS_MAX, parseDurationMs } from '../config/units.ts';

/**
 * An empty value is a mistake of whoever wrote the line, such as a variable of a script that is not set: nobody means the
 * empty id, and the home that is meant is not the usual one.
 */
export function refuseEmptyValues(command: Command): void {
  for (const option of command.options) {
    const { parseArg } = option;
    if (!option.required && !option.optional) continue;
    option.argParser((value: string, previous: unknown) => {
      saysSomething(value);
      return parseArg === undefined ? value : parseArg(value, previous);
    });
  }
  for (const below of command.commands) refuseEmptyValues(below);
}

/** The value itself; refused where it is empty. */
export function saysSomething(value: string): string {
  if (value.trim() === '') throw new InvalidArgumentError('It is empty.');
  return value;
}

/** Seconds above 0. */
export function secondsOf(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0)) throw new InvalidArgumentError('give a number of seconds above 0.');
  return seconds;
}

/** A number of lines. */
export function countOf(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('give a number of lines.');
  return Number(text);
}

/** Milliseconds of `30s`, `10m` or `2h`; a day at most. */
export function durationOf(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined || ms <= 0) throw new InvalidArgumentError('give a duration such as 30s, 10m or 2h.');
  if (ms > DURATION_MS_MAX) throw new InvalidArgumentError('more than a day; give 24h at most.');
  return ms;
}
