/**
 * The variables of the environment that a configuration depends on, and what a process that has another environment is
 * told of them: what a running gateway has decides what its file means, not what stands in the shell of whoever asks.
 */
import { OVERRIDES } from './environment.ts';
import { variablesIn } from './expand.ts';
import { ENVIRONMENT_NAME } from './fields.ts';
import { isMapping } from './forms.ts';
import { withoutMark } from './load.ts';
import { variableOf } from './process-environment.ts';
import { readTree } from './tree.ts';

/** Most variables of a kind that are told at once: no file can name more. */
export const VARIABLES_MAX = 20_000;

/** Names of variables: of some the value stands in the configuration, of others it matters that they are set. */
export interface NamedVariables {
  readonly values: readonly string[];
  readonly set: readonly string[];
}

/** What an environment has of them; what is not set, or empty, is not in it. */
export interface ToldVariables {
  readonly values: Readonly<Record<string, string>>;
  readonly set: readonly string[];
}

/** The variables that a text names, without those that every configuration depends on. */
export function namedBy(text: string): NamedVariables {
  const { value } = readTree(withoutMark(text));
  const set = keysIn(value).filter((name) => ENVIRONMENT_NAME.test(name));
  return { values: [...new Set(variablesIn(value))], set: [...new Set(set)] };
}

/** All that several texts depend on: what they name, the overrides, and where `~` leads. */
export function dependedOn(texts: readonly string[]): NamedVariables {
  const named = texts.map(namedBy);
  const values = ['HOME', ...OVERRIDES, ...named.flatMap((each) => each.values)];
  const set = named.flatMap((each) => each.set);
  return { values: [...new Set(values)], set: [...new Set(set)] };
}

/** What is told of an environment. The value of a key is none of it. */
export function toldOf(env: NodeJS.ProcessEnv, { values, set }: NamedVariables): ToldVariables {
  const found = values.flatMap((name): [string, string][] => {
    const value = variableOf(env, name);
    return value ? [[name, value]] : [];
  });
  return { values: Object.fromEntries(found), set: set.filter((name) => variableOf(env, name)?.trim()) };
}

/** An environment to judge a configuration by, which has what was told and nothing else. */
export function environmentOf({ values, set }: ToldVariables): NodeJS.ProcessEnv {
  return { ...Object.fromEntries(set.map((name) => [name, '(set)'])), ...values };
}

/** The names under keys such as `api_key_env`, wherever they stand. */
function keysIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysIn);
  if (!isMapping(value)) return [];
  return Object.entries(value).flatMap(([key, inside]) =>
    typeof inside === 'string' && key.endsWith('_env') ? [inside] : keysIn(inside),
  );
}
