/**
 * The words after a quick command, matched with the arguments it declares. Values reach the program as environment
 * variables and, in a command that is a list, as items of their own; never by concatenation, so nothing a person types
 * is read by a shell.
 */

import { PATTERN_VALUE_LENGTH_MAX, readPattern } from '../config/patterns.ts';
import type { ArgSpec, CommandLine, ExecCommand } from '../config/schema.ts';
import { mayBeOption, withArguments } from './argv.ts';
import { echoed } from './echoed.ts';
import { splitWords } from './words.ts';

/** A command's arguments with what was given for them. */
export interface Arguments {
  /** For the environment, one of each declared argument; empty where none was given. */
  readonly values: Readonly<Record<string, string>>;
  /** What is to be run: a list has the words in their places. */
  readonly command: CommandLine;
}

export type Bound =
  | ({ readonly ok: true } & Arguments)
  /** `problem` says what is wrong with which word, in one line. */
  | { readonly ok: false; readonly problem: string };

const NAMED = /^(?<name>[A-Za-z_][A-Za-z0-9_]*)=(?<value>[\s\S]*)$/;

/** Fills `args` in order or by name (`LINES=50`); the last one takes the rest when it says so. */
export function bindArguments(
  { args, command }: Pick<ExecCommand, 'args' | 'command'>,
  words: string,
): Bound {
  if (words.includes('\0')) return { ok: false, problem: 'an argument holds a NUL character' };
  const placed = placeWords(args, splitWords(words));
  if ('problem' in placed) return { ok: false, problem: placed.problem };
  const given = new Map<string, readonly string[]>();
  const values: Record<string, string> = {};
  for (const arg of args) {
    const written = placed.words.get(arg.name);
    const own = written ?? (arg.default === undefined ? undefined : [arg.default]);
    if (own === undefined && arg.required) return { ok: false, problem: `${arg.name} is missing` };
    const value = own?.join(' ') ?? '';
    const problem =
      own && (emptyProblem(arg, own) ?? problemOf(arg, value) ?? optionProblem(arg, written ?? [], command));
    if (problem !== undefined) return { ok: false, problem };
    given.set(arg.name, own ?? []);
    values[arg.name] = value;
  }
  return { ok: true, values, command: withArguments(command, given) };
}

/** The words of each argument that any were given for. */
function placeWords(
  args: readonly ArgSpec[],
  words: readonly string[],
): { words: Map<string, readonly string[]> } | { problem: string } {
  const placed = new Map<string, readonly string[]>();
  const inOrder = [...args];
  const left = [...words];
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    const named = NAMED.exec(word)?.groups;
    const byName = named && inOrder.find((arg) => arg.name === named.name);
    const arg = byName ?? inOrder[0];
    if (arg === undefined) return { problem: `nothing is declared for "${echoed(word)}"` };
    inOrder.splice(inOrder.indexOf(arg), 1);
    const value = byName ? (named?.value ?? '') : word;
    placed.set(arg.name, arg.rest ? [value, ...left.splice(0)] : [value]);
  }
  return { words: placed };
}

/**
 * A word that a program would take for an option decides what the program does: `-f` makes another `tail` of it. It
 * may stand behind `--`, and where the operator named it as a choice.
 */
function optionProblem(arg: ArgSpec, words: readonly string[], command: CommandLine): string | undefined {
  if (arg.choices !== undefined || !mayBeOption(command, arg.name)) return undefined;
  const option = words.find((word) => word.startsWith('-'));
  if (option === undefined) return undefined;
  return `${arg.name} must not begin with "-", which would make "${echoed(option)}" an option`;
}

/** What must be there must say something, unless the operator's own pattern or choices take nothing for an answer. */
function emptyProblem({ name, required, choices, pattern }: ArgSpec, words: readonly string[]) {
  if (!required || choices !== undefined || pattern !== undefined) return undefined;
  return words.every((word) => word === '') ? `${name} is empty` : undefined;
}

function problemOf(arg: ArgSpec, value: string): string | undefined {
  if (arg.choices && !arg.choices.includes(value)) {
    return `${arg.name} is one of ${arg.choices.join(', ')}, not "${echoed(value)}"`;
  }
  return arg.pattern === undefined ? undefined : patternProblem(arg.name, arg.pattern, value);
}

function patternProblem(name: string, pattern: string, value: string): string | undefined {
  if (value.length > PATTERN_VALUE_LENGTH_MAX) {
    return `${name} may have ${PATTERN_VALUE_LENGTH_MAX} characters at most, and has ${value.length}`;
  }
  const read = readPattern(pattern);
  if (typeof read !== 'string' && read.matches(value)) return undefined;
  return `${name} must match ${pattern}, and "${echoed(value)}" does not`;
}
