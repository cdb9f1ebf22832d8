/** Looks up in the table of keys: what is known of the key at a path, and when a change there counts. Pure. */
import { type Applies, KEYS, type KeyFacts, SECTIONS } from './keys.ts';

/** A change of a platform, whatever its own keys: it is made at the start, and anew only where it is parked. */
const PLATFORM: KeyFacts = { applies: 'restart', meaning: 'A key of this platform' };

const PATTERNS: readonly string[] = [...Object.keys(SECTIONS), ...Object.keys(KEYS)];

/** The rows by the segments of their patterns: a file has thousands of paths to look up, and each costs its depth. */
interface Branch {
  readonly branches: Map<string, Branch>;
  facts?: KeyFacts;
}

const ROOT = bySegment();

function bySegment(): Branch {
  const root: Branch = { branches: new Map() };
  for (const pattern of PATTERNS) {
    let branch = root;
    for (const segment of pattern.split('.')) {
      const next: Branch = branch.branches.get(segment) ?? { branches: new Map() };
      branch.branches.set(segment, next);
      branch = next;
    }
    const facts = KEYS[pattern];
    if (facts !== undefined) branch.facts = facts;
  }
  return root;
}

/** The facts of the key at this path; undefined for a section, and for what is no key. */
export function factsOf(path: readonly PropertyKey[]): KeyFacts | undefined {
  if (path[0] === 'platforms' && path.length > 1) return PLATFORM;
  let branch: Branch | undefined = ROOT;
  for (const segment of path) {
    const { branches }: Branch = branch;
    branch = branches.get(String(segment)) ?? branches.get('*');
    if (branch === undefined) return undefined;
  }
  return branch.facts;
}

/** True when the last name of the path is that of a key, not one that a person chose. */
export function isKeyName(path: readonly PropertyKey[]): boolean {
  let branches: ReadonlySet<Branch> = new Set([ROOT]);
  for (const segment of path.slice(0, -1)) {
    const next = [...branches].flatMap((branch) => [
      branch.branches.get(String(segment)),
      branch.branches.get('*'),
    ]);
    branches = new Set(next.filter((branch) => branch !== undefined));
  }
  return [...branches].some((branch) => branch.branches.has(String(path.at(-1))));
}

const NAMES: ReadonlySet<string> = new Set(
  PATTERNS.flatMap((pattern) => pattern.split('.')).filter((name) => name !== '*'),
);

/** True for the name of any key or section, wherever it stands. */
export function isNameOfAnyKey(name: string): boolean {
  return NAMES.has(name);
}

const ORDER: readonly Applies[] = ['now', 'turn', 'restart'];

/** The latest of the moments at which the keys below a section count: what adding or removing it waits for. */
export function appliesBelow(path: readonly PropertyKey[]): Applies {
  if (path[0] === 'platforms') return PLATFORM.applies;
  const below = Object.entries(KEYS).filter(([pattern]) => {
    const segments = pattern.split('.');
    return path.every((name, at) => segments[at] === '*' || segments[at] === name);
  });
  return latest(below.map(([, { applies }]) => applies));
}

/** The latest moment of several; `now` of none. */
export function latest(moments: readonly Applies[]): Applies {
  return ORDER.findLast((each) => moments.includes(each)) ?? 'now';
}
