/** What is published: what the tarball holds, and that a global install of it in an empty folder runs without the network. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const PACKAGES_MAX = 25;
const INSTALLED_BYTES_MAX = 15 * 1024 * 1024;

/** Libraries that the gateway cannot do without, and some that only work on it needs. */
const BUNDLED = ['xstate', 'execa', 'pino', 'yaml', 'zod', 'commander', 'find-my-way', '@xstate/inspect'];
const FOR_WORK = ['node', 'vitest', 'typescript', 'esbuild', 'playwright-core', 'elkjs', 'fast-check'];

let folder: string;
let packed: { files: string[]; tarball: string };

/** As somebody whose PATH begins with the Node that runs this test, and who has no configuration. */
const env = () => ({
  PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
  HOME: join(folder, 'user'),
});

const run = (file: string, args: readonly string[], cwd: string): string =>
  execFileSync(file, args, { cwd, env: env(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

const sluice = (...args: readonly string[]): string =>
  run(join(folder, 'global/bin/sluice'), args, join(folder, 'empty'));

const tool = (name: string, ...args: readonly string[]): string =>
  run(join(ROOT, 'node_modules/.bin', name), args, folder);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-package-'));
  for (const name of ['user', 'empty', 'global']) mkdirSync(join(folder, name));
  const [report] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], ROOT));
  packed = {
    files: report.files.map(({ path }: { path: string }) => path),
    tarball: join(folder, report.filename),
  };
  run(
    'npm',
    ['install', '--global', '--prefix', join(folder, 'global'), '--offline', packed.tarball],
    folder,
  );
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the tarball', () => {
  test('holds the program, its page, configurations, the documents of a user, and nothing else', () => {
    const others = packed.files.filter((path) => !/^(?:dist|config)\//.test(path));
    expect(others.sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'docs/GLOSSARY.md',
      'docs/benchmarks.md',
      'docs/configuration.md',
      'docs/errors.md',
      'docs/http.md',
      'docs/operating.md',
      'docs/upgrading.md',
      'package.json',
    ]);
    const kinds = packed.files
      .filter((path) => path.startsWith('dist/'))
      .map((path) => /\.\w+$/.exec(path)?.[0]);
    expect(new Set(kinds)).toEqual(new Set(['.js', '.html', '.css', '.txt']));
    for (const path of ['dist/main.js', 'dist/inspector/index.html', 'config/quickstart.yaml'])
      expect(packed.files).toContain(path);
  });

  test('is what publint and arethetypeswrong find nothing wrong with', () => {
    expect(tool('publint', packed.tarball, '--strict')).toContain('All good!');
    // Nothing can be imported, so there are no types to be wrong.
    expect(tool('attw', packed.tarball)).toContain('This package does not contain types.');
  });

  test('carries the licence of each library that is bundled, and of no other', () => {
    const installed = join(folder, 'global/lib/node_modules/sluice');
    const text = readFileSync(join(installed, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8');
    const [, ...parts] = text.split(`\n${'-'.repeat(78)}\n`);
    const named = parts.map((part) => /^\n(\S+) \S+\nLicence: (\S+)\n\n/.exec(part)?.slice(1, 3) ?? [part]);
    for (const name of BUNDLED) expect(named.map(([each]) => each)).toContain(name);
    for (const name of FOR_WORK) expect(named.map(([each]) => each)).not.toContain(name);
    expect(new Set(named.map(([, licence]) => licence))).toEqual(
      new Set(['MIT', 'ISC', 'BSD-3-Clause', 'Apache-2.0']),
    );
    for (const part of parts)
      expect(part).toMatch(/permission|redistribution|apache license|no licence file/i);
  });
});

describe('a global install in an empty folder', () => {
  test(`is at most ${PACKAGES_MAX} packages and 15 MB`, () => {
    const modules = join(folder, 'global/lib/node_modules');
    const entries = readdirSync(modules, { recursive: true, withFileTypes: true });
    const packages = entries.filter(
      ({ name, parentPath }) =>
        name === 'package.json' && /node_modules\/(?:@[^/]+\/)?[^/]+$/.test(parentPath),
    );
    expect(packages.length).toBeGreaterThan(0);
    expect(packages.length).toBeLessThanOrEqual(PACKAGES_MAX);
    const bytes = entries
      .filter((entry) => entry.isFile())
      .map((e) => statSync(join(e.parentPath, e.name)).size);
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(INSTALLED_BYTES_MAX);
  });

  test('says its version', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(sluice('--version')).toBe(`${version}\n`);
  });

  test('runs the quickstart, answers, and stops', async () => {
    // The quickstart as it is installed; only its port may be another program's here.
    const empty = join(folder, 'empty');
    const config = join(folder, 'global/lib/node_modules/sluice/config');
    const text = readFileSync(join(config, 'quickstart.yaml'), 'utf8');
    writeFileSync(join(empty, 'sluice.yaml'), text.replace('127.0.0.1:7171', '127.0.0.1:0'));
    writeFileSync(
      join(empty, 'quickstart-agent.mjs'),
      readFileSync(join(config, 'quickstart-agent.mjs'), 'utf8'),
    );
    const home = ['--home', join(folder, 'home')];
    const gateway = spawn(join(folder, 'global/bin/sluice'), ['run', ...home], {
      cwd: empty,
      env: env(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const exited = once(gateway, 'exit');
    try {
      await says(gateway, 'starting → running.healthy');
      expect(sluice('send', 'hello', ...home)).toMatch(/\S/);
      expect(sluice('exec', 'hello', 'Ada', ...home)).toBe('Hello, Ada!\n');
      expect(JSON.parse(sluice('status', '--json', ...home))).toMatchObject({ state: 'running.healthy' });
      sluice('stop', ...home);
      expect(await exited).toEqual([0, null]);
    } finally {
      gateway.kill('SIGKILL');
      await exited;
    }
  });
});

/** Resolves with the first line of its log that holds this; rejects when it ends before. */
async function says({ stderr }: ChildProcess, text: string): Promise<string> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: stderr! })) {
    lines.push(line);
    if (line.includes(text)) {
      stderr!.resume();
      return line;
    }
  }
  throw new Error(`it never said ${text}:\n${lines.join('\n')}`);
}
