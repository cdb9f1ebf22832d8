/**
 * Who may see whom. The table is closed: what it does not name is forbidden, so a new folder begins by saying
 * what it needs. The order of its rows is the direction of the house, and a test holds that no row looks down
 * the table.
 */
import { cyclesOf, type Import, type SourceFile } from '../support/module-graph.ts';
import { exists, fileRule, importRule, isWithin, type Rule } from './rule.ts';

export interface Sight {
  /** A folder (it ends in a slash) or a file. */
  readonly to: string;
  /** Types only, or only by `import()`; absent: in any way. */
  readonly only?: 'type' | 'dynamic';
}

export interface Wall {
  /** A folder or files; a file's own row goes before its folder's. */
  readonly from: string;
  /** Besides itself. */
  readonly sees: readonly Sight[];
}

const type = (to: string): Sight => ({ to, only: 'type' });
const lazily = (to: string): Sight => ({ to, only: 'dynamic' });
const whole = (...places: string[]): Sight[] => places.map((to) => ({ to }));

const BASE = whole('machines/', 'src/errors.ts', 'src/clock.ts', 'src/regular-file.ts');
const WORDS = [...BASE, ...whole('src/messages/', 'src/config/', 'src/telemetry/')];

/** What both composition roots, and nobody else, may name: the concrete ones of every port. */
const CONCRETE = whole('src/store/', 'src/agents/', 'src/platforms/', 'src/process/');

