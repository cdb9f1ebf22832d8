/**
 * Where in the text of a configuration secrets stand, by the places that the YAML reader gives its values: behind each
 * key whose path says so, in any style, over any number of lines, in keys that are written twice or in merge keys too,
 * and at the anchor whose alias is used there. For the lines of the file that are shown below a problem.
 */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type ParsedNode,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { withoutSecrets } from './redact.ts';
import { holdsSecret, isNamedEntry, lengthTold, nameMayBeTold, namesVariable } from './secret-paths.ts';

/** A part of the text, from `begins` to before `ends`, in UTF-16 units. */
export interface Span {
  readonly begins: number;
  readonly ends: number;
}

/** What is not shown, and in it the keys that are. Both in the order of the text; spans that overlap are one. */
export interface SecretRegions {
  readonly hidden: readonly Span[];
  readonly shown: readonly Span[];
}

type Path = readonly PropertyKey[];

interface Walk {
  readonly text: string;
  readonly hidden: Span[];
  readonly shown: Span[];
  readonly anchors: Map<string, ParsedNode>;
  /** What aliases led to: once is enough, also of one that is a part of itself. */
  readonly found: Set<ParsedNode>;
}

/** The regions of a text, as far as it could be read. */
export function secretRegions(contents: Document.Parsed['contents'], text: string): SecretRegions {
  const walk: Walk = { text, hidden: [], shown: [], anchors: new Map(), found: new Set() };
  if (contents !== null) visit(contents, [], walk);
  const inOrder = walk.hidden.toSorted((a, b) => a.begins - b.begins);
  const hidden: Span[] = [];
  for (const span of inOrder) {
    const last = hidden.at(-1);
    if (last === undefined || last.ends < span.begins) hidden.push(span);
    else hidden[hidden.length - 1] = { begins: last.begins, ends: Math.max(last.ends, span.ends) };
  }
  return { hidden, shown: walk.shown.toSorted((a, b) => a.begins - b.begins) };
}

/** Looks for secrets in what may be shown itself. */
function visit(node: ParsedNode, path: Path, walk: Walk): void {
  if (!isAlias(node) && node.anchor !== undefined) walk.anchors.set(node.anchor, node);
  if (isMap(node)) visitPairs(node, path, walk);
  else if (isSeq(node)) visitItems(node, path, walk);
  else if (isScalar(node)) hideUntold(node, path, walk);
}

function visitPairs({ items }: YAMLMap.Parsed, path: Path, walk: Walk): void {
  for (const { key, value } of items) {
    const inside = pathOf(path, key);
    if (isScalar(key)) hideUntold(key, inside, walk, value !== null);
    if (value === null) continue;
    const begins = behindColon(key, walk.text);
    const span = { begins: Math.min(begins, value.range[0]), ends: value.range[1] };
    if (isNamedEntry(inside) && isMap(value)) {
      // Its name says nothing of what stands behind it, whatever it sounds like.
      const name = { begins: key.range[0], ends: begins };
      walk.hidden.push(name);
      walk.shown.push(name);
      visit(value, inside, walk);
    } else if (holdsSecret(inside)) hide(value, inside, span, walk);
    else if (namesVariable(inside) && !isSeq(value)) hideVariable(value, inside, span, walk);
    else visit(value, inside, walk);
  }
}

function visitItems({ items }: YAMLSeq.Parsed, path: Path, walk: Walk): void {
  for (const [index, item] of items.entries()) {
    // In a list `- NAME: VALUE` of one line is a pair.
    if (isPair(item)) continue;
    const inside = [...path, index];
    const span = { begins: item.range[0], ends: item.range[1] };
    if (namesVariable(path)) hideVariable(item, inside, span, walk);
    else if (followsFlag(items, index)) hide(item, inside, span, walk);
    else visit(item, inside, walk);
  }
}

/** Behind `--token`, as an item of its own. */
function followsFlag(items: readonly unknown[], index: number): boolean {
  const words = items.slice(Math.max(0, index - 2), index + 1).map(wordOf);
  const word = words.pop();
  if (word === undefined || !words.some((each) => each?.startsWith('-'))) return false;
  const shown = JSON.stringify(word);
  return !withoutSecrets([...words.map((each) => JSON.stringify(each ?? '')), shown].join(',')).endsWith(
    shown,
  );
}

const wordOf = (item: unknown): string | undefined =>
  isScalar(item) && item.value !== null ? String(item.value) : undefined;

/** What stands where the name of a variable belongs: the name may be shown, a value may not. */
function hideVariable(node: ParsedNode, path: Path, span: Span, walk: Walk): void {
  if (!isScalar(node)) {
    hide(node, path, span, walk);
    return;
  }
  const [begins] = node.range;
  // A tag or an anchor.
  if (span.begins < begins) walk.hidden.push({ begins: span.begins, ends: begins });
  hideUntold(node, path, walk);
}

/** Hides what may not be told of a text, or of a key, where no secret belongs. */
function hideUntold(node: Scalar.Parsed, path: Path, walk: Walk, hasColon = true): void {
  const [begins, ends] = node.range;
  const isTold = hasColon || nameMayBeTold(path, hasColon);
  const told = isTold ? lengthTold(walk.text.slice(begins, ends), path) : 0;
  if (told < ends - begins) hide(node, path, { begins: begins + told, ends }, walk);
}

/** Hides all of it but the names of keys, the comment behind it, and what it is an alias of. */
function hide(node: ParsedNode, path: Path, { begins, ends }: Span, walk: Walk): void {
  walk.hidden.push({ begins, ends: ends + commentLength(walk.text, ends) });
  showKeys(node, path, walk);
}

/** Of a comment in the line behind a value, the marks before it included: what follows `pass ` may be the end of `pass #word`. */
function commentLength(text: string, from: number): number {
  COMMENT.lastIndex = from;
  return COMMENT.exec(text)?.[0].length ?? 0;
}

const COMMENT = /[ \t,\]}]*#[^\n]*/y;

function hideAnchor({ source }: Alias, path: Path, walk: Walk): void {
  const named = walk.anchors.get(source);
  if (named === undefined || walk.found.has(named)) return;
  walk.found.add(named);
  hide(named, path, { begins: named.range[0], ends: named.range[1] }, walk);
}

function showKeys(node: ParsedNode, path: Path, walk: Walk): void {
  if (isAlias(node)) {
    hideAnchor(node, path, walk);
    return;
  }
  if (node.anchor !== undefined) walk.anchors.set(node.anchor, node);
  if (isSeq(node)) {
    for (const [index, item] of node.items.entries())
      if (!isPair(item)) showKeys(item, [...path, index], walk);
  }
  if (!isMap(node)) return;
  for (const { key, value } of node.items) {
    const inside = pathOf(path, key);
    if (isScalar(key) && nameMayBeTold(inside, value !== null)) {
      walk.shown.push({
        begins: key.range[0],
        ends: value === null ? key.range[1] : behindColon(key, walk.text),
      });
    }
    if (value !== null) showKeys(value, inside, walk);
  }
}

/** A merge key adds nothing to the path: what stands behind it is of the mapping that it is in. */
function pathOf(path: Path, key: ParsedNode): Path {
  const name = isScalar(key) ? nameOf(key) : '';
  return name === '<<' ? path : [...path, name];
}

const nameOf = ({ source, value }: Scalar): string => source ?? String(value ?? '');

/** Of a key that has a value. */
function behindColon(key: ParsedNode, text: string): number {
  const colon = text.indexOf(':', key.range[1]);
  return colon === -1 ? key.range[1] : colon + 1;
}
