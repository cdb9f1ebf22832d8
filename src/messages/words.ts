/**
 * The words behind a quick command as text: read, written, and shown as a usage. Apart from their matching with declared
 * arguments (`arguments.ts`), whose patterns need an engine of their own: every command line shows a usage, few match. Pure.
 */
import type { ArgSpec } from '../config/schema.ts';

/**
 * Quotes around a word, or around the value behind its `NAME=`. Within double quotes a backslash keeps the next character;
 * single quotes keep everything.
 */
const WORD = /([A-Za-z_][A-Za-z0-9_]*=)?(?:"((?:[^"\\]|\\[\s\S])*)"|'([^']*)'|(\S+))/g;

/** Splits on white space; double or single quotes keep a word with spaces together. */
export const splitWords = (words: string): string[] =>
  [...words.matchAll(WORD)].map(
    ([, name = '', double, single, bare]) =>
      name + (double?.replaceAll(/\\([\s\S])/g, '$1') ?? single ?? bare ?? ''),
  );

/** The text that `splitWords` reads back as these words, whatever is in them. */
export const quoteWords = (words: readonly string[]): string =>
  words.map((word) => `"${word.replaceAll(/["\\]/g, '\\$&')}"`).join(' ');

/** True when two texts have the same words, however those are quoted. */
export const haveSameWords = (one: string, other: string): boolean =>
  quoteWords(splitWords(one)) === quoteWords(splitWords(other));

/** One line that shows how a command is used: `/logs [LINES]`. */
export function usageOf(name: string, args: readonly ArgSpec[]): string {
  const shown = args.map((arg) => {
    const word = arg.rest ? `${arg.name}…` : arg.name;
    return arg.required && arg.default === undefined ? word : `[${word}]`;
  });
  return [`/${name}`, ...shown].join(' ');
}
