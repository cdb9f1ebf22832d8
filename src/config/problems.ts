/**
 * Turns what is wrong with a configuration into lines a person can act on: `FILE:LINE:COLUMN key: what is wrong;
 * what would be right`, with the line of the file below. Here a problem is made fit to be told: a `PlacedProblem` has
 * nothing in it that stands in the file where a secret belongs, and may be logged, stored and sent. Pure.
 */
import type { z } from 'zod';
import { SluiceError } from '../errors.ts';
import { nearest } from '../messages/near.ts';
import { MISSING } from './fields.ts';
import { unquoted } from './quoted.ts';
import { HIDDEN, withoutSecrets } from './redact.ts';
import { lengthTold } from './secret-paths.ts';
import type { Telling } from './unshown.ts';

/** Most problems one report names; the rest is counted. */
export const PROBLEMS_MAX = 20;

/** Most problems that are printed or sent where all are asked for; the rest is counted. */
export const PROBLEMS_SHOWN_MAX = 1000;

/** Longest piece of a line that is shown; a longer one is cut, around the mistake. */
const LINE_LENGTH_MAX = 120;

/** What is shown of a line before and behind the place of a mistake far into it. */
const AROUND = { before: 60, behind: 20 } as const;

/**
 * Where in the values something is wrong. `at` says whether its name or what stands there is meant; what the message repeats
 * of the file is marked in it (`quoted.ts`).
 */
export interface Finding {
  readonly path: readonly PropertyKey[];
  readonly at: 'key' | 'value';
  readonly message: string;
}

/** A finding that has its place in the text, not yet fit to be told; `offset` counts UTF-16 units from its beginning. */
export interface Problem {
  readonly offset: number;
  /** Of the key that is wrong; of a mistake in the YAML, of the key that stands before it. */
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** A problem as people find it: line and column from 1, and the line itself. */
export interface PlacedProblem {
  readonly line: number;
  readonly column: number;
  readonly key: string;
  readonly path: readonly PropertyKey[];
  /** `WHAT IS WRONG; WHAT WOULD BE RIGHT`. */
  readonly message: string;
  /** The line it is in, cut around the place, without secrets and what could steer a terminal; empty where there is none to show. */
  readonly source: string;
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

/**
 * The findings in what Zod reports: one for each unknown key, for each wrong name, for each wrong value. A key is not
 * called missing where an unknown one beside it is a misspelling of it.
 */
export function findingsOf(error: z.ZodError): Finding[] {
  const unknown = new Map<string, string[]>();
  for (const { code, path, ...issue } of error.issues) {
    if (code === 'unrecognized_keys') unknown.set(keyText(path), (issue as { keys: string[] }).keys);
  }
  const isMisspelt = ({ path, message }: Finding) =>
    message.startsWith(MISSING) &&
    (unknown.get(keyText(path.slice(0, -1))) ?? []).some(
      (key) => nearest(key, [String(path.at(-1))], 1).length > 0,
    );
  return allFindingsOf(error).filter((finding) => !isMisspelt(finding));
}

function allFindingsOf(error: z.ZodError): Finding[] {
  return error.issues.flatMap((issue): Finding[] => {
    if (issue.code === 'unrecognized_keys') {
      const messages = issue.message.split('\n');
      return issue.keys.map((key, index) => ({
        path: [...issue.path, key],
        at: 'key',
        message: messages[index] ?? issue.message,
      }));
    }
    const isOfKey = issue.code === 'custom' && issue.params?.at === 'key';
    return [{ path: issue.path, at: isOfKey ? 'key' : 'value', message: issue.message }];
  });
}

/** A configuration that is not valid. Its message lists the problems, as `report` does. */
export class ConfigInvalid extends SluiceError {
  readonly problems: readonly PlacedProblem[];

