/**
 * Reads a configuration: file → YAML tree with the place of each value → schema → `Config`. All problems of a file
 * are reported at once, each with its place. Whatever the bytes, it returns a configuration or throws a SluiceError.
 */
import { dirname, resolve } from 'node:path';
import { judgeAliases } from './aliases.ts';
import { readConfigFile } from './config-file.ts';
import { expandVariables } from './expand.ts';
import {
  ConfigInvalid,
  type Finding,
  findingsOf,
  keyText,
  type PlacedProblem,
  type Problem,
  placed,
  placeText,
} from './problems.ts';
import { judgePrograms, type Look, lookOnDisk } from './programs.ts';
import { judgePrompts, promptProblem } from './prompt-file.ts';
import { resolveConfig } from './resolve.ts';
import {
  type Config,
  type ConfigFile,
  type ConfigOrigin,
  configFileSchema,
  type SchemaOptions,
} from './schema.ts';
import { type Place, readTree, type Tree } from './tree.ts';

/** What loading must know besides the text. */
export interface LoadOptions extends SchemaOptions {
  readonly path: string;
  readonly origin: ConfigOrigin;
  readonly env: NodeJS.ProcessEnv;
  /** What relative paths resolve against, if not the folder of `path`: for a copy kept elsewhere. */
  readonly folder?: string;
  /** Whether what is thrown shows the lines of the file; absent: it does. */
  readonly withLines?: boolean;
  /** Why a system prompt file cannot be used; absent: nobody looks, as for a text that ran already. */
  readonly promptProblem?: (path: string) => string | undefined;
  /** What looks whether the programs and folders of agents and quick commands are there; absent: nobody does. */
  readonly look?: Look;
}

/** A valid configuration: as the gateway uses it, and as the file has it with its defaults. */
export interface Loaded {
  readonly config: Config;
  readonly file: ConfigFile;
  readonly warnings: readonly string[];
}

/** Reads and judges the file. Throws CONFIG_UNREADABLE or CONFIG_INVALID, whose message lists the problems. */
export function loadConfig(options: LoadOptions): Loaded {
  return parseConfig(readConfigFile(options.path, options), { promptProblem, look: lookOnDisk, ...options });
}

/** The same without the file system: `options.path` only names the text. Throws CONFIG_INVALID. */
export function parseConfig(text: string, options: LoadOptions): Loaded {
  const judged = judgeConfig(text, options);
  if ('config' in judged) return judged;
  throw new ConfigInvalid(judged.problems, options.path, options);
}

/** What is wrong with a text, in its order; places count without a byte order mark. */
export interface Faulty {
  readonly problems: readonly PlacedProblem[];
  readonly warnings: readonly string[];
}

/** Judges a text: all its problems, or the configuration. Never throws over what the text holds. */
export function judgeConfig(text: string, options: LoadOptions): Loaded | Faulty {
  const bare = withoutMark(text);
  const tree = readTree(bare);
  const place = (problems: readonly Problem[]) =>
    problems.length === 0 ? [] : placed(problems, bare, tree.telling());
  if (!tree.whole) return { problems: place(tree.problems), warnings: [] };
  const { values, warnings } = expandVariables(tree.value, options.env);
  const parsed = schemaOf(options).safeParse(values);
  const { findings, ...aliases } = judgeAliases(childOf(values, 'quick_commands'), options.builtinNames);
  warnings.push(...aliases.warnings);
  if (!parsed.success) findings.push(...findingsOf(parsed.error));
  const path = resolve(options.path);
  const folder = options.folder ?? dirname(path);
  const around = { folder, userHome: options.env.HOME };
  if (options.promptProblem !== undefined) {
    findings.push(...judgePrompts(values, around, options.promptProblem));
  }
  if (options.look !== undefined) {
    const missing = placedFindings(judgePrograms(values, around, options.look), tree);
    warnings.push(...place(missing).map((problem) => placeText(problem, options.path)));
  }
  const known = findings.filter(({ path }) => !tree.tagged.has(keyText(path)));
  const problems = [...tree.problems, ...placedFindings(known, tree)];
  if (problems.length > 0 || !parsed.success) return { problems: place(problems), warnings };
  const source = { path, folder, origin: options.origin, text };
  const resolved = resolveConfig(parsed.data, { ...options, source });
  return { config: resolved.config, file: parsed.data, warnings: [...warnings, ...resolved.warnings] };
}

const NO_PLATFORMS: NonNullable<SchemaOptions['platformSchemas']> = {};

/** By the names and platforms they were made for: to make one, and have Zod compile it, is a tenth of a reload. */
const schemas = new WeakMap<object, WeakMap<object, ReturnType<typeof configFileSchema>>>();

function schemaOf({ builtinNames, platformSchemas = NO_PLATFORMS }: SchemaOptions) {
  const forNames = schemas.get(builtinNames) ?? new WeakMap();
  schemas.set(builtinNames, forNames);
  const schema = forNames.get(platformSchemas) ?? configFileSchema({ builtinNames, platformSchemas });
  forNames.set(platformSchemas, schema);
  return schema;
}

/** The text as places count in it. */
export function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** A file without a finding, as most are, needs no index of its places. */
function placedFindings(findings: readonly Finding[], { places }: Tree): Problem[] {
  if (findings.length === 0) return [];
  const byKey = new Map(places.map((place) => [keyText(place.path), place]));
  return findings.map(({ path, at, message }) => ({ offset: offsetOf(byKey, path, at), path, message }));
}

/** Where the value or key of this path stands; of one that is not written, where its nearest parent does. */
function offsetOf(
  places: ReadonlyMap<string, Place>,
  path: readonly PropertyKey[],
  at: 'key' | 'value',
): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const place = places.get(keyText(path.slice(0, length)));
    if (place !== undefined) return length === path.length ? place[at] : place.key;
  }
  return 0;
}

function childOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
