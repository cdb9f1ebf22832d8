/**
 * Something else than a file where one of the home belongs: a named pipe, which would be waited for, or a folder. A gateway
 * starts and leaves all the same, or says what is in the way; a command beside it never hangs.
 */
import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { polled } from '../support/polling.ts';

const COMMANDS = 'quick_commands: { hi: { type: exec, command: [echo, hi] } }';

const OTHER_THINGS: [what: string, make: (path: string) => void][] = [
  ['a pipe', (path) => void spawnSync('mkfifo', [path])],
  ['a folder', (path) => mkdirSync(path)],
];

/** A home in which something else lies at these places. */
function homeWith(places: readonly string[], make: (path: string) => void): TestFolder {
  const folder = new TestFolder();
  folder.writeConfig(testConfig(COMMANDS));
  mkdirSync(join(folder.home, 'logs'), { recursive: true, mode: 0o700 });
  for (const place of places) make(join(folder.home, place));
  return folder;
}

const PLACES = [
  ...['token', 'status.json', 'sluice.pid', 'last-good.yaml', 'reserve', 'chat-history'],
  ...['logs/current.log', 'logs/current.ran', 'logs/last.log'],
];

describe.each(OTHER_THINGS)('%s in the home', (_, make) => {
  test(`at ${PLACES.join(', ')} keeps no gateway from running, nor from leaving`, async () => {
    using folder = homeWith(PLACES, make);
    await using gateway = await TestGateway.start({ folder });
    expect((await gateway.send('/hi')).json.replies).toEqual(['hi']);
    // Each reads files of the home beside it.
    expect((await gateway.cli('status')).code).toBe(0);
    expect((await gateway.cli('exec', 'hi')).stdout).toBe('hi\n');
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
    // Without a gateway, too, by the configuration that it is given.
    for (const place of PLACES) {
      rmSync(join(folder.home, place), { recursive: true, force: true });
      make(join(folder.home, place));
    }
    const alone = await runCli(
      ['exec', 'hi', '--home', folder.home, '--config', folder.configPath],
      folder.path,
    );
    expect(alone).toMatchObject({ code: 0, stdout: 'hi\n' });
  });

  test.each(['lock', 'sluice.db'])('at %s ends a start with what it is and what to do', async (place) => {
    using folder = homeWith([place], make);
    await using gateway = await TestGateway.start({ folder, early: true });
    expect(await gateway.exited).toEqual({ code: 78, signal: null });
    expect(gateway.stderr).toContain(join(folder.home, place));
    expect(gateway.stderr).toMatch(
      /is (a folder|not a regular file), and not the (lock|store) that belongs there/,
    );
    expect(gateway.stderr).toContain('ove it away');
    expect(gateway.stderr).not.toContain('every second');
  });

  test('at sluice.db is said by whoever asks the store', async () => {
    using folder = homeWith(['sluice.db'], make);
    const asked = await runCli(['messages', 'list', '--home', folder.home], folder.path);
    expect(asked.code).toBe(1);
    expect(asked.stderr).toMatch(/sluice\.db is (a folder|not a regular file), and not the store/);
  });
});

test('a link at sluice.db that leads to itself is a store that cannot be used: what needs none goes on', async () => {
  using folder = homeWith(['sluice.db'], (path) => symlinkSync(path, path));
  await using gateway = await TestGateway.start({ folder });
  expect(await gateway.status()).toMatchObject({ state: 'running.degraded', degraded: ['store'] });
  expect((await gateway.cli('exec', 'hi')).stdout).toMatch(/^hi\n\(not recorded: /);
  const asked = await gateway.cli('messages', 'list');
  expect(asked).toMatchObject({ code: 3, stderr: expect.stringMatching(/sluice\.db cannot be used: ELOOP/) });
});

test('a token that was replaced by a pipe is put back, and holds', async () => {
  await using gateway = await TestGateway.start();
  const path = join(gateway.folder.home, 'token');
  const token = readFileSync(path, 'utf8');
  rmSync(path);
  spawnSync('mkfifo', [path]);
  await polled(() => lstatSync(path).isFile(), 'the token to be put back');
  expect(readFileSync(path, 'utf8')).toBe(token);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('a log that was replaced by a pipe holds nothing up, and is said to be none', async () => {
  await using gateway = await TestGateway.start({ config: COMMANDS });
  const path = join(gateway.folder.home, 'logs/current.log');
  expect((await gateway.cli('logs', '--json')).json.lines.length).toBeGreaterThan(0);
  rmSync(path);
  spawnSync('mkfifo', [path]);
  const read = await gateway.cli('logs');
  expect(read.code).toBe(1);
  expect(read.stderr).toContain(`${path} is not a regular file`);
  expect((await gateway.send('/hi')).json.replies).toEqual(['hi']);
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
});
