/**
 * Mappings as the YAML library's document has them, taken apart and put together again with their comments and their
 * style. Comments live in that document and nowhere else, so whoever carries keys over works on its nodes.
 */
import { type Document, isAlias, isMap, isScalar, type Node, Pair, Scalar, visit, YAMLMap } from 'yaml';

/** A key and its value; a key alone has none. */
export type Item = Pair<Node, Node | null>;

/** The pairs of a mapping by the words that are their keys. */
export function* pairsOf(map: unknown): Generator<[string, Item]> {
  if (!isMap<Node, Node | null>(map)) return;
  for (const pair of [...map.items]) {
    if (isScalar(pair.key)) yield [pair.key.source ?? String(pair.key.value ?? ''), pair];
  }
}

/** The value of a pair; undefined of a mapping or a list. */
export function scalarOf({ value }: Item): unknown {
  return isScalar(value) ? value.value : undefined;
}

/** A key without a value is not written, there as here. */
export function hasValue({ value }: Item): boolean {
  return value !== null && !(isScalar(value) && value.value === null);
}

/** The pair under another name, with the comment that stands above it. */
export function renamed(pair: Item, name: string): Item {
  const { commentBefore, spaceBefore } = pair.key;
  const key = Object.assign(new Scalar(name), {
    ...(commentBefore === undefined ? {} : { commentBefore }),
    ...(spaceBefore === undefined ? {} : { spaceBefore }),
  });
  return new Pair<Node, Node | null>(key, pair.value);
}

/** Puts in place of each alias what it stands for, because its anchor may be in what is left. Bounded by `readTree`. */
export function writeOutAliases(document: Document): void {
  const anchors = new Map<string, Node>();
  visit(document, {
    Node: (_key, node) => {
      if (isAlias(node)) return anchors.get(node.source)?.clone() as Node | undefined;
      if (node.anchor === undefined) return undefined;
      anchors.set(node.anchor, node);
      delete node.anchor;
      return undefined;
    },
  });
}

/** A mapping of what is taken of another, by the pairs it was; in the same style, and with the comment above its first. */
export function partOf(whole: YAMLMap, taken: ReadonlyMap<Item, Item>): YAMLMap {
  const first = whole.items[0] as Item | undefined;
  const { flow, commentBefore } = whole;
  return Object.assign(new YAMLMap(), {
    items: [...taken.values()],
    ...(flow === undefined ? {} : { flow }),
    ...(first === undefined || !taken.has(first) || commentBefore === undefined ? {} : { commentBefore }),
  });
}

/** The comment above a node, as another node takes it. */
export function commentOf(node: Node | null): { commentBefore?: string } {
  return typeof node?.commentBefore === 'string' ? { commentBefore: node.commentBefore } : {};
}

/** Makes words of all keys, as paths have them: `1` and `true` are names, too. */
export function spellKeys(document: Document): void {
  visit(document, {
    Pair: (_key, { key }) => {
      if (isScalar(key) && typeof key.value !== 'string') key.value = key.source ?? String(key.value ?? '');
    },
  });
}
