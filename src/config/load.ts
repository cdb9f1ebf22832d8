/**
 * Reads a configuration: file → YAML tree with the place of each value → schema → `Config`. All problems of a file
 * are reported at once, each with its place. Whatever the bytes, it returns a configuration or throws a SluiceError.
 * The only reader of YAML.
 */
import { dirname, resolve } from 'node:path';
import { isAlias, isMap, isScalar, type ParsedNode, parseDocument, type YAMLError, type YAMLMap } from 'yaml';
import { SluiceError } from '../errors.ts';
import { judgeAliases } from './aliases.ts';
import { readConfigFile } from './config-file.ts';
import { expandVariables } from './expand.ts';
import { type Finding, findingsOf, keyText, type Problem, report } from './problems.ts';
import { resolveConfig } from './resolve.ts';
import {
  type Config,
  type ConfigFile,
  type ConfigOrigin,
  configFileSchema,
  type SchemaOptions,
} from './schema.ts';

/** Most values of a file, each use of an alias counted anew: a few lines of YAML can stand for billions. */
const VALUES_MAX = 20_000;

/** Deepest nesting. */
const DEPTH_MAX = 32;

/** Longest key; each path that is kept repeats it. */
const KEY_LENGTH_MAX = 128;

/** What loading must know besides the text. */
export interface LoadOptions extends SchemaOptions {
  readonly path: string;
  readonly origin: ConfigOrigin;
  readonly env: NodeJS.ProcessEnv;
  /** What relative paths resolve against, if not the folder of `path`: for a copy kept elsewhere. */
  readonly folder?: string;
}

/** A valid configuration: as the gateway uses it, and as the file has it with its defaults. */
export interface Loaded {
  readonly config: Config;
  readonly file: ConfigFile;
  readonly warnings: readonly string[];
}

/** Reads and judges the file. Throws CONFIG_UNREADABLE or CONFIG_INVALID, whose message lists the problems. */
export function loadConfig(options: LoadOptions): Loaded {
  return parseConfig(readConfigFile(options.path), options);
}

/** The same without the file system: `options.path` only names the text. Throws CONFIG_INVALID. */
export function parseConfig(text: string, options: LoadOptions): Loaded {
  const judged = judgeConfig(text, options);
  if ('config' in judged) return judged;
  throw new SluiceError('CONFIG_INVALID', report(judged.problems, options.path, withoutMark(text)));
}

