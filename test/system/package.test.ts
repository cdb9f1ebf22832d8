/**
 * What is published: what `npm pack` in a checkout makes, and that a global install of it in an empty folder runs
 * without the network. It is packed in a copy of the checkout: packing builds anew, and others run what is built.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { brokenLinks } from '../support/links.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const PACKAGES_MAX = 25;
const INSTALLED_BYTES_MAX = 15 * 1024 * 1024;

/** Libraries that the gateway cannot do without, and some that only work on it needs. */
const BUNDLED = ['xstate', 'execa', 'pino', 'yaml', 'zod', 'commander', 'find-my-way', '@xstate/inspect'];
const FOR_WORK = ['node', 'vitest', 'typescript', 'esbuild', 'playwright-core', 'elkjs', 'fast-check'];

/** Not a part of the sources, or as large as they are together. */
const LEFT_OUT = /\/(?:node_modules|dist|coverage|\.git|\.sluice|\.systemd-box|[^/]+\.tgz)$/;

let folder: string;
let checkout: string;
let installed: string;
let packed: { files: string[]; tarball: string };
/** What npm said when it installed the tarball. */
let told: string;

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

/** The checkout's files, on the packages that are installed already. */
function copyCheckout(): void {
  cpSync(ROOT, checkout, { recursive: true, filter: (path) => !LEFT_OUT.test(path) });
  for (const at of ['node_modules', 'visualizations/xstate-inspect/node_modules'])
    symlinkSync(join(ROOT, at), join(checkout, at));
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-package-'));
  checkout = join(folder, 'checkout');
  installed = join(folder, 'global/lib/node_modules/sluice');
  for (const name of ['user', 'empty', 'global']) mkdirSync(join(folder, name));
  copyCheckout();
  const [report] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], checkout));
  packed = {
    files: report.files.map(({ path }: { path: string }) => path),
    tarball: join(folder, report.filename),
  };
  const prefix = join(folder, 'global');
  const npm = spawnSync(
    'npm',
    [
      'install',
      '--global',
      '--prefix',
      prefix,
      '--offline',
      '--no-audit',
      '--no-fund',
      '--no-update-notifier',
      packed.tarball,
    ],
    { cwd: folder, env: env(), encoding: 'utf8' },
  );
  told = `${npm.stdout}${npm.stderr}`;
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the tarball', () => {
  test('holds the program, its page, configurations, the documents, and nothing else', () => {
    const others = packed.files.filter((path) => !/^(?:dist|config|docs\/decisions)\//.test(path));
    expect(others.sort()).toEqual([
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'LICENSE',
      'NOTICE',
      'README.md',
      'docs/ARCHITECTURE.md',
      'docs/GLOSSARY.md',
      'docs/STYLE.md',
      'docs/backup.md',
      'docs/benchmarks.md',
      'docs/configuration.md',
      'docs/errors.md',
      'docs/http.md',
      'docs/images/draining.png',
      'docs/operating.md',
      'docs/quick-commands.md',
      'docs/reliability.md',
      'docs/upgrading.md',
      'package.json',
      'visualizations/generated/admission.md',
      'visualizations/generated/connection.md',
      'visualizations/generated/gateway.svg',
      'visualizations/generated/transitions.md',
    ]);
    const kinds = packed.files
      .filter((path) => path.startsWith('dist/'))
      .map((path) => /\.\w+$/.exec(path)?.[0]);
    expect(new Set(kinds)).toEqual(new Set(['.js', '.html', '.css']));
    for (const path of ['dist/main.js', 'dist/inspector/index.html', 'config/quickstart.yaml'])
      expect(packed.files).toContain(path);
  });

  test('says of itself what installs and starts it, and the checkout says afterwards what it said before', () => {
    const published = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    expect(Object.keys(published).sort()).toEqual([
      'bin',
      'description',
      'engines',
      'exports',
      'files',
      'license',
      'name',
      'os',
      'type',
      'version',
    ]);
    expect(readFileSync(join(checkout, 'package.json'), 'utf8')).toBe(
      readFileSync(join(ROOT, 'package.json'), 'utf8'),
    );
    expect(readdirSync(checkout).filter((name) => /^package\.json\./.test(name))).toEqual([]);
  });

  test('has pages whose links lead to what is packed with them', () => {
    const pages = packed.files.filter((path) => path.endsWith('.md'));
    expect(pages.length).toBeGreaterThan(20);
    const broken = pages.flatMap((path) =>
      brokenLinks(installed, path, readFileSync(join(installed, path), 'utf8')),
    );
    expect(broken).toEqual([]);
  });

  test('is what publint and arethetypeswrong find nothing wrong with', () => {
    expect(tool('publint', packed.tarball, '--strict')).toContain('All good!');
    // Nothing can be imported, so there are no types to be wrong.
    expect(tool('attw', packed.tarball)).toContain('This package does not contain types.');
  });

  test('carries in NOTICE the licence of each library that is bundled, and of no other, as the checkout does', () => {
    const text = readFileSync(join(installed, 'NOTICE'), 'utf8');
    expect(readFileSync(join(ROOT, 'NOTICE'), 'utf8'), 'run `npm run build`').toBe(text);
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
  test('runs no script, asks nobody for anything, and warns of nothing', () => {
    expect(told).toMatch(/^\s*added 1 package in \w+\s*$/);
  });

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

  test('begins with a configuration of its own, answers, runs a command, and stops', async () => {
    const empty = join(folder, 'empty');
    const home = ['--home', join(folder, 'home')];
    expect(sluice('init', '--yes', '--agent', 'demo', ...home)).toContain('sluice run');
    // Only its port may be another program's here.
    appendFileSync(join(empty, 'sluice.yaml'), '\nlisten: { http: 127.0.0.1:0 }\n');
    const gateway = spawn(join(folder, 'global/bin/sluice'), ['run', ...home], {
      cwd: empty,
      env: env(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const exited = once(gateway, 'exit');
    try {
      await says(gateway, 'starting → running.healthy');
      expect(sluice('send', 'hello', ...home)).toMatch(/I am the built-in demo agent/);
      expect(sluice('exec', 'disk', ...home)).toMatch(/^Filesystem/);
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
