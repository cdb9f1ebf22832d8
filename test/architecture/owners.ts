/**
 * One owner a package and one owner a power: whoever needs what it gives asks the owner. Both tables are closed
 * upwards: a package that stands in neither list has no owner yet, and adding one is a decision.
 */
import type { Import } from '../support/module-graph.ts';
import type { Token } from '../support/source-tokens.ts';
import { fileRule, importRule, isWithin, type Rule } from './rule.ts';

interface Owned {
  /** May use it in any way. */
  readonly owners: readonly string[];
  /** May import its types. */
  readonly types?: readonly string[];
}

const PACKAGES: Readonly<Record<string, Owned>> = {
  // Whoever runs a chart: the process's, and a platform's link.
  xstate: {
    owners: ['machines/', 'src/gateway/lifecycle.ts', 'src/gateway/link.ts'],
    types: ['src/gateway/', 'src/daemon/'],
  },
  execa: { owners: ['src/process/exec.ts'] },
  pino: { owners: ['src/telemetry/log.ts'] },
  'pino-pretty': { owners: ['src/telemetry/log.ts'] },
  // Comments live in the library's document and nowhere else, so whoever carries them over needs it.
  yaml: {
    owners: [
      'src/config/tree.ts',
      'src/config/secret-regions.ts',
      'src/config/import-hermes.ts',
      'src/config/yaml-items.ts',
    ],
  },
  zod: {
    owners: ['src/config/', 'src/control/api.ts', 'src/control/ledger-api.ts'],
    types: ['src/platforms/platform.ts', 'src/control/body-problems.ts'],
  },
  re2js: { owners: ['src/config/patterns.ts'] },
  'find-my-way': { owners: ['src/control/routes.ts'] },
  'eventsource-parser': { owners: ['src/agents/openai-answer.ts'] },
  commander: { owners: ['src/cli/program.ts', 'src/cli/values.ts', 'src/cli/messages/commands.ts'] },
  'string-width': { owners: ['src/cli/chat/width.ts'] },
};

/** Modules of Node that are a power of their own; the others are free. */
const BUILTINS: Readonly<Record<string, Owned>> = {
  'node:sqlite': { owners: ['src/store/database.ts', 'src/process/lock.ts'], types: ['src/store/'] },
  // identity.ts asks macOS's `ps` and `sysctl` about one process, synchronously and before anything can be
  // awaited; a text of at most 2 s, no shell, no tree to end.
  // in-place.ts asks the system whether Node can be started, in the last moments of a process that has no child any more.
  'node:child_process': {
    owners: ['src/process/identity.ts', 'src/process/in-place.ts'],
    types: ['src/process/'],
  },
  'node:http': {
    owners: ['src/control/http.ts', 'src/control/client.ts', 'src/agents/openai-http.ts'],
    types: ['src/control/', 'src/agents/', 'src/setup/'],
  },
  'node:https': { owners: ['src/agents/openai-http.ts'] },
  'node:net': { owners: [] },
  'node:process': { owners: [] },
  'node:timers': { owners: [] },
  'node:timers/promises': { owners: [] },
  // The compile cache, and nothing that loads.
  'node:module': { owners: ['src/main.ts'] },
  'node:worker_threads': { owners: [] },
  'node:cluster': { owners: [] },
};

/** `process.exit`, `Date.now`, … or a global function alone. */
const POWERS: Readonly<Record<string, readonly string[]>> = {
  ...all(['process.exit', 'process.execve', 'process.abort', 'process.reallyExit'], ['src/main.ts']),
  ...all(
    [
      ...['on', 'once', 'addListener', 'prependListener', 'prependOnceListener'],
      ...['off', 'removeListener', 'removeAllListeners', 'emit'],
    ].map((name) => `process.${name}`),
    ['src/process/signals.ts'],
  ),
  'process.env': ['src/config/process-environment.ts'],
  'process.kill': ['src/process/process-tree.ts'],
  ...all(
    ['process.stdout', 'process.stderr', 'process.stdin'],
    ['src/main.ts', 'src/cli/main.ts', 'src/cli/output.ts'],
  ),
  console: [],
  ...all(['setTimeout', 'setInterval', 'AbortSignal.timeout'], ['src/clock.ts']),
  // signals.ts loads before the clock can. ps prints wall time, which is compared with the machine's and not
  // with a test's; status.ts shows ages of wall times that another process wrote.
  'Date.now': ['src/clock.ts', 'src/process/ps-table.ts', 'src/cli/status.ts'],
  'performance.now': ['src/clock.ts', 'src/process/signals.ts'],
  ...all(['globalThis', 'global', 'eval', 'require', 'createRequire', 'fetch', 'WebSocket'], []),
};

