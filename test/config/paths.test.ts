import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findConfig, homePaths, packagedFile, resolveHome } from '../../src/config/paths.ts';

const root = resolve(import.meta.dirname, '../..');

describe('the home', () => {
  const env = { SLUICE_HOME: '/srv/sluice', XDG_STATE_HOME: '/srv/state', HOME: '/home/ada' };

  test.each([
    ['the flag', { flag: '/srv/other/', env }, '/srv/other'],
    ['SLUICE_HOME', { env }, '/srv/sluice'],
    ['the XDG state folder', { env: { ...env, SLUICE_HOME: undefined } }, '/srv/state/sluice'],
    ["the user's state folder", { env: { HOME: '/home/ada' } }, '/home/ada/.local/state/sluice'],
    [
      'a relative XDG folder is ignored',
      { env: { HOME: '/home/ada', XDG_STATE_HOME: 'state' } },
      '/home/ada/.local/state/sluice',
    ],
    ['an empty flag counts as absent', { flag: '', env }, '/srv/sluice'],
    [
      'an empty variable counts as absent',
      { env: { SLUICE_HOME: '', HOME: '/home/ada' } },
      '/home/ada/.local/state/sluice',
    ],
    ['a relative flag counts from the working folder', { flag: './.sluice', env }, '/srv/work/.sluice'],
    ['an absolute one needs none', { flag: '/srv/other', env, cwd: undefined }, '/srv/other'],
    ['without HOME the system is asked', { env: {} }, join(homedir(), '.local/state/sluice')],
  ])('%s', (_, options, expected) => {
    expect(resolveHome({ cwd: '/srv/work', ...options })).toBe(expected);
  });

  test('holds the files that the public face names, and what else is kept', () => {
    expect(homePaths('/srv/sluice', {})).toEqual({
      store: '/srv/sluice/sluice.db',
      lock: '/srv/sluice/lock',
      pid: '/srv/sluice/sluice.pid',
      status: '/srv/sluice/status.json',
      socket: '/srv/sluice/control.sock',
      token: '/srv/sluice/token',
      lastGood: '/srv/sluice/last-good.yaml',
      logs: '/srv/sluice/logs',
      reserve: '/srv/sluice/reserve',
      chatHistory: '/srv/sluice/chat-history',
    });
  });
});

describe('the control socket', () => {
  const homeOf = (socketBytes: number) => `/${'h'.repeat(socketBytes - '/'.length - '/control.sock'.length)}`;
  const socket = (home: string, env: NodeJS.ProcessEnv = {}) => homePaths(home, env).socket;

  test('lies in the home while its path has at most 100 bytes', () => {
    expect(socket(homeOf(100))).toBe(`${homeOf(100)}/control.sock`);
    expect(socket(homeOf(101))).not.toContain('control.sock');
    expect(socket(`/${'ü'.repeat(44)}`)).not.toContain('control.sock');
  });

  describe('lies elsewhere otherwise', () => {
    let runtime = '';
    beforeEach(() => {
      runtime = mkdtempSync(join(tmpdir(), 'sluice-run-'));
    });
    afterEach(() => rmSync(runtime, { recursive: true, force: true }));

    const inTmp = new RegExp(`^/tmp/sluice-${process.getuid?.()}/[0-9a-f]{16}\\.sock$`);

    test('in the runtime folder, by a name that only its home has', () => {
      const env = { XDG_RUNTIME_DIR: runtime };
      expect(dirname(socket(homeOf(101), env))).toBe(join(runtime, 'sluice'));
      expect(basename(socket(homeOf(101), env))).toMatch(/^[0-9a-f]{16}\.sock$/);
      expect(socket(homeOf(101), env)).toBe(socket(homeOf(101), env));
      expect(socket(homeOf(101), env)).not.toBe(socket(homeOf(102), env));
    });

    test.each([
      ['is not named', () => undefined],
      ['is named by nothing', () => ''],
      ['is relative', () => 'relative'],
      ['has a name that is too long', () => `/${'r'.repeat(90)}`],
      ['is not there', () => join(runtime, 'gone')],
      ['is a file', () => import.meta.filename],
    ])('in /tmp where that folder %s', (_, named) => {
      expect(socket(homeOf(101), { XDG_RUNTIME_DIR: named() })).toMatch(inTmp);
    });

    test('in /tmp where others may write in that folder', () => {
      chmodSync(runtime, 0o770);
      expect(socket(homeOf(101), { XDG_RUNTIME_DIR: runtime })).toMatch(inTmp);
    });

    test.runIf(process.getuid?.() === 0)("in /tmp where that folder is another user's, as after sudo", () => {
      chownSync(runtime, 12345, 12345);
      expect(socket(homeOf(101), { XDG_RUNTIME_DIR: runtime })).toMatch(inTmp);
    });
  });
});