  constructor(problems: readonly PlacedProblem[], file: string, shown: { readonly withLines?: boolean }) {
    super('CONFIG_INVALID', report(problems, file, shown));
    this.problems = problems;
  }
}

/** The report: the first `PROBLEMS_MAX` problems, each with its line of the file unless told otherwise. */
export function report(
  problems: readonly PlacedProblem[],
  file: string,
  { withLines = true }: { readonly withLines?: boolean } = {},
): string {
  const said = withLines ? problemText : placeText;
  const lines = problems.slice(0, PROBLEMS_MAX).map((problem) => said(problem, file));
  if (problems.length > PROBLEMS_MAX) lines.push(`… and ${problems.length - PROBLEMS_MAX} more`);
  return lines.join('\n');
}

/** The problems in the order of the file, each with its place in `text`, and with what may be told of it. */
export function placed(problems: readonly Problem[], text: string, telling: Telling): PlacedProblem[] {
  const begins = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) begins.push(at + 1);
  let line = 1;
  // Thousands of problems may be in one line.
  let shown = { line: 0, source: '' };
  return [...problems]
    .sort((a, b) => a.offset - b.offset || a.path.length - b.path.length)
    .map(({ offset, path, message }) => {
      while ((begins[line] ?? Number.POSITIVE_INFINITY) <= offset) line += 1;
      const [begin, end] = [begins[line - 1] ?? 0, (begins[line] ?? text.length + 1) - 1];
      const column = offset - begin + 1;
      if (shown.line !== line) shown = { line, source: telling.line(begin, end) };
      return {
        line,
        column,
        ...told(path, message, telling),
        path,
        source: sourceOf(text.slice(begin, end), shown.source, column),
      };
    });
}

/** The key and the message, without what stands where a secret belongs. */
function told(
  path: readonly PropertyKey[],
  message: string,
  { hides, tellsName }: Telling,
): Pick<PlacedProblem, 'key' | 'message'> {
  const names = path.map((segment, at) => {
    const [inside, name] = [path.slice(0, at + 1), String(segment)];
    if (!tellsName(inside)) return HIDDEN;
    return typeof segment === 'number' ? segment : cutTo(lengthTold(name, inside), name);
  });
  return {
    key: withoutSecrets(keyText(names)),
    message: withoutSecrets(
      unquoted(message, (text) => (hides(path) ? HIDDEN : cutTo(lengthTold(text, path), text))),
    ),
  };
}

/** The beginning of a text that may be told, and a mark for the rest. */
function cutTo(length: number, text: string): string {
  if (length === text.length) return text;
  return `${text.slice(0, length)}${HIDDEN}${length > 0 && text.startsWith('"') ? '"' : ''}`;
}

/** The line, cut around the place. What stands left of a piece may be what tells that it holds a secret: then from its beginning. */
function sourceOf(written: string, shown: string, column: number): string {
  return shownLine(shown, isFar(column) && shown === written ? column : 1);
}

/** `FILE:LINE:COLUMN key: message`, and the line below where there is one. */
export function problemText(problem: PlacedProblem, file: string): string {
  const said = placeText(problem, file);
  return problem.source === '' ? said : `${said}\n${lineText(problem)}`;
}

const lineText = ({ line, source }: PlacedProblem): string => `${String(line).padStart(6)} | ${source}`;

/** The lines alone, each once: of the problems that a report names. */
export function linesText(problems: readonly PlacedProblem[]): string {
  const shown = problems.slice(0, PROBLEMS_MAX).filter(({ source }) => source !== '');
  return [...new Set(shown.map(lineText))].join('\n');
}

/** The same without the line. */
export function placeText({ line, column, key, message }: PlacedProblem, file: string): string {
  return `${file}:${line}:${column} ${key}: ${message}`;
}

/** The problems as programs read them, and how many were left out. */
export interface ProblemsDocument {
  readonly errors: readonly {
    readonly line: number;
    readonly column: number;
    readonly key: string;
    readonly message: string;
    readonly hint: string;
    /** The line of the file. */
    readonly source: string;
  }[];
  readonly more: number;
}

/** At most `PROBLEMS_SHOWN_MAX` of them. */
export function problemsDocument(problems: readonly PlacedProblem[]): ProblemsDocument {
  const errors = problems.slice(0, PROBLEMS_SHOWN_MAX).map(({ line, column, key, message, source }) => {
    const { wrong, right } = halvesOf(message);
    return { line, column, key, message: wrong, hint: right, source };
  });
  return { errors, more: problems.length - errors.length };
}

/** The two halves of a message; the second is empty where nothing can be advised. */
export function halvesOf(message: string): { wrong: string; right: string } {
  const at = message.lastIndexOf('; ');
  return at === -1
    ? { wrong: message, right: '' }
    : { wrong: message.slice(0, at), right: message.slice(at + 2) };
}

/**
 * A line of a file as it is shown: cut, and without what could steer a terminal. `column`, from 1, is in what is shown;
 * for a line in which something is to be hidden it must be 1.
 */
export function shownLine(line: string, column = 1): string {
  const source = line.trimEnd();
  const begin = isFar(column) ? Math.min(column - 1, source.length) - AROUND.before : 0;
  const end = begin + LINE_LENGTH_MAX;
  const shown = `${begin > 0 ? '…' : ''}${source.slice(begin, end)}${source.length > end ? '…' : ''}`;
  return shown.replace(/\p{Cc}/gu, ' ');
}

const isFar = (column: number): boolean => column > LINE_LENGTH_MAX - AROUND.behind;
