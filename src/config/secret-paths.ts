/**
 * Which places of a configuration hold secrets, judged by the whole path: what stands below a key whose name says
 * `token` is one, whatever its own key is called (`args.API_TOKEN.default`). For all that is told of a file: messages,
 * the lines below them, the values of changed keys. It errs on the side of hiding. Pure.
 */
import { isKeyName } from './key-facts.ts';
import { namesSecretValue, namesVariables } from './redact.ts';

/** Sections whose names are chosen by people: `quick_commands.monkey` is a command, not a key. */
const NAMED_SECTIONS: readonly unknown[] = ['quick_commands', 'agents', 'conversations', 'platforms'];

/** True when what stands at this path is not to be told. Of platforms nothing is: most of their keys hold what opens them. */
export function holdsSecret(path: readonly PropertyKey[]): boolean {
  return path[0] === 'platforms' || isBelowSecret(path);
}

/** True where a name in the path tells of a secret. */
function isBelowSecret(path: readonly PropertyKey[]): boolean {
  return path.some(
    (segment, at) => typeof segment === 'string' && namesSecretValue(segment) && !isNameOfEntry(path, at),
  );
}

/** With keys below it; a text in the place of a whole command is judged by the name after all. */
const isNameOfEntry = (path: readonly PropertyKey[], at: number): boolean =>
  at === 1 && NAMED_SECTIONS.includes(path[0]) && typeof path[2] === 'string';

/** True for the path of a quick command, an agent, a conversation or a platform: a mapping there is judged by its own keys. */
export function isNamedEntry(path: readonly PropertyKey[]): boolean {
  return path.length === 2 && NAMED_SECTIONS.includes(path[0]);
}

/**
 * True when the last name of the path may be told, whatever stands there. What nobody knows below a secret may be one,
 * and so may a word without a colon: of such a one `lengthTold` says where its secret begins, if it tells of one itself.
 */
export function nameMayBeTold(path: readonly PropertyKey[], hasColon: boolean): boolean {
  const name = path.at(-1);
  if (typeof name === 'number' || isKeyName(path)) return true;
  if (isBelowSecret(path.slice(0, -1))) return false;
  return hasColon || lengthTold(String(name), path) < String(name).length;
}

/** True where the name of an environment variable belongs: below `env`, and behind `api_key_env`. */
export function namesVariable(path: readonly PropertyKey[]): boolean {
  return path.some(
    (segment, at) => typeof segment === 'string' && namesVariables(segment) && !isNameOfEntry(path, at),
  );
}

/**
 * How many characters may be told of what stands at this path, be it a key or a text, if no secret belongs there. People
 * write the value of a variable in the place of its name: of what is no name only the name before a `=` is told. And
 * where they forget a colon, the first word is the key and the rest may be its secret.
 */
export function lengthTold(text: string, path: readonly PropertyKey[]): number {
  if (namesVariable(path)) return toldOfVariable(text);
  const [whole, key = ''] = COLON_FORGOTTEN.exec(text) ?? [''];
  return namesSecretValue(key) ? whole.length : text.length;
}

/** A word with more behind it, as it is written or as JSON has it, what begins a text included. */
const COLON_FORGOTTEN = /^(?:["']|[|>].*\n\s*)?([\w-]+)["']?(?:\s|\\[nrt])+(?=\S)/;

/** The name before the `=` in `NAME=VALUE`, a mark of a text before it included. */
const BEFORE_VALUE = /^["']?[A-Za-z_][A-Za-z0-9_]*=/;

/** A name, alone or as a shell has it, or several. */
const NAMES_ALONE =
  /^["'[]*\$?\{?[A-Za-z_][A-Za-z0-9_]*\}?(?:["', ]+\$?\{?[A-Za-z_][A-Za-z0-9_]*\}?)*["'\]]*$/;

function toldOfVariable(text: string): number {
  return NAMES_ALONE.test(text) ? text.length : (BEFORE_VALUE.exec(text)?.[0].length ?? 0);
}
