/**
 * Turns what is wrong with a configuration into lines a person can act on: `FILE:LINE:COLUMN key: what is wrong;
 * what would be right`, with the line of the file below. Pure.
 */
import type { z } from 'zod';

/** Most problems one report names; the rest is counted. */
export const PROBLEMS_MAX = 20;

/** Longest piece of a line that is shown; a longer one is cut. */
const LINE_LENGTH_MAX = 120;

/** Where in the values something is wrong. `at` says whether its name or what stands there is meant. */
export interface Finding {
  readonly path: readonly PropertyKey[];
  readonly at: 'key' | 'value';
  readonly message: string;
}

/** A finding that has its place in the text; `offset` counts UTF-16 units from its beginning. */
export interface Problem {
  readonly offset: number;
  readonly key: string;
  readonly message: string;
}

/** A path as people write it: `access.owners[0]`, `quick_commands."Clean Up"`; the top level is `(file)`. */
export function keyText(path: readonly PropertyKey[]): string {
  const [first, ...rest] = path.map((segment) => {
    if (typeof segment === 'number') return `[${segment}]`;
    const name = String(segment);
    return `.${/^[\w-]+$/.test(name) ? name : JSON.stringify(name)}`;
  });
  return first === undefined ? '(file)' : `${first.slice(1)}${rest.join('')}`;
}

/** The findings in what Zod reports: one for each unknown key, for each wrong name, for each wrong value. */
export function findingsOf(error: z.ZodError): Finding[] {
  return error.issues.flatMap((issue): Finding[] => {
    if (issue.code === 'unrecognized_keys') {
      const messages = issue.message.split('\n');
      return issue.keys.map((key, index) => ({
        path: [...issue.path, key],
        at: 'key',
        message: messages[index] ?? issue.message,
      }));
    }
    if (issue.code === 'invalid_key') {
      return [{ path: issue.path, at: 'key', message: issue.issues[0]?.message ?? issue.message }];
    }
    return [{ path: issue.path, at: 'value', message: issue.message }];
  });
}

/** The report: the first `PROBLEMS_MAX` problems in the order of the file, each with its line of `text`. */
export function report(problems: readonly Problem[], file: string, text: string): string {
  const inOrder = [...problems].sort((a, b) => a.offset - b.offset);
  const lines = inOrder.slice(0, PROBLEMS_MAX).map(({ offset, key, message }) => {
    const { line, column, source } = placeOf(text, offset);
    return `${file}:${line}:${column} ${key}: ${message}\n${String(line).padStart(6)} | ${source}`;
  });
  if (inOrder.length > PROBLEMS_MAX) lines.push(`… and ${inOrder.length - PROBLEMS_MAX} more`);
  return lines.join('\n');
}

/** Line and column, both from 1, and the line itself, without what could steer a terminal. */
function placeOf(text: string, offset: number): { line: number; column: number; source: string } {
  const before = text.slice(0, offset);
  const begin = before.lastIndexOf('\n') + 1;
  const end = text.indexOf('\n', begin);
  const source = text.slice(begin, end === -1 ? undefined : end).trimEnd();
  const shown = source.length > LINE_LENGTH_MAX ? `${source.slice(0, LINE_LENGTH_MAX)}…` : source;
  return {
    line: before.split('\n').length,
    column: offset - begin + 1,
    source: shown.replace(/\p{Cc}/gu, ' '),
  };
}
