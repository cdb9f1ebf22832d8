/**
 * Sources that break the rules, one each: a rule that lets its own pass is blind. And sources that only look
 * like it, which no rule may report.
 */

export interface Planted {
  /** The name of the rule that must report it. */
  readonly rule: string;
  readonly path: string;
  readonly text: string;
  /** Planted with it, where it takes two. */
  readonly beside?: { readonly path: string; readonly text: string };
}

const WALLS = 'each folder sees only what the table of walls names';
const NAMED = 'every import names a file that exists, by a text';
const CYCLES = 'no import leads back to where it came from, by types either';
const BARRELS = 'no file is a barrel';
const DEFAULTS = 'nothing is exported by default';
const PACKAGES = 'each package has one owner';
const POWERS = 'each power has one owner';
const LOCAL = 'the local platform is named in one file';
const MACHINES = 'a machine waits for nothing and starts nothing';
const EVENTS = 'a machine names each event it takes';
const FLAGS = 'no flag in src says what the chart says';
const STATES = 'no state of a chart is compared outside of it';

/** Keeps a placeholder of a planted template out of this file's own texts. */
const HOLE = '$';

const plant = (rule: string, path: string, text: string): Planted => ({ rule, path, text });

export const PLANTED: readonly Planted[] = [
  plant(WALLS, 'machines/planted.ts', "import { messageOf } from '../src/errors.ts';"),
  plant(WALLS, 'src/clock.ts', "import type { Failure } from '../machines/events.ts';"),
  plant(WALLS, 'src/errors.ts', "import { gatewayMachine } from '../machines/gateway.ts';"),
  plant(WALLS, 'src/messages/planted.ts', "import type { Store } from '../store/store.ts';"),
  plant(WALLS, 'src/config/planted.ts', "import { classify } from '../messages/classify.ts';"),
  plant(WALLS, 'src/telemetry/planted.ts', "import { createProcesses } from '../process/exec.ts';"),
  plant(WALLS, 'src/store/planted.ts', "import type { Gateway } from '../gateway/gateway.ts';"),
  plant(WALLS, 'src/platforms/planted.ts', "import type { Agent } from '../agents/agent.ts';"),
  plant(WALLS, 'src/agents/planted.ts', "import { LocalPlatform } from '../platforms/local.ts';"),
  plant(WALLS, 'src/agents/planted.ts', "import { acquireLock } from '../process/lock.ts';"),
  plant(WALLS, 'src/process/signals.ts', "import { systemClock } from '../clock.ts';"),
  plant(WALLS, 'src/gateway/planted.ts', "import { openSqliteStore } from '../store/sqlite.ts';"),
  plant(WALLS, 'src/gateway/planted.ts', "import { createProcesses } from '../process/exec.ts';"),
  plant(
    WALLS,
    'src/gateway/planted.ts',
    "export { LocalPlatform } from '../platforms/local.ts';\nconst a = 1;",
  ),
  plant(WALLS, 'src/gateway/planted.ts', "const { Api } = await import('../control/api.ts');"),
  plant(WALLS, 'src/service/planted.ts', "import { acquireLock } from '../process/lock.ts';"),
  plant(WALLS, 'src/control/planted.ts', "import type { Store } from '../store/store.ts';"),
  plant(WALLS, 'src/control/planted.ts', "type T = import('../daemon.ts').DaemonOptions;"),
  plant(WALLS, 'src/start.ts', "import { Faces } from './control/http.ts';"),
  plant(WALLS, 'src/life.ts', "import { runDaemon } from './daemon.ts';"),
  plant(WALLS, 'src/offline.ts', "import { Api } from './control/api.ts';"),
  plant(WALLS, 'src/cli/planted.ts', "import { runDaemon } from '../daemon.ts';"),
  plant(WALLS, 'src/cli/planted.ts', "const { runOffline } = await import('../offline.ts');"),
  plant(WALLS, 'src/cli/exec.ts', "import { runOffline } from '../offline.ts';"),
  plant(WALLS, 'src/cli/planted.ts', "import { Api } from '../control/api.ts';"),
  plant(WALLS, 'src/cli/planted.ts', "import { Gateway } from '../gateway/gateway.ts';"),
  plant(WALLS, 'src/main.ts', "import { main } from './cli/main.ts';"),
  plant(
    WALLS,
    'src/daemon.ts',
    "import { startXStateInspect } from '../visualizations/xstate-inspect/bridge.ts';",
  ),
  plant(WALLS, 'visualizations/planted.ts', "import { messageOf } from '../src/errors.ts';"),
  plant(WALLS, 'src/newfolder/planted.ts', "import { messageOf } from '../errors.ts';"),
  plant(NAMED, 'src/cli/planted.ts', "import { gone } from './nowhere.ts';"),
  plant(NAMED, 'src/cli/planted.ts', `await import(\`./${HOLE}{name}.ts\`);`),
  plant(NAMED, 'src/cli/planted.ts', "process.getBuiltinModule('node:' + name);"),
  {
    ...plant(
      CYCLES,
      'src/gateway/a-planted.ts',
      "import type { B } from './b-planted.ts';\nexport type A = B;",
    ),
    beside: {
      path: 'src/gateway/b-planted.ts',
      text: "export const b = async () => import('./a-planted.ts');",
    },
  },
  plant(BARRELS, 'src/store/index.ts', "export { openSqliteStore } from './sqlite.ts';"),
  plant(
    BARRELS,
    'src/store/index.ts',
    "export type { Store } from './store.ts';\nexport * as rows from './rows.ts';",
  ),
  plant(BARRELS, 'src/store/index.ts', "export * from './sqlite.ts';\nexport const more = 1;"),
  plant(DEFAULTS, 'machines/planted.ts', 'export default setup({}).createMachine({});'),
  plant(DEFAULTS, 'src/gateway/planted.ts', 'class Held {}\nexport { Held as default };'),
  plant(PACKAGES, 'src/gateway/planted.ts', "import { execa } from 'execa';"),
  plant(PACKAGES, 'src/gateway/planted.ts', "import type { Logger } from 'pino';"),
  plant(PACKAGES, 'src/config/schema.ts', "import { parse } from 'yaml';"),
  plant(PACKAGES, 'src/store/reads.ts', "import { DatabaseSync } from 'node:sqlite';"),
  plant(PACKAGES, 'src/gateway/planted.ts', "import type { DatabaseSync } from 'node:sqlite';"),
  plant(PACKAGES, 'src/gateway/planted.ts', "process.getBuiltinModule('node:sqlite');"),
  plant(PACKAGES, 'src/control/api.ts', "import { createServer } from 'node:http';"),
  plant(PACKAGES, 'src/control/http.ts', "import { serve } from '@hono/node-server';"),
  plant(PACKAGES, 'src/cli/send.ts', "const { Command } = await import('commander');"),
  plant(PACKAGES, 'src/platforms/platform.ts', "import { z } from 'zod';"),
  plant(PACKAGES, 'src/process/run.ts', "import { spawn } from 'node:child_process';"),
  plant(PACKAGES, 'src/cli/planted.ts', "import { exit } from 'node:process';"),
  plant(PACKAGES, 'src/cli/planted.ts', "import { setTimeout } from 'node:timers/promises';"),
  plant(PACKAGES, 'src/cli/planted.ts', "import { createRequire } from 'node:module';"),
  plant(PACKAGES, 'src/control/inspector.ts', "import { createActor } from 'xstate';"),
  plant(PACKAGES, 'src/cli/planted.ts', "import 'left-pad';"),
  plant(POWERS, 'src/daemon.ts', 'process.exit(1);'),
  plant(POWERS, 'src/daemon.ts', 'process?.exit(1);'),
  plant(POWERS, 'src/daemon.ts', 'const { pid, exit } = process;'),
  plant(POWERS, 'src/daemon.ts', "process['exit'](1);"),
  plant(POWERS, 'src/daemon.ts', 'const p = process;'),
  plant(POWERS, 'src/daemon.ts', `const text = \`${HOLE}{process.exit(1)}\`;`),
  plant(POWERS, 'src/daemon.ts', 'process.execve(file, words);'),
  plant(POWERS, 'src/daemon.ts', "process.once('SIGTERM', stop);"),
  plant(POWERS, 'src/config/load.ts', 'const home = process.env.HOME;'),
  plant(POWERS, 'src/gateway/turns.ts', 'process.kill(pid);'),
  plant(POWERS, 'src/gateway/turns.ts', 'setTimeout(done, 10);'),
  plant(POWERS, 'src/gateway/turns.ts', 'const later = globalThis.setTimeout;'),
  plant(POWERS, 'src/gateway/turns.ts', 'const tick = setInterval(done, 10);'),
  plant(POWERS, 'src/control/client.ts', 'const limit = AbortSignal.timeout(1000);'),
  plant(POWERS, 'src/gateway/turns.ts', 'const at = Date.now() / 2 / 1;'),
  plant(POWERS, 'src/gateway/turns.ts', 'const at = new Date();'),
  plant(POWERS, 'src/gateway/turns.ts', 'const at = performance.now();'),
  plant(POWERS, 'src/telemetry/log.ts', "console.error('lost');"),
  plant(POWERS, 'src/telemetry/log.ts', "process.stderr.write('lost');"),
  plant(POWERS, 'src/gateway/turns.ts', "const fs = require('node:fs');"),
  plant(
    MACHINES,
    'machines/planted.ts',
    "export const m = parts.createMachine({ invoke: { src: 'work' } });",
  ),
  plant(
    MACHINES,
    'machines/planted.ts',
    "export const m = parts.createMachine({ after: { 1000: 'late' } });",
  ),
  plant(MACHINES, 'machines/planted.ts', "import { fromPromise } from 'xstate';"),
  plant(MACHINES, 'machines/planted.ts', 'const at = Date.now();'),
  plant(MACHINES, 'machines/planted.ts', 'const chance = Math.random();'),
  plant(EVENTS, 'machines/planted.ts', "export const on = { '*': { actions: 'log' } };"),
  plant(EVENTS, 'machines/planted.ts', "export const on = { 'message.*': { actions: 'log' } };"),
  plant(LOCAL, 'src/gateway/access.ts', "if (row.platform === 'local') return 'owner';"),
  plant(LOCAL, 'src/gateway/access.ts', "if (sender.startsWith('local:')) return 'owner';"),
  plant(FLAGS, 'src/gateway/turns.ts', 'let isDraining = false;'),
  plant(FLAGS, 'src/gateway/turns.ts', 'class Turns { #draining = false; }'),
  plant(STATES, 'src/gateway/turns.ts', "if (view.state === 'draining.waiting') return;"),
  plant(STATES, 'src/gateway/turns.ts', "if (view.state.startsWith('draining')) return;"),
  plant(STATES, 'src/gateway/turns.ts', "if ('restarting.' === text) return;"),
  plant(STATES, 'src/control/http.ts', "switch (state) { case 'drained': break; }"),
];

/** Nothing in these is what it looks like. */
export const HARMLESS: readonly string[] = [
  "// process.exit(1); import { execa } from 'execa';",
  "/* console.log(1)\n * import x from 'left-pad' */",
  "const text = 'process.exit(1)';",
  'const text = "import { execa } from \'execa\'";',
  `const text = \`setTimeout(${HOLE}{1 + 1}, console)\`;`,
  'const pattern = /process.exit\\(["\'`]/g;',
  'const pattern = /[/"]/.test(text);',
  'const half = a / b; const c = d / 2;',
  "const a = (b) / 2; const text = '/';",
  'const child = { process: 1, exit: 2 }; child.process = 3;',
  'const host = { on(event: string) {} }; host.on(event);',
  `const view = { state: \`draining.${HOLE}{part}\` };`,
  'const { pid, ppid } = process;',
  'const at = new Date(0).toISOString();',
];