/** What is wrong with a text, in no order; places count without a byte order mark. */
export interface Faulty {
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

/** Judges a text: all its problems, or the configuration. Never throws over what the text holds. */
export function judgeConfig(text: string, options: LoadOptions): Loaded | Faulty {
  const tree = readTree(withoutMark(text));
  if (!tree.whole) return { problems: tree.problems, warnings: [] };
  const { values, warnings } = expandVariables(tree.value, options.env);
  const parsed = schemaOf(options).safeParse(values);
  const { findings, ...aliases } = judgeAliases(childOf(values, 'quick_commands'), options.builtinNames);
  warnings.push(...aliases.warnings);
  if (!parsed.success) findings.push(...findingsOf(parsed.error));
  const problems = [...tree.problems, ...placedFindings(findings, tree)];
  if (problems.length > 0 || !parsed.success) return { problems, warnings };
  const path = resolve(options.path);
  const source = { path, folder: options.folder ?? dirname(path), origin: options.origin, text };
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

/** Values without YAML, and where each stands: of a path that is there several times the last one counts. */
interface Tree {
  readonly value: unknown;
  readonly places: readonly Place[];
  readonly problems: readonly Problem[];
  /** False when values that are written are missing in `value`: then only `problems` says something. */
  readonly whole: boolean;
}

interface Place {
  readonly path: readonly PropertyKey[];
  readonly key: number;
  /** Of a scalar its own place, of a mapping or list that of its key, which is where one looks for it. */
  readonly value: number;
}

/** Reads the YAML 1.2 in `text`, which has no byte order mark. */
export function readTree(text: string): Tree {
  const document = parseYaml(text);
  if (document === undefined) {
    const message = 'cannot be read as YAML; make it simpler';
    return { value: {}, places: [], problems: [{ offset: 0, path: [], message }], whole: false };
  }
  const walk: Walk = {
    places: [],
    problems: [],
    anchors: new Map(),
    open: new Set(),
    values: 0,
    full: false,
    incomplete: false,
  };
  const root = document.contents === null ? undefined : plainOf(document.contents, [], 0, walk);
  const { places } = walk;
  const syntax = syntaxProblems([...document.errors, ...document.warnings], places);
  if (syntax.length > 0) return { value: {}, places, problems: syntax, whole: false };
  return { value: root ?? {}, places, problems: walk.problems, whole: !walk.incomplete };
}

function syntaxProblems(found: readonly YAMLError[], places: readonly Place[]): Problem[] {
  if (found.length === 0) return [];
  const pathAt = pathFinder(places);
  return found.map(({ code, message, pos: [offset] }) => ({
    offset,
    path: pathAt(offset),
    message: SYNTAX[code] ?? `${message.replace(/\.$/, '')}; correct the YAML`,
  }));
}

/** The messages for the mistakes that people make most; the library's own text serves for the others. */
const SYNTAX: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'a tab indents the line; indent with spaces',
  MULTIPLE_DOCS: 'a second document begins here; keep one',
  TAG_RESOLVE_FAILED: 'has a tag that means nothing here; remove it',
};

/** Undefined where the library gives up, as it does over nesting without end. */
function parseYaml(text: string) {
  try {
    // Schema core whatever the file declares: in YAML 1.1 `off` would be false. Duplicate keys are found by the walk,
    // which knows their path; the library compares each with each, which takes minutes in a large file.
    return parseDocument(text, {
      schema: 'core',
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'error',
    });
  } catch {
    return undefined;
  }
}

interface Walk {
  readonly places: Place[];
  readonly problems: Problem[];
  readonly anchors: Map<string, ParsedNode>;
  /** The collections that the walk is inside of. */
  readonly open: Set<ParsedNode>;
  values: number;
  /** A limit was passed: said once, the rest is not looked at. */
  full: boolean;
  /** Values that are written are missing here, so the schema would complain about what is not so. */
  incomplete: boolean;
}

/** The value of a node. A key without a value becomes undefined: such a key counts as not written. */
function plainOf(node: ParsedNode, path: readonly PropertyKey[], keyOffset: number, walk: Walk): unknown {
  const offset = node.range[0];
  const complain = (message: string) => walk.problems.push({ offset, path, message });
  if (walk.full) return undefined;
  if (isAlias(node)) {
    const named = walk.anchors.get(node.source);
    if (named !== undefined && !walk.open.has(named)) return plainOf(named, path, keyOffset, walk);
    walk.incomplete = true;
    complain(`*${node.source} ${named === undefined ? ANCHOR_PROBLEM : CIRCLE_PROBLEM}`);
    return undefined;
  }
  walk.values += 1;
  if (path.length > DEPTH_MAX || walk.values > VALUES_MAX) {
    walk.full = true;
    walk.incomplete = true;
    complain(path.length > DEPTH_MAX ? DEPTH_PROBLEM : VALUES_PROBLEM);
    return undefined;
  }
  if (node.anchor !== undefined) walk.anchors.set(node.anchor, node);
  walk.places.push({ path, key: keyOffset, value: isScalar(node) ? offset : keyOffset });
  if (isScalar(node)) return node.value ?? undefined;
  walk.open.add(node);
  const value = isMap(node)
    ? plainMapOf(node, path, walk)
    : node.items.map((item, index) => plainOf(item, [...path, index], item.range[0], walk));
  walk.open.delete(node);
  return value;
}

const ANCHOR_PROBLEM = 'has no anchor before it; write the value, in quotes if it begins with *';
const CIRCLE_PROBLEM = 'stands for what it is a part of; write the value';
const DEPTH_PROBLEM = `is nested deeper than ${DEPTH_MAX} levels; make it flatter`;
const VALUES_PROBLEM = `is the value after the first ${VALUES_MAX}, aliases written out; use fewer`;

/** An object with the keys as written, `404` and `true` too. Of a key that is written twice the first value holds. */
function plainMapOf(map: YAMLMap.Parsed, path: readonly PropertyKey[], walk: Walk): Record<string, unknown> {
  const values = new Map<string, unknown>();
  for (const { key, value } of map.items) {
    const offset = key.range[0];
    const name = keyOf(key);
    const inside = name === undefined ? path : [...path, name];
    const complain = (message: string) => walk.problems.push({ offset, path: inside, message });
    if (name === undefined) {
      complain(`has a key that is no word of up to ${KEY_LENGTH_MAX} characters; write one before the colon`);
    } else if (name === '__proto__') {
      complain('is no key; remove it');
    } else if (name === '<<') {
      complain('is a merge key, and those are not read; write the keys out');
    } else if (values.has(name)) {
      complain('is written twice; keep one of them');
    } else {
      walk.places.push({ path: inside, key: offset, value: offset });
      values.set(name, value === null ? undefined : plainOf(value, inside, offset, walk));
    }
  }
  return Object.fromEntries(values);
}

function keyOf(key: ParsedNode): string | undefined {
  if (!isScalar(key)) return undefined;
  const name = key.source ?? String(key.value ?? '');
  return name.length > KEY_LENGTH_MAX ? undefined : name;
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

/** Finds the key that stands last before an offset: the one a mistake in the YAML belongs to, as far as one can tell. */
function pathFinder(places: readonly Place[]): (offset: number) => readonly PropertyKey[] {
  const inOrder = places.toSorted((a, b) => a.key - b.key);
  return (offset) => {
    let [low, high] = [0, inOrder.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((inOrder[middle]?.key ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return inOrder[low - 1]?.path ?? [];
  };
}

function childOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
