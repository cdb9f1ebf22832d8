/**
 * Reads YAML: the values of a text without the language they are written in, and where each of them stands. Whatever the
 * text, it costs little: the values are counted with every alias written out, and nesting has an end.
 *
 * The one reader of YAML for its values; `import-hermes.ts` reads for the comments as well.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  type ParsedNode,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { isKeyName } from './key-facts.ts';
import { keyText, type Problem } from './problems.ts';
import { quotedText } from './quoted.ts';
import { holdsSecret, isNamedEntry, nameMayBeTold } from './secret-paths.ts';
import { secretRegions } from './secret-regions.ts';
import { type Mistake, syntaxProblems } from './syntax.ts';
import { brokenLineShown, lineShown, type Telling } from './unshown.ts';

/** Most values of a file, each use of an alias counted anew: a few lines of YAML can stand for billions. */
const VALUES_MAX = 20_000;

/** Deepest nesting. */
const DEPTH_MAX = 32;

/** Longest key; each path that is kept repeats it. */
const KEY_LENGTH_MAX = 128;

/** Values without YAML, and where each stands: of a path that is there several times the last one counts. */
export interface Tree {
  readonly value: unknown;
  readonly places: readonly Place[];
  readonly problems: readonly Problem[];
  /** Where a scalar has a tag that means nothing, by `keyText`: what it is without the tag is not known. */
  readonly tagged: ReadonlySet<string>;
  /** False when values that are written are missing in `value`: then only `problems` says something. */
  readonly whole: boolean;
  /** What may be told of the text; made when asked for, as of most texts nothing is. */
  readonly telling: () => Telling;
}

export interface Place {
  readonly path: readonly PropertyKey[];
  readonly key: number;
  /** Of a scalar its own place, of a mapping or list that of its key, which is where one looks for it. */
  readonly value: number;
  /** Where the value itself begins, be it with a quote or a bracket. */
  readonly begins: number;
}

/** Reads the YAML 1.2 in `text`, which has no byte order mark. */
export function readTree(text: string): Tree {
  const document = parseYaml(text);
  if (document === undefined) {
    const message = 'cannot be read as YAML; make it simpler';
    return {
      value: {},
      places: [],
      problems: [{ offset: 0, path: [], message }],
      tagged: new Set(),
      whole: false,
      telling: () => tellingOfBroken(text, { bare: new Set() }),
    };
  }
  const walk: Walk = {
    places: [],
    problems: [],
    tagged: new Set(),
    anchors: new Map(),
    open: new Set(),
    secrets: [],
    bare: new Set(),
    values: 0,
    full: false,
    incomplete: false,
    usedAt: undefined,
  };
  const root = document.contents === null ? undefined : plainOf(document.contents, [], 0, walk);
  const { places, tagged } = walk;
  const isToldOf = ({ code, pos }: Mistake) =>
    code === KEY_TOO_LONG && walk.problems.some(({ offset }) => offset === pos[0]);
  const found = [...document.errors, ...document.warnings].filter((mistake) => !isToldOf(mistake));
  // A tag alone leaves everything else as it was read.
  const isBroken = found.some(({ code }) => code !== BAD_TAG);
  const telling = () => (isBroken ? tellingOfBroken(text, walk) : tellingOf(document.contents, text, walk));
  if (walk.full) return { value: {}, places, problems: walk.problems, tagged, whole: false, telling };
  const syntax = syntaxProblems(found, places, text);
  if (isBroken) return { value: {}, places, problems: syntax, tagged, whole: false, telling };
  const problems = [...walk.problems, ...syntax];
  return { value: root ?? {}, places, problems, tagged, whole: !walk.incomplete, telling };
}

/** What may be told of a text that could be read. */
function tellingOf(contents: Document.Parsed['contents'], text: string, { secrets, bare }: Walk): Telling {
  return {
    line: lineShown(text, secretRegions(contents, text)),
    hides: (path) => holdsSecret(path) || secrets.some((secret) => isBeside(secret, path)),
    tellsName: (path) => nameMayBeTold(path, !bare.has(keyText(path))),
  };
}

/**
 * The same where it could not. A key may be anything there, also a secret with a mistake before it: known names are told,
 * and those of commands and agents, which are one word with a colon.
 */
function tellingOfBroken(text: string, { bare }: Pick<Walk, 'bare'>): Telling {
  const isEntry = (path: readonly PropertyKey[]) =>
    isNamedEntry(path) && /^\S+$/.test(String(path[1])) && !bare.has(keyText(path));
  return {
    line: brokenLineShown(text),
    hides: () => true,
    tellsName: (path) => typeof path.at(-1) === 'number' || isKeyName(path) || isEntry(path),
  };
}

/** How the library names a key longer than YAML allows, which the walk finds as well, and a tag that it does not know. */
const KEY_TOO_LONG = 'KEY_OVER_1024_CHARS';
const BAD_TAG = 'TAG_RESOLVE_FAILED';

/** Those of the schema, in full: `!!str` says what the value is. */
const SCALAR_TAG = /^tag:yaml\.org,2002:(?:str|int|float|bool|null)$/;

