/**
 * Puts the value of an environment variable in the place of `${NAME}`, in the keys whose row in `keys.ts` says so:
 * addresses, folders, names. Never in what a shell, a person or a regular expression reads; a shell has variables of
 * its own. Pure.
 */
import { factsOf } from './key-facts.ts';
import { keyText } from './problems.ts';
import { variableOf } from './process-environment.ts';

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** `VARIABLE` in the words of JSON Schema. */
export const VARIABLE_PATTERN = '\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}';

export interface Expanded {
  readonly values: unknown;
  readonly warnings: string[];
  /** The variables that were put in. */
  readonly used: Record<string, string>;
}

/** The values of a file with variables put in. One that is not set, or empty, stays as it is written and is warned of. */
export function expandVariables(values: unknown, env: NodeJS.ProcessEnv): Expanded {
  const warnings: string[] = [];
  const used: Record<string, string> = {};
  const expanded = expandAt(values, [], (name, path) => {
    const value = variableOf(env, name);
    if (!value) warnings.push(`${keyText(path)}: \${${name}} is not set, so it stands as it is written`);
    else used[name] = value;
    return value || undefined;
  });
  return { values: expanded, warnings, used };
}

/** The names of the variables that would be put in, as often as they stand there. */
export function variablesIn(values: unknown): string[] {
  const names: string[] = [];
  expandAt(values, [], (name) => {
    names.push(name);
    return undefined;
  });
  return names;
}

type Lookup = (name: string, path: readonly string[]) => string | undefined;

function expandAt(value: unknown, path: readonly string[], lookup: Lookup): unknown {
  if (factsOf(path)?.expands === true) return expandIn(value, path, lookup);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, expandAt(inner, [...path, name], lookup)]),
  );
}

/** In a text, or in the texts of a list. */
function expandIn(value: unknown, path: readonly string[], lookup: Lookup): unknown {
  if (Array.isArray(value))
    return value.map((each) => (typeof each === 'string' ? expandIn(each, path, lookup) : each));
  if (typeof value !== 'string') return value;
  return value.replace(VARIABLE, (written, name: string) => lookup(name, path) ?? written);
}