/** signals.ts hands its host, which is `process`, to a function that a test gives another one. */
const TAKES_PROCESS_WHOLE = ['src/process/signals.ts'];

const packageOf = (target: string): string => target.split('/', target.startsWith('@') ? 2 : 1).join('/');

function misused(imported: Import, path: string): string | undefined {
  const { target, isLocal, kind } = imported;
  if (isLocal || target === '') return undefined;
  const owned = target.startsWith('node:') ? BUILTINS[target] : PACKAGES[packageOf(target)];
  if (owned === undefined) {
    return target.startsWith('node:') ? undefined : `${target} has no owner in test/architecture/owners.ts`;
  }
  if (isWithin(path, owned.owners)) return undefined;
  if (kind === 'type' && isWithin(path, owned.types ?? [])) return undefined;
  return `${target} belongs to ${owned.owners.join(' and ') || 'nobody'}`;
}

export const owners: readonly Rule[] = [
  importRule('each package has one owner', ['machines/', 'src/'], (imported, { path }) =>
    misused(imported, path),
  ),
  fileRule('each power has one owner', ['machines/', 'src/'], ({ path, code }) =>
    powersIn(code).flatMap(({ name, line }) => {
      if (name === 'process') {
        return isWithin(path, TAKES_PROCESS_WHOLE)
          ? []
          : [{ line, what: '`process` as a whole; name the member that is meant' }];
      }
      const places = Object.hasOwn(POWERS, name) ? POWERS[name] : undefined;
      if (places === undefined || isWithin(path, places)) return [];
      return [{ line, what: `${name} belongs to ${places.join(' and ') || 'nobody'}` }];
    }),
  ),
  fileRule('the local platform is named in one file', ['machines/', 'src/'], ({ path, code }) =>
    code.flatMap(({ kind, text, line }) => {
      const isNamed = kind === 'string' && /^local(:|$)/.test(text);
      if (!isNamed || isWithin(path, NAMES_THE_LOCAL_PLATFORM)) return [];
      return [{ line, what: `'${text}': ask ${NAMES_THE_LOCAL_PLATFORM.join(' and ')}` }];
    }),
  ),
];

/** Elsewhere a platform is whatever it is called, and what is special about this one is asked for by its name there. */
const NAMES_THE_LOCAL_PLATFORM = ['src/messages/local.ts'];

const GLOBALS_WITH_POWERS = new Set(['process', 'AbortSignal', 'Date', 'performance']);

/** Uses of globals, by name: with the member that is used, or alone where that cannot be told. */
function powersIn(code: readonly Token[]): { name: string; line: number }[] {
  return code.flatMap((token, at) => {
    if (token.kind !== 'word' || !isGlobal(code, at)) return [];
    const { text: name, line } = token;
    if (name === 'Date' && code[at - 1]?.text === 'new' && code[at + 2]?.text === ')') {
      return [{ name: 'Date.now', line }];
    }
    if (!GLOBALS_WITH_POWERS.has(name)) return [{ name, line }];
    const next = code[at + 1]?.text;
    const member = code[at + 2];
    if ((next === '.' || next === '?.') && member?.kind === 'word') {
      return [{ name: `${name}.${member.text}`, line }];
    }
    const taken = code[at - 1]?.text === '=' ? takenApart(code, at - 2) : undefined;
    return (taken ?? ['']).map((part) => ({ name: part === '' ? name : `${name}.${part}`, line }));
  });
}

/** The members in `const { a, b } = …`, whose closing brace is at `close`; undefined when it is none, or no plain one. */
function takenApart(code: readonly Token[], close: number): string[] | undefined {
  if (code[close]?.text !== '}') return undefined;
  const open = code.findLastIndex((token, at) => at < close && token.text === '{');
  const inside = code.slice(open + 1, close).filter(({ text }) => text !== ',');
  if (inside.some(({ kind }) => kind !== 'word')) return undefined;
  return inside.map(({ text }) => text);
}

/** No member, key or declaration of that name. */
function isGlobal(code: readonly Token[], at: number): boolean {
  const before = code[at - 1]?.text ?? '';
  const after = code[at + 1]?.text ?? '';
  if (before === '.' || before === '?.') return false;
  // `cond ? process : other` is rare enough to be written otherwise; `{ process: value }` is a key.
  return after !== ':' && !(after === '?' && code[at + 2]?.text === ':');
}

function all(names: readonly string[], places: readonly string[]): Record<string, readonly string[]> {
  return Object.fromEntries(names.map((name) => [name, places]));
}
