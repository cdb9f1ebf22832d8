/**
 * The words after a quick command, matched with the arguments it declares. Values reach the program as
 * environment variables, never by concatenation, so nothing a person types is read by a shell.
 */
import type { ArgSpec } from '../config/schema.ts';
import { argumentPattern } from '../config/units.ts';
import { echoed } from './echoed.ts';

export type Bound =
  | { readonly ok: true; readonly values: Readonly<Record<string, string>> }
  /** `problem` says what is wrong with which word, in one line. */
  | { readonly ok: false; readonly problem: string };

/** Within double quotes a backslash keeps the next character; single quotes keep everything. */
const WORD = /"((?:[^"\\]|\\[\s\S])*)"|'([^']*)'|(\S+)/g;
const NAMED = /^(?<name>[A-Za-z_][A-Za-z0-9_]*)=(?<value>[\s\S]*)$/;

/** Splits on white space; double or single quotes keep a word with spaces together. */
export const splitWords = (words: string): string[] =>
  [...words.matchAll(WORD)].map(
    ([, double, single, bare]) => double?.replaceAll(/\\([\s\S])/g, '$1') ?? single ?? bare ?? '',
  );

/** The text that `splitWords` reads back as these words, whatever is in them. */
export const quoteWords = (words: readonly string[]): string =>
  words.map((word) => `"${word.replaceAll(/["\\]/g, '\\$&')}"`).join(' ');

/** Fills `args` in order or by name (`LINES=50`); the last one takes the rest when it says so. */
export function bindArguments(args: readonly ArgSpec[], words: string): Bound {
  const given = new Map<string, string>();
  const inOrder = [...args];
  const left = splitWords(words);
  if (words.includes('\0')) return { ok: false, problem: 'an argument holds a NUL character' };
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    const named = NAMED.exec(word)?.groups;
    const byName = named && inOrder.find((arg) => arg.name === named.name);
    const arg = byName ?? inOrder[0];
    if (arg === undefined) return { ok: false, problem: `nothing is declared for "${echoed(word)}"` };
    inOrder.splice(inOrder.indexOf(arg), 1);
    const value = byName ? (named?.value ?? '') : word;
    given.set(arg.name, arg.rest ? [value, ...left.splice(0)].join(' ') : value);
  }
  const values: Record<string, string> = {};
  for (const arg of args) {
    const value = given.get(arg.name) ?? arg.default;
    if (value === undefined && arg.required) return { ok: false, problem: `${arg.name} is missing` };
    const problem = value === undefined ? undefined : problemOf(arg, value);
    if (problem !== undefined) return { ok: false, problem };
    values[arg.name] = value ?? '';
  }
  return { ok: true, values };
}

function problemOf(arg: ArgSpec, value: string): string | undefined {
  if (arg.choices && !arg.choices.includes(value)) {
    return `${arg.name} is one of ${arg.choices.join(', ')}, not "${echoed(value)}"`;
  }
  if (arg.pattern && !argumentPattern(arg.pattern).test(value)) {
    return `${arg.name} must match ${arg.pattern}, and "${echoed(value)}" does not`;
  }
  return undefined;
}

/** One line that shows how a command is used: `/logs [LINES]`. */
export function usageOf(name: string, args: readonly ArgSpec[]): string {
  const shown = args.map((arg) => {
    const word = arg.rest ? `${arg.name}…` : arg.name;
    return arg.required && arg.default === undefined ? word : `[${word}]`;
  });
  return [`/${name}`, ...shown].join(' ');
}
