/**
 * A working folder that was deleted, as the folder of an old release is: a gateway goes on and restarts as if it were
 * there, and every command works that needs no path which counts from it.
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { cleanEnvironment, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';

const ENTRY = process.env.SLUICE_TEST_ENTRY ?? fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const COMMANDS = 'quick_commands: { hi: { type: exec, command: [echo, hi] } }';

/** The words of a gateway or a command, run in this folder. */
const inFolder = (path: string, script = 'exec "$@"') => ['/bin/sh', '-c', `cd '${path}' && ${script}`, 'sh'];

/** The same after the folder is gone. */
const inDeleted = (path: string) => inFolder(path, `rmdir '${path}' && exec "$@"`);

/** Runs a command of ours in a folder that is deleted before it begins. */
function fromDeleted(
  folder: TestFolder,
  words: readonly string[],
  env: Record<string, string> = {},
): SpawnSyncReturns<string> {
  const gone = join(folder.path, 'gone');
  mkdirSync(gone);
  const [file = '', ...args] = [...inDeleted(gone), process.execPath, ENTRY, ...words];
  return spawnSync(file, args, { encoding: 'utf8', env: cleanEnvironment(env), cwd: folder.path });
}

test('a gateway restarts in place after its working folder was deleted', async () => {
  using folder = new TestFolder();
  folder.writeConfig(testConfig(COMMANDS));
  const release = join(folder.path, 'release');
  mkdirSync(release);
  await using gateway = await TestGateway.start({ folder, under: inFolder(release) });
  rmSync(release, { recursive: true });
  expect((await gateway.cli('restart')).code).toBe(0);
  expect((await gateway.send('/hi')).json.replies).toEqual(['hi']);
  gateway.signal('SIGUSR1');
  await gateway.ready(3);
  expect(await gateway.status()).toMatchObject({ epoch: 3, state: 'running.healthy' });
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
});

test('one that found home and configuration in that folder goes on with both', async () => {
  using folder = new TestFolder();
  const release = join(folder.path, 'release');
  mkdirSync(release);
  writeFileSync(join(release, 'sluice.yaml'), testConfig(COMMANDS));
  await using gateway = await TestGateway.start({
    folder,
    // Its words end with the home and the configuration as they are named elsewhere.
    under: inFolder(release, 'exec "$1" "$2" run --home ../home'),
  });
  rmSync(release, { recursive: true });
  gateway.signal('SIGUSR1');
  await gateway.ready(2);
  const status = await gateway.status();
  expect(status.epoch).toBe(2);
  expect(status.warnings.join()).toContain(join(release, 'sluice.yaml'));
  expect(status.warnings.join()).toContain('last good');
  expect(gateway.stdout).toContain('sluice.yaml as it was last good');
  expect((await gateway.send('/hi')).json.replies).toEqual([
    // Commands work in the folder of their file, which is not there.
    expect.stringContaining(`The working directory ${release} does not exist`),
  ]);
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
});

test('a gateway starts in a deleted folder when nothing it is given counts from there', async () => {
  using folder = new TestFolder();
  folder.writeConfig(testConfig(COMMANDS));
  const gone = join(folder.path, 'gone');
  mkdirSync(gone);
  await using gateway = await TestGateway.start({ folder, under: inDeleted(gone) });
  expect((await gateway.send('/hi')).json.replies).toEqual(['hi']);
  gateway.signal('SIGUSR1');
  await gateway.ready(2);
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
});

test('a start that was given a relative path there says what it needs, and leaves with 78', () => {
  using folder = new TestFolder();
  for (const named of [
    ['--home', 'bot', '--config', folder.configPath],
    ['--home', folder.home, '--config', 'bot.yaml'],
  ]) {
    const { status, stderr } = fromDeleted(folder, ['run', ...named]);
    expect(status).toBe(78);
    expect(stderr).toMatch(/bot(\.yaml)? counts from the working folder, which was deleted/);
    expect(stderr).not.toContain('    at ');
  }
});

test('every command works from there', async () => {
  await using gateway = await TestGateway.start({ config: COMMANDS });
  const { folder } = gateway;
  const home = ['--home', folder.home];
  const ask = (...words: string[]) => fromDeleted(folder, [...words, ...home]);
  expect(ask('status')).toMatchObject({ status: 0, stderr: '' });
  expect(ask('send', 'hello')).toMatchObject({ status: 0, stdout: 'echo: hello\n' });
  expect(ask('exec', 'hi')).toMatchObject({ status: 0, stdout: 'hi\n' });
  expect(ask('messages', 'list')).toMatchObject({ status: 0 });
  expect(ask('logs', '-n', '1')).toMatchObject({ status: 0 });
  expect(ask('config', 'check')).toMatchObject({ status: 0 });
  expect(ask('stop')).toMatchObject({ status: 0 });
  expect(await gateway.exited).toEqual({ code: 0, signal: null });
  expect(ask('exec', 'hi', '--config', folder.configPath)).toMatchObject({ status: 0, stdout: 'hi\n' });
  expect(ask('status')).toMatchObject({ status: 4 });
  expect(fromDeleted(folder, ['status'], { SLUICE_HOME: folder.home })).toMatchObject({ status: 4 });
});

test.each([
  ['a relative home', ['status', '--home', 'bot']],
  ['a relative configuration', ['config', 'check', '--config', 'bot.yaml']],
  ['a relative file', ['config', 'check', 'bot.yaml']],
  ['a file to be written', ['init', '--yes']],
])('only a command that is given %s says that it needs a folder', (_, words) => {
  using folder = new TestFolder();
  const { status, stderr, stdout } = fromDeleted(folder, words, { HOME: folder.path });
  expect(status).toBe(2);
  expect(stderr).toMatch(
    /^sluice: \S+ counts from the working folder, which was deleted\nGo to a folder that exists/,
  );
  expect(stdout).toBe('');
});