/** From the bottom of the house to its roof: a row sees earlier ones only. */
export const WALLS: readonly Wall[] = [
  { from: 'machines/', sees: [] },
  { from: 'src/errors.ts', sees: [type('machines/events.ts')] },
  { from: 'src/clock.ts', sees: [] },
  { from: 'src/regular-file.ts', sees: [] },
  { from: 'src/telemetry/', sees: BASE },
  // These two stand side by side; they share a few words, file by file and without a cycle.
  {
    from: 'src/messages/',
    sees: [
      ...BASE,
      type('src/config/schema.ts'),
      ...whole(
        'src/config/units.ts',
        'src/config/patterns.ts',
        'src/config/redact.ts',
        'src/telemetry/terminal-text.ts',
      ),
    ],
  },
  {
    from: 'src/config/',
    sees: [...BASE, ...whole('src/messages/near.ts', 'src/messages/commands.ts', 'src/messages/local.ts')],
  },
  // The ports and what stands behind them never see one another, but for the one that starts programs. What
  // handles signals loads before everything else, so it sees nothing.
  { from: 'src/store/', sees: WORDS },
  { from: 'src/platforms/', sees: WORDS },
  { from: 'src/process/signals.ts', sees: [] },
  { from: 'src/process/', sees: WORDS },
  { from: 'src/agents/', sees: [...WORDS, ...whole('src/process/exec.ts')] },
  // The core sees ports, as types; the classes of an agent's and of a platform's failures are part of their ports.
  {
    from: 'src/gateway/',
    sees: [
      ...WORDS,
      ...whole('src/agents/agent.ts', 'src/platforms/platform.ts'),
      ...['store', 'records', 'write', 'trail', 'last-exit'].map((file) => type(`src/store/${file}.ts`)),
      ...['src/process/exec.ts', 'src/process/signals.ts'].map(type),
    ],
  },
  { from: 'src/service/', sees: [...WORDS, ...whole('src/process/exec.ts')] },
  { from: 'visualizations/xstate-inspect/', sees: whole('machines/', 'src/errors.ts') },
  { from: 'visualizations/', sees: [...whole('machines/'), type('src/gateway/status-report.ts')] },
  { from: 'src/control/', sees: [...WORDS, ...whole('src/gateway/')] },
  {
    from: 'src/last-words.ts',
    sees: [
      ...WORDS,
      ...whole('src/gateway/recovery.ts'),
      ...['src/process/runtime-status.ts', 'src/store/store.ts'].map(type),
    ],
  },
  {
    from: 'src/presence.ts',
    sees: [
      ...WORDS,
      ...whole('src/process/'),
      ...['src/gateway/status-report.ts', 'src/last-words.ts'].map(type),
    ],
  },
  {
    from: 'src/life.ts',
    sees: [...WORDS, ...CONCRETE, ...whole('src/gateway/', 'src/last-words.ts', 'src/presence.ts')],
  },
  {
    from: 'src/start.ts',
    sees: ['src/config/', 'src/control/http.ts', 'src/gateway/', 'src/life.ts'].map(type),
  },
  {
    from: 'src/daemon/',
    sees: [
      ...WORDS,
      ...CONCRETE,
      ...whole('src/gateway/', 'src/control/'),
      lazily('visualizations/xstate-inspect/bridge.ts'),
    ],
  },
  {
    from: 'src/daemon.ts',
    sees: [
      ...WORDS,
      ...CONCRETE,
      ...whole('src/gateway/', 'src/service/', 'src/control/', 'src/daemon/', 'src/life.ts', 'src/start.ts'),
    ],
  },
  // What a first configuration is made of; it asks model servers the way the agent does.
  { from: 'src/setup/', sees: [...WORDS, ...whole('src/agents/openai-http.ts')] },
  { from: 'src/offline/reads.ts', sees: [...WORDS, ...whole('src/store/', 'src/gateway/')] },
  {
    from: 'src/offline/changes.ts',
    sees: [...WORDS, ...whole('src/store/', 'src/process/', 'src/gateway/')],
  },
  { from: 'src/offline/config.ts', sees: [...WORDS, ...whole('src/process/runtime-status.ts')] },
  {
    from: 'src/offline/list.ts',
    sees: [...WORDS, ...whole('src/gateway/', 'src/offline/config.ts')],
  },
  {
    from: 'src/offline/earlier.ts',
    sees: [...WORDS, ...whole('src/store/', 'src/gateway/', 'src/process/identity.ts')],
  },
  {
    from: 'src/offline/recording.ts',
    sees: [...WORDS, ...whole('src/store/', 'src/process/identity.ts'), type('src/gateway/in-hand.ts')],
  },
  {
    from: 'src/offline/unrun.ts',
    sees: [...WORDS, ...whole('src/offline/earlier.ts', 'src/offline/recording.ts')],
  },
  {
    from: 'src/offline.ts',
    sees: [
      ...WORDS,
      ...CONCRETE,
      ...whole('src/gateway/', 'src/offline/config.ts', 'src/offline/earlier.ts', 'src/offline/recording.ts'),
    ],
  },
  // A command reaches a gateway through the control socket, reads what its files say, and works without one
  // through the other root.
  {
    from: 'src/cli/run.ts',
    sees: [...WORDS, ...whole('src/daemon.ts', 'src/cli/'), type('src/daemon/world.ts'), ...cliTypes()],
  },
  execFace('src/cli/exec.ts', 'src/offline.ts'),
  execFace('src/cli/exec-endings.ts', 'src/offline/earlier.ts', 'src/offline/unrun.ts'),
  {
    from: 'src/cli/quick-commands.ts',
    sees: [
      ...WORDS,
      ...whole('src/cli/', 'src/control/client.ts'),
      lazily('src/offline/list.ts'),
      ...cliTypes(),
    ],
  },
  { from: 'src/cli/init.ts', sees: [...WORDS, ...whole('src/cli/', 'src/setup/'), ...cliTypes()] },
  ledgerFace('src/cli/message-way.ts'),
  ledgerFace('src/cli/ledger-reads.ts'),
  ledgerFace('src/cli/messages/'),
  {
    from: 'src/cli/',
    sees: [
      ...WORDS,
      ...whole('src/control/client.ts', 'src/process/runtime-status.ts', 'src/process/identity.ts'),
      ...cliTypes(),
    ],
  },
  {
    from: 'src/main.ts',
    sees: [
      ...whole('src/process/signals.ts'),
      ...[
        'src/cli/main.ts',
        'src/clock.ts',
        'src/config/process-environment.ts',
        'src/process/compile-cache.ts',
        'src/process/in-place.ts',
      ].map(lazily),
    ],
  },
];

/** What runs a quick command: through the gateway, or where that is gone by what works without one. */
function execFace(from: string, ...without: string[]): Wall {
  return {
    from,
    sees: [
      ...WORDS,
      ...whole('src/cli/', 'src/process/runtime-status.ts', 'src/process/identity.ts'),
      ...without.flatMap((place) => [lazily(place), type(place)]),
      ...cliTypes(),
    ],
  };
}

