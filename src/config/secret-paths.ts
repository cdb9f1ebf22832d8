/**
 * Which places of a configuration hold secrets, judged by the whole path: what stands below a key whose name says
 * `token` is one, whatever its own key is called (`args.API_TOKEN.default`). For all that is told of a file: messages,
 * the lines below them, the values of changed keys. It errs on the side of hiding. Pure.
 */
import { isKeyName } from './key-facts.ts';
import { namesSecretValue } from './redact.ts';

/** Sections whose names are chosen by people: `quick_commands.monkey` is a command, not a key. */
const NAMED_SECTIONS: readonly unknown[] = ['quick_commands', 'agents', 'conversations'];

/** True when what stands at this path is not to be told. Of platforms nothing is: most of their keys hold what opens them. */
export function holdsSecret(path: readonly PropertyKey[]): boolean {
  return (path[0] === 'platforms' && path.length > 1) || secretAt(path) !== -1;
}

/** Where in the path the first name stands that tells of a secret; -1 where none does. */
function secretAt(path: readonly PropertyKey[]): number {
  return path.findIndex(
    (segment, at) => typeof segment === 'string' && namesSecretValue(segment) && !isNameOfThing(path, at),
  );
}

/** With keys below it; a text in the place of a whole command is judged by the name after all. */
const isNameOfThing = (path: readonly PropertyKey[], at: number): boolean =>
  at === 1 && NAMED_SECTIONS.includes(path[0]) && typeof path[2] === 'string';

/** True for the path of a quick command, an agent or a conversation: a mapping there is judged by its own keys. */
export function isThing(path: readonly PropertyKey[]): boolean {
  return path.length === 2 && NAMED_SECTIONS.includes(path[0]);
}

/** True for the name of a key that may be told, whatever stands there: what nobody knows below a secret may be one. */
export function keyMayBeTold(path: readonly PropertyKey[]): boolean {
  const at = secretAt(path.slice(0, -1));
  return at === -1 || typeof path.at(-1) === 'number' || isKeyName(path);
}

/** The path with what may be told of it. */
export function toldPath(path: readonly PropertyKey[], hidden: string): readonly PropertyKey[] {
  return path.map((segment, at) => (keyMayBeTold(path.slice(0, at + 1)) ? segment : hidden));
}

/**
 * True where the name of an environment variable belongs. People write its value there: of what is no name nothing is
 * told but the name before a `=`.
 */
export function namesVariable(path: readonly PropertyKey[]): boolean {
  const [section, , key] = path;
  if (section === 'quick_commands' && key === 'env') return true;
  const last = path.at(-1);
  return typeof last === 'string' && /_env$/i.test(last);
}

/** The name before the `=` in `NAME=VALUE`, a mark of a text before it included. */
const BEFORE_VALUE = /^["']?[A-Za-z_][A-Za-z0-9_]*=/;

/** A name, alone or as a shell has it, or several. */
const NAMES_ALONE =
  /^["'[]*\$?\{?[A-Za-z_][A-Za-z0-9_]*\}?(?:["', ]+\$?\{?[A-Za-z_][A-Za-z0-9_]*\}?)*["'\]]*$/;

/** How many characters of a text may be told that stands where the name of a variable belongs. */
export function toldOfVariable(text: string): number {
  return NAMES_ALONE.test(text) ? text.length : (BEFORE_VALUE.exec(text)?.[0].length ?? 0);
}