describe('the configuration file', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-paths-'));
    mkdirSync(join(folder, 'xdg/sluice'), { recursive: true });
    mkdirSync(join(folder, 'work'));
    writeFileSync(join(folder, 'xdg/sluice/sluice.yaml'), '');
    writeFileSync(join(folder, 'work/sluice.yaml'), '');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('is the first there is of flag, variable, the running gateway, folder, XDG, quickstart', () => {
    const cwd = join(folder, 'work');
    const env = { SLUICE_CONFIG: 'mine.yaml', XDG_CONFIG_HOME: join(folder, 'xdg'), HOME: folder };
    const unnamed = { ...env, SLUICE_CONFIG: '' };
    const owned = '/srv/gateway.yaml';
    const quickstart = join(root, 'config/quickstart.yaml');

    expect(findConfig({ flag: 'a.yaml', env, cwd, owned })).toEqual({
      path: join(cwd, 'a.yaml'),
      origin: 'flag',
    });
    expect(findConfig({ env, cwd, owned })).toEqual({ path: join(cwd, 'mine.yaml'), origin: 'environment' });
    expect(findConfig({ env: unnamed, cwd, owned })).toEqual({ path: owned, origin: 'gateway' });
    expect(findConfig({ env: unnamed, cwd, owned: quickstart })).toEqual({
      path: quickstart,
      origin: 'quickstart',
    });
    expect(findConfig({ env: unnamed, cwd })).toEqual({ path: join(cwd, 'sluice.yaml'), origin: 'folder' });
    rmSync(join(cwd, 'sluice.yaml'));
    const inXdg = join(folder, 'xdg/sluice/sluice.yaml');
    expect(findConfig({ env: unnamed, cwd })).toEqual({ path: inXdg, origin: 'xdg' });
    rmSync(inXdg);
    expect(findConfig({ env: unnamed, cwd })).toEqual({ path: quickstart, origin: 'quickstart' });
  });

  test('in the .config folder of the user is found without XDG variables', () => {
    const path = join(folder, '.config/sluice/sluice.yaml');
    mkdirSync(join(folder, '.config/sluice'), { recursive: true });
    writeFileSync(path, '');
    expect(findConfig({ env: { HOME: folder }, cwd: folder })).toEqual({ path, origin: 'xdg' });
  });

  test('of the package is found from the sources and from a bundle, past a package named config beside it', async () => {
    const name = 'quickstart.yaml';
    expect(packagedFile(name)).toBe(join(root, 'config', name));

    const installed = join(folder, 'node_modules/sluice');
    for (const beside of [join(installed, 'config'), join(folder, 'node_modules/config')]) {
      mkdirSync(beside, { recursive: true });
      writeFileSync(join(beside, name), '');
    }
    await build({
      stdin: {
        contents: `import { packagedFile } from './paths.ts'; process.stdout.write(packagedFile('${name}'));`,
        resolveDir: join(root, 'src/config'),
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: join(installed, 'dist/main.mjs'),
      logLevel: 'error',
    });
    const found = execFileSync(process.execPath, [join(installed, 'dist/main.mjs')], { encoding: 'utf8' });
    expect(found).toBe(join(installed, 'config', name));
  });

  test('that the package should have and has not is an error, not a path to nothing', () => {
    expect(() => packagedFile('none.yaml')).toThrow(expect.objectContaining({ code: 'CONFIG_UNREADABLE' }));
  });
});