/** What asks the ledger or changes it: through the gateway, or in the store by the roots without one. */
function ledgerFace(from: string): Wall {
  return {
    from,
    sees: [
      ...WORDS,
      ...whole('src/cli/'),
      ...['src/offline/reads.ts', 'src/offline/changes.ts'].map(lazily),
      ...['src/offline/reads.ts', 'src/gateway/message-way.ts', 'src/gateway/message-list.ts'].map(type),
      ...cliTypes(),
    ],
  };
}

function cliTypes(): Sight[] {
  return ['src/gateway/status-report.ts', 'src/platforms/platform.ts', 'src/process/signals.ts'].map(type);
}

const EVERYWHERE = ['machines/', 'src/', 'visualizations/'];

/** The row of a file; undefined for a file that no row names. */
export const wallOf = (path: string): Wall | undefined => WALLS.find(({ from }) => isWithin(path, [from]));

/** Why this import is none that the table names. */
function blocked(imported: Import, { path }: SourceFile): string | undefined {
  const wall = wallOf(path);
  if (wall === undefined) return 'no row of test/architecture/walls.ts says what this file may see';
  if (isWithin(imported.target, [wall.from])) return undefined;
  const sights = wall.sees.filter(({ to }) => isWithin(imported.target, [to]));
  if (sights.some(({ only }) => only === undefined || only === imported.kind)) return undefined;
  const [near] = sights;
  if (near !== undefined) return `${imported.target} may be seen by ${near.only} imports only`;
  return `${wall.from} does not see ${imported.target}`;
}

export const walls: readonly Rule[] = [
  importRule('each folder sees only what the table of walls names', EVERYWHERE, (imported, file) =>
    imported.isLocal ? blocked(imported, file) : undefined,
  ),
  importRule('every import names a file that exists, by a text', EVERYWHERE, (imported, _, house) => {
    if (imported.target === '') return 'what it loads is computed; write the path as one text';
    if (!imported.isLocal || exists(house, imported.target)) return undefined;
    return `there is no ${imported.target}`;
  }),
  {
    name: 'no import leads back to where it came from, by types either',
    violations: (house) =>
      cyclesOf(house).map((way) => ({ file: way[0] ?? '', line: 1, what: [...way, way[0]].join(' → ') })),
  },
  fileRule('no file is a barrel', EVERYWHERE, ({ code, imports }) => {
    const reexports = imports.filter(({ isReexport }) => isReexport);
    const [first] = reexports;
    if (first === undefined) return [];
    const all = code.findIndex(
      (token, at) => token.text === 'export' && code[at + 1]?.text === '*' && code[at + 2]?.text !== 'as',
    );
    if (all < 0 && declares(code)) return [];
    return [{ line: code[all]?.line ?? first.line, what: 'import from the file that has it' }];
  }),
  fileRule('nothing is exported by default', ['machines/', 'src/'], ({ code }) =>
    code.flatMap((token, at) => {
      const isDefault = token.text === 'export' && code[at + 1]?.text === 'default';
      const isRenamed =
        token.text === 'as' && code[at + 1]?.text === 'default' && code[at + 2]?.text !== 'from';
      const isImported = code.slice(0, at).findLast(({ text }) => text === 'import' || text === 'export');
      if (!isDefault && !(isRenamed && isImported?.text === 'export')) return [];
      return [{ line: token.line, what: 'give it its name' }];
    }),
  ),
];

const DECLARATIONS = new Set(['const', 'let', 'function', 'class', 'interface', 'type', 'abstract', 'async']);

/** True when the file has something of its own: a declaration at its outermost level that is no re-export. */
function declares(code: readonly { text: string; kind: string }[]): boolean {
  let depth = 0;
  return code.some(({ text, kind }, at) => {
    if (kind === 'punctuation' && '{(['.includes(text)) depth += 1;
    if (kind === 'punctuation' && '})]'.includes(text)) depth -= 1;
    if (depth > 0 || kind !== 'word' || !DECLARATIONS.has(text)) return false;
    const before = code[at - 1]?.text;
    // `import type …` and `export type { … } from` declare nothing.
    return before !== 'import' && !(before === 'export' && text === 'type' && code[at + 1]?.text === '{');
  });
}