/** Undefined where the library gives up, as it does over nesting without end. */
function parseYaml(text: string) {
  try {
    // Schema core whatever the file declares: in YAML 1.1 `off` would be false. Duplicate keys are found by the walk,
    // which knows their path; the library compares each with each, which takes minutes in a large file. Of tags only those
    // of the schema: a `!!binary` or `!!omap` would bring in values that no key here can have.
    return parseDocument(text, {
      schema: 'core',
      resolveKnownTags: false,
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
  readonly tagged: Set<string>;
  readonly anchors: Map<string, { readonly node: ParsedNode; readonly path: readonly PropertyKey[] }>;
  /** The collections that the walk is inside of. */
  readonly open: Set<ParsedNode>;
  /** Where aliases bring in what stands where a secret belongs. */
  readonly secrets: (readonly PropertyKey[])[];
  /** Keys without a colon, by `keyText`. */
  readonly bare: Set<string>;
  values: number;
  /** A limit was passed: said once, the rest is not looked at. */
  full: boolean;
  /** Values that are written are missing here, so the schema would complain about what is not so. */
  incomplete: boolean;
  /** Where the alias stands whose value is walked: that is where what is wrong with it there is corrected. */
  usedAt: number | undefined;
}

/** The value of a node. A key without a value becomes undefined: such a key counts as not written. */
function plainOf(node: ParsedNode, path: readonly PropertyKey[], keyOffset: number, walk: Walk): unknown {
  const offset = walk.usedAt ?? node.range[0];
  const complain = (message: string) => walk.problems.push({ offset, path, message });
  if (walk.full) return undefined;
  if (isAlias(node)) {
    const named = walk.anchors.get(node.source);
    if (named !== undefined && !walk.open.has(named.node)) {
      if (holdsSecret(named.path)) walk.secrets.push(path);
      return usedValueOf(named.node, offset, path, keyOffset, walk);
    }
    walk.incomplete = true;
    complain(`${quotedText(`*${node.source}`)} ${named === undefined ? ANCHOR_PROBLEM : CIRCLE_PROBLEM}`);
    return undefined;
  }
  walk.values += 1;
  if (path.length > DEPTH_MAX || walk.values > VALUES_MAX) {
    walk.full = true;
    walk.incomplete = true;
    complain(path.length > DEPTH_MAX ? DEPTH_PROBLEM : VALUES_PROBLEM);
    return undefined;
  }
  // Where an alias uses it, an anchor still stands where it was written.
  if (node.anchor !== undefined && walk.usedAt === undefined) walk.anchors.set(node.anchor, { node, path });
  walk.places.push({ path, key: keyOffset, value: isScalar(node) ? offset : keyOffset, begins: offset });
  if (isScalar(node)) {
    if (node.tag !== undefined && !SCALAR_TAG.test(node.tag)) walk.tagged.add(keyText(path));
    return node.value ?? undefined;
  }
  walk.open.add(node);
  const value = isMap(node)
    ? plainMapOf(node, path, walk)
    : node.items.map((item, index) => plainOf(item, [...path, index], walk.usedAt ?? item.range[0], walk));
  walk.open.delete(node);
  return value;
}

/** What an alias stands for; the outermost of aliases in aliases is the one that is used. */
function usedValueOf(
  named: ParsedNode,
  offset: number,
  path: readonly PropertyKey[],
  keyOffset: number,
  walk: Walk,
): unknown {
  const before = walk.usedAt;
  walk.usedAt = offset;
  const value = plainOf(named, path, keyOffset, walk);
  walk.usedAt = before;
  return value;
}

/** One of the two is a part of the other, or the same. */
function isBeside(a: readonly PropertyKey[], b: readonly PropertyKey[]): boolean {
  return a.every((segment, at) => at >= b.length || segment === b[at]);
}

const ANCHOR_PROBLEM = 'has no anchor before it; write the value, in quotes if it begins with *';
const CIRCLE_PROBLEM = 'stands for what it is a part of; write the value';
const DEPTH_PROBLEM = `is nested deeper than ${DEPTH_MAX} levels; make it flatter`;
const VALUES_PROBLEM = `is the value after the first ${VALUES_MAX}, aliases written out; use fewer`;

/** An object with the keys as written, `404` and `true` too. Of a key that is written twice the first value holds. */
function plainMapOf(map: YAMLMap.Parsed, path: readonly PropertyKey[], walk: Walk): Record<string, unknown> {
  const values = new Map<string, unknown>();
  for (const { key, value } of map.items) {
    const offset = walk.usedAt ?? key.range[0];
    const name = keyOf(key);
    const inside = name === undefined ? path : [...path, name];
    const complain = (message: string) => walk.problems.push({ offset, path: inside, message });
    if (name === undefined) {
      complain(keyProblem(key));
    } else if (name === '__proto__') {
      complain('is no key; remove it');
    } else if (name === '<<') {
      complain('is a merge key, and those are not read; write the keys out');
    } else if (values.has(name)) {
      complain('is written twice; keep one of them');
    } else {
      walk.places.push({ path: inside, key: offset, value: offset, begins: offset });
      if (value === null) walk.bare.add(keyText(inside));
      values.set(name, value === null ? undefined : plainOf(value, inside, offset, walk));
    }
  }
  return Object.fromEntries(values);
}

function keyProblem(key: ParsedNode): string {
  return isScalar(key)
    ? `has a key of ${nameOf(key).length} characters; use at most ${KEY_LENGTH_MAX}`
    : 'has a list or mapping for a key; write a word before the colon';
}

function keyOf(key: ParsedNode): string | undefined {
  if (!isScalar(key)) return undefined;
  const name = nameOf(key);
  return name.length > KEY_LENGTH_MAX ? undefined : name;
}

const nameOf = ({ source, value }: Scalar): string => source ?? String(value ?? '');
