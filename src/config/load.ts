/**
 * Reads a configuration: file → YAML tree with the place of each value → schema → `Config`. All problems of a file
 * are reported at once, each with its place. Whatever the bytes, it returns a configuration or throws a SluiceError.
 * The only reader of YAML.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isAlias, isMap, isScalar, type ParsedNode, parseDocument, type YAMLMap } from 'yaml';
import { SluiceError } from '../errors.ts';
import { judgeAliases } from './aliases.ts';
import { findingsOf, keyText, type Problem, report } from './problems.ts';
import { resolveConfig } from './resolve.ts';
import { type Config, type ConfigOrigin, configFileSchema, type SchemaOptions } from './schema.ts';

/** Largest configuration file. */
export const CONFIG_BYTES_MAX = 1024 * 1024;

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

/** Reads and judges the file. Throws CONFIG_UNREADABLE or CONFIG_INVALID, whose message lists the problems. */
export function loadConfig(options: LoadOptions): { config: Config; warnings: string[] } {
  return parseConfig(readConfigFile(options.path), options);
}

/** The same without the file system: `options.path` only names the text. Throws CONFIG_INVALID. */
export function parseConfig(text: string, options: LoadOptions): { config: Config; warnings: string[] } {
  const bare = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const tree = readTree(bare, options.path);
  const parsed = configFileSchema(options).safeParse(tree.value);
  const { findings, warnings } = judgeAliases(childOf(tree.value, 'quick_commands'), options.builtinNames);
  if (!parsed.success) findings.push(...findingsOf(parsed.error));
  for (const { path, at, message } of findings) {
    tree.problems.push({ offset: offsetOf(tree, path, at), key: keyText(path), message });
  }
  refuse(tree.problems, options.path, bare);
  if (!parsed.success) throw new SluiceError('INTERNAL', 'an invalid configuration without a problem');
  const path = resolve(options.path);
  const source = { path, folder: options.folder ?? dirname(path), origin: options.origin, text };
  const resolved = resolveConfig(parsed.data, { ...options, source });
  return { config: resolved.config, warnings: [...warnings, ...resolved.warnings] };
}

/** The text of a configuration file, at most `CONFIG_BYTES_MAX`. Throws CONFIG_UNREADABLE or CONFIG_INVALID. */
export function readConfigFile(path: string): string {
  const bytes = readBytes(path);
  if (bytes.length > CONFIG_BYTES_MAX) {
    throw new SluiceError('CONFIG_INVALID', `${path}:1:1 (file): is larger than 1 MB; make it smaller`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SluiceError('CONFIG_INVALID', `${path}:1:1 (file): is not UTF-8 text; save it as UTF-8`, {
      cause,
    });
  }
}

/** The bytes of a regular file, one more than allowed at most. Opening never waits, as it would for a named pipe. */
function readBytes(path: string): Buffer {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const kind = fstatSync(descriptor);
    if (kind.isDirectory())
      throw new SluiceError('CONFIG_UNREADABLE', `${path} is a folder; name a file in it`);
    if (!kind.isFile()) throw new SluiceError('CONFIG_UNREADABLE', `${path} is not a regular file`);
    const bytes = Buffer.alloc(CONFIG_BYTES_MAX + 1);
    let length = 0;
    while (length < bytes.length) {
      const read = readSync(descriptor, bytes, length, bytes.length - length, null);
      if (read === 0) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } catch (thrown) {
    if (thrown instanceof SluiceError) throw thrown;
    const { code } = thrown as NodeJS.ErrnoException;
    const why = UNREADABLE[code ?? ''] ?? `cannot be read (${code})`;
    throw new SluiceError('CONFIG_UNREADABLE', `${path} ${why}`, { cause: thrown });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** What the usual system errors mean for a person who named a file. */
const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist: a part of its path is no folder',
  EACCES: 'may not be read by this user',
  ELOOP: 'is a link that leads back to itself',
};

/** Values without YAML, and where each stands: `places` is keyed by `keyText`. */
interface Tree {
  readonly value: unknown;
  readonly places: ReadonlyMap<string, Place>;
  readonly problems: Problem[];
}

interface Place {
  readonly key: number;
  /** Of a scalar its own place, of a mapping or list that of its key, which is where one looks for it. */
  readonly value: number;
}

/** Reads the YAML 1.2 in `text`; a text that is no YAML throws CONFIG_INVALID at once, with all its problems. */
function readTree(text: string, path: string): Tree {
  const document = parseYaml(text, path);
  const walk: Walk = {
    places: new Map(),
    problems: [],
    anchors: new Map(),
    open: new Set(),
    values: 0,
    full: false,
    incomplete: false,
  };
  const root = document.contents === null ? undefined : plainOf(document.contents, [], 0, walk);
  const syntax = [...document.errors, ...document.warnings].map(({ code, message, pos: [offset] }) => ({
    offset,
    key: keyAt(walk.places, offset),
    message: SYNTAX[code] ?? `${message.replace(/\.$/, '')}; correct the YAML`,
  }));
  refuse(syntax, path, text);
  if (walk.incomplete) refuse(walk.problems, path, text);
  return { value: root ?? {}, places: walk.places, problems: walk.problems };
}

/** The messages for the mistakes that people make most; the library's own text serves for the others. */
const SYNTAX: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'a tab indents the line; indent with spaces',
  MULTIPLE_DOCS: 'a second document begins here; keep one',
  TAG_RESOLVE_FAILED: 'has a tag that means nothing here; remove it',
};

function parseYaml(text: string, path: string) {
  try {
    // Schema core whatever the file declares: in YAML 1.1 `off` would be false. Duplicate keys are found by the walk,
    // which knows their path; the library compares each with each, which takes minutes in a large file.
    return parseDocument(text, {
      schema: 'core',
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'error',
    });
  } catch (cause) {
    throw new SluiceError('CONFIG_INVALID', `${path}:1:1 (file): cannot be read as YAML; make it simpler`, {
      cause,
    });
  }
}

interface Walk {
  readonly places: Map<string, Place>;
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
  const complain = (message: string) => walk.problems.push({ offset, key: keyText(path), message });
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
  walk.places.set(keyText(path), { key: keyOffset, value: isScalar(node) ? offset : keyOffset });
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
    const complain = (message: string) => walk.problems.push({ offset, key: keyText(inside), message });
    if (name === undefined) {
      complain(`has a key that is no word of up to ${KEY_LENGTH_MAX} characters; write one before the colon`);
    } else if (name === '__proto__') {
      complain('is no key; remove it');
    } else if (values.has(name)) {
      complain('is written twice; keep one of them');
    } else {
      walk.places.set(keyText(inside), { key: offset, value: offset });
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

/** Where the value or key of this path stands; of one that is not written, where its nearest parent does. */
function offsetOf({ places }: Tree, path: readonly PropertyKey[], at: 'key' | 'value'): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const place = places.get(keyText(path.slice(0, length)));
    if (place !== undefined) return length === path.length ? place[at] : place.key;
  }
  return 0;
}

/** The key that stands last before this offset: the one a mistake in the YAML belongs to, as far as one can tell. */
function keyAt(places: ReadonlyMap<string, Place>, offset: number): string {
  let last = { key: 0, text: keyText([]) };
  for (const [text, { key }] of places) {
    if (key <= offset && key >= last.key) last = { key, text };
  }
  return last.text;
}

function childOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

/** Throws CONFIG_INVALID when there are problems. */
function refuse(problems: readonly Problem[], path: string, text: string): void {
  if (problems.length > 0) throw new SluiceError('CONFIG_INVALID', report(problems, path, text));
}
