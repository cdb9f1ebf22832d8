/**
 * The README's first minute: a fresh checkout, `npm ci`, `npm start`, and the first answer. It needs the registry, and
 * the Node and npm of the machine, as they are for whoever tries Sluice.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment } from '../support/gateway.ts';
import { type Bench, timed } from './measure.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** As in a terminal of whoever runs this: without what `npm run` sets, and without the programs it puts on PATH. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(cleanEnvironment()).filter(([name]) => !/^npm_/.test(name));
  const { PATH = '', ...env } = Object.fromEntries(kept);
  return {
    ...env,
    PATH: PATH.split(delimiter)
      .filter((each) => !each.includes('node_modules'))
      .join(delimiter),
  };
}

/** What is committed, as a clone has it. */
function clone(folder: string): string {
  const checkout = join(folder, 'sluice');
  execFileSync('git', ['clone', '--quiet', '--depth', '1', `file://${ROOT}`, checkout]);
  // The port that the quickstart names may be another program's.
  const config = join(checkout, 'config/quickstart.yaml');
  writeFileSync(config, readFileSync(config, 'utf8').replace('127.0.0.1:7171', '127.0.0.1:0'));
  return checkout;
}

export const firstReply: Bench = {
  title: 'From a clone to the first reply',
  about:
    'In a fresh clone of what is committed, two rounds: `npm ci` with an empty cache of npm, so with all downloads, which also builds; the same once more from what npm keeps of them, without the network (`--offline`), so that nothing is asked for again; then `npm start`, and `npx sluice send hello` as soon as it runs, until that has printed the answer.',
  rounds: 2,
  rows: {
    'npm ci, nothing cached': { unit: 's', digits: 1 },
    'npm ci, cached': { unit: 's', digits: 1 },
    'npm start to running': { unit: 's', digits: 2 },
    'npx sluice send hello': { unit: 's', digits: 2 },
    'npm ci to the first reply, nothing cached': { unit: 's', digits: 1 },
  },
  async round() {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
    try {
      return await firstMinute(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function firstMinute(folder: string): Promise<Record<string, number>> {
  const inCheckout = { cwd: clone(folder), env: environment() };
  const run = (file: string, ...args: readonly string[]) =>
    timed(() => execFileSync(file, args, { ...inCheckout, stdio: 'ignore' }));
  const install = (...how: readonly string[]) =>
    run('npm', 'ci', '--cache', join(folder, 'cache'), '--no-audit', '--no-fund', ...how);
  const downloadedMs = await install();
  rmSync(join(inCheckout.cwd, 'node_modules'), { recursive: true });
  const cachedMs = await install('--offline');
  // In a group of its own: npm's shell does not hand a signal on.
  const gateway = spawn('npm', ['start'], {
    ...inCheckout,
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  const closed = once(gateway, 'close');
  try {
    const startMs = await timed(() => says(gateway, 'sluice is running.'));
    const sendMs = await run('npx', 'sluice', 'send', 'hello', '--home', './.sluice');
    return {
      'npm ci, nothing cached': downloadedMs / 1000,
      'npm ci, cached': cachedMs / 1000,
      'npm start to running': startMs / 1000,
      'npx sluice send hello': sendMs / 1000,
      'npm ci to the first reply, nothing cached': (downloadedMs + startMs + sendMs) / 1000,
    };
  } finally {
    if (gateway.pid !== undefined && gateway.exitCode === null) process.kill(-gateway.pid, 'SIGTERM');
    await closed;
  }
}

/** Resolves with the first line of its banner that holds this; rejects when it ends before. */
async function says({ stdout }: ChildProcess, text: string): Promise<void> {
  if (stdout === null) throw new Error('its output is not read here');
  const lines = createInterface({ input: stdout });
  for await (const line of lines) {
    if (!line.includes(text)) continue;
    lines.close();
    stdout.resume();
    return;
  }
  throw new Error(`it never said ${text}`);
}
