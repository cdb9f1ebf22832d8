/**
 * What becomes of a changed configuration: each key that differs, and when its new value counts. Pure. Values are
 * compared as the gateway means them (`60` is `1m`), and shown without secrets.
 */
import { isDeepStrictEqual } from 'node:util';
import { isMapping } from './forms.ts';
import { appliesBelow, factsOf } from './key-facts.ts';
import type { Applies, KeyFacts } from './keys.ts';
import { keyText } from './problems.ts';
import { withoutSecrets } from './redact.ts';
import type { ConfigFile } from './schema.ts';
import { holdsSecret } from './secret-paths.ts';

/** Longest piece of a value that is shown. */
const VALUE_LENGTH_MAX = 80;

const HIDDEN = '(hidden)';

/** One key that differs, or a named thing that came or went. */
export interface Change {
  /** As people write it: `quick_commands.gpu.timeout`. */
  readonly key: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly applies: Applies;
  /** As shown to people; null where the key is not there, or where a whole thing came or went. */
  readonly before: string | null;
  readonly after: string | null;
}

/**
 * The changes from one configuration to another, in the order of the later one; what went comes last in its section.
 * `parked`: see `reloadedFile`.
 */
export function planOf(before: ConfigFile, after: ConfigFile, parked: readonly string[] = []): Change[] {
  const now = new Set(parked.map((name) => keyText(['platforms', name])));
  return changesAt(before, after, []).map((change) =>
    change.change === 'changed' && now.has(change.key) ? { ...change, applies: 'now' } : change,
  );
}

/**
 * What runs once `after` is reloaded over `running`: all of `after`, but for the keys that wait for a restart, which
 * keep what they have. `parked`: names of platforms without a link, whose other keys do not wait: one that the file
 * still names is made anew.
 */
export function reloadedFile(
  running: ConfigFile,
  after: ConfigFile,
  parked: readonly string[] = [],
): ConfigFile {
  const file = reloadedAt(running, after, []) as ConfigFile;
  const anew = parked.filter((name) => own(running.platforms, name) !== undefined);
  const settings = anew.flatMap((name) => {
    const value = own(after.platforms, name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...file, platforms: { ...file.platforms, ...Object.fromEntries(settings) } };
}

function reloadedAt(running: unknown, after: unknown, path: readonly string[]): unknown {
  if (appliesBelow(path) !== 'restart') return after;
  if (factsOf(path) !== undefined || !isMapping(running) || !isMapping(after)) return running;
  const names = new Set([...Object.keys(after), ...Object.keys(running)]);
  const values = [...names].map((name) => [
    name,
    reloadedAt(own(running, name), own(after, name), [...path, name]),
  ]);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

function changesAt(before: unknown, after: unknown, path: readonly string[]): Change[] {
  // Most of two files is the same, and what a reload took over is the same object.
  if (before === after) return [];
  const facts = factsOf(path);
  if (facts !== undefined) return leafChange(before, after, path, facts);
  if (!isMapping(before) || !isMapping(after)) return wholeChange(before, after, path);
  const names = new Set([...Object.keys(after), ...Object.keys(before)]);
  const inside = [...names].flatMap((name) =>
    changesAt(own(before, name), own(after, name), [...path, name]),
  );
  return [...orderChange(Object.keys(before), Object.keys(after), path), ...inside];
}

function leafChange(before: unknown, after: unknown, path: readonly string[], facts: KeyFacts): Change[] {
  if (isDeepStrictEqual(before, after)) return [];
  const shown = { before: valueText(before, path, facts), after: valueText(after, path, facts) };
  // Two secrets that look alike once they are taken out.
  if (shown.before === shown.after) Object.assign(shown, { before: HIDDEN, after: HIDDEN });
  return [{ key: keyText(path), change: kindOf(before, after), applies: facts.applies, ...shown }];
}

/** Of a thing with keys of its own only that it came or went; or that a word is in its place (`safe_mode: off`). */
function wholeChange(before: unknown, after: unknown, path: readonly string[]): Change[] {
  const change = kindOf(before, after);
  const sidesText = (value: unknown) => {
    if (isMapping(value)) return '{…}';
    return holdsSecret(path) ? HIDDEN : JSON.stringify(value);
  };
  const shown =
    change === 'changed'
      ? { before: sidesText(before), after: sidesText(after) }
      : { before: null, after: null };
  return [{ key: keyText(path), change, applies: appliesBelow(path), ...shown }];
}

/** Words fill the arguments of a command in their order, so there the order is a value. */
function orderChange(before: readonly string[], after: readonly string[], path: readonly string[]): Change[] {
  const [section, , key] = path;
  if (section !== 'quick_commands' || key !== 'args' || path.length !== 3) return [];
  const [was, is] = [
    before.filter((name) => after.includes(name)),
    after.filter((name) => before.includes(name)),
  ];
  if (isDeepStrictEqual(was, is)) return [];
  const shown = { before: before.join(', '), after: after.join(', ') };
  return [{ key: keyText(path), change: 'changed', applies: appliesBelow(path), ...shown }];
}

function kindOf(before: unknown, after: unknown): Change['change'] {
  if (before === undefined) return 'added';
  return after === undefined ? 'removed' : 'changed';
}

/** A name such as `constructor` finds only what the file defines. */
function own(values: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

function valueText(value: unknown, path: readonly string[], { unit }: KeyFacts): string | null {
  if (value === undefined) return null;
  if (holdsSecret(path)) return HIDDEN;
  if (unit === 'time' && typeof value === 'number') return durationText(value);
  const text = withoutSecrets(isAddress(value) ? addressText(value) : JSON.stringify(value));
  return text.length > VALUE_LENGTH_MAX ? `${text.slice(0, VALUE_LENGTH_MAX)}…` : text;
}

const UNITS: readonly (readonly [string, number])[] = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
];

/** In the largest unit that leaves no fraction, as a file may have it: `90s`, `2h`, `1500ms`. */
export function durationText(ms: number): string {
  const [unit, size] = UNITS.find(([, each]) => ms >= each && ms % each === 0) ?? ['ms', 1];
  return ms === 0 ? '0' : `${ms / size}${unit}`;
}

interface AddressValue {
  readonly host: string;
  readonly port: number;
}

function isAddress(value: unknown): value is AddressValue {
  return isMapping(value) && typeof value.host === 'string' && typeof value.port === 'number';
}

function addressText({ host, port }: AddressValue): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
