/** `sluice exec` where no gateway runs: the same command by the same code, in the caller's own process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runCli, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';
import { StoreLock } from '../support/store-lock.ts';

const ENTRY = process.env.SLUICE_TEST_ENTRY ?? fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const COMMANDS = [
  'quick_commands:',
  '  up: { type: exec, command: "echo up" }',
  '  slow: { type: exec, command: "echo $$; exec cat hold" }',
].join('\n');

function folderWith(config: string): TestFolder {
  const folder = new TestFolder();
  folder.writeConfig(testConfig(config));
  return folder;
}

const exec = (folder: TestFolder, ...args: string[]) =>
  runCli(['exec', ...args, '--home', folder.home, '--config', folder.configPath], folder.path);

describe('without a gateway', () => {
  test('a quick command runs in this process, and says so', async () => {
    using folder = folderWith(COMMANDS);
    const result = await exec(folder, 'up');
    expect(result).toMatchObject({
      code: 0,
      stdout: 'up\n',
    });
    expect(result.stderr).toContain('run by this process');
    expect(result.stderr).toContain(
      `not recorded: ${folder.home} has no store before its first sluice run\n`,
    );
  });

  test('it is recorded where a gateway has made the store, and the same id is not run again', async () => {
    await using gateway = await TestGateway.start({ config: COMMANDS });
    await gateway.kill9();
    const { folder } = gateway;
    expect(await exec(folder, 'up', '--id', 'once')).toMatchObject({ code: 0, stdout: 'up\n' });
    const again = await exec(folder, 'up', '--id', 'once');
    expect(again.code).toBe(3);
    expect(again.stdout).toContain('run already');
    const rows = await storeRows(folder.home, "SELECT outcome FROM inbox WHERE platform_message_id = 'once'");
    expect(rows).toEqual([{ outcome: 'ran' }]);
  });

  test('beside a program that has the store locked it runs, and says what keeps it from being recorded', async () => {
    await using gateway = await TestGateway.start({ config: COMMANDS });
    await gateway.kill9();
    using _ = new StoreLock(gateway.folder.home);
    const result = await exec(gateway.folder, 'up');
    expect(result).toMatchObject({ code: 0, stdout: 'up\n' });
    expect(result.stderr).toContain('not recorded: another program has the store locked; close it');
  });

  test('a name that nobody knows exits with 3, as it does through a gateway', async () => {
    using folder = folderWith(COMMANDS);
    expect(await exec(folder, 'nope')).toMatchObject({ code: 3 });
    await using gateway = await TestGateway.start({ folder, config: COMMANDS });
    expect(await gateway.cli('exec', 'nope')).toMatchObject({ code: 3 });
  });

  test('names are read by the same rules as through a gateway', async () => {
    using folder = folderWith(
      `${COMMANDS}\n  hi: { type: alias, target: "/up" }\n  talk: { type: alias, target: "tell me more" }`,
    );
    expect(await exec(folder, '/up')).toMatchObject({ code: 0, stdout: 'up\n' });
    expect(await exec(folder, 'hi')).toMatchObject({ code: 0, stdout: 'up\n' });
    const refused: readonly [string, RegExp][] = [
      ['../up', /^There is no exec command "\.\.\/up"\. Usage: /],
      ['upp', /^There is no exec command "upp"\. Did you mean up\?/],
      ['talk', /^\/talk is no exec command/],
    ];
    for (const [name, words] of refused) {
      expect(await exec(folder, name), name).toMatchObject({ code: 3, stdout: expect.stringMatching(words) });
    }
  });

  test('an id that a gateway took and has not settled is not said to have been run', async () => {
    await using gateway = await TestGateway.start({ config: COMMANDS });
    gateway.folder.fifo('hold');
    // Answered once it is on disk.
    await gateway.post('/slow', { id: 'once' });
    await gateway.kill9();
    const again = await exec(gateway.folder, 'slow', '--id', 'once');
    expect(again).toMatchObject({ code: 3, stdout: expect.stringContaining('has taken it already') });
    expect(again.stdout).not.toContain('run already');
    // The next start ends what the killed one left.
    await using next = await TestGateway.start({ folder: gateway.folder });
    expect(await next.outcome('once')).toMatchObject({ outcome: 'interrupted' });
  });

  test.each([
    ['SIGINT', 'Ctrl-C'],
    ['SIGTERM', 'SIGTERM'],
    ['SIGHUP', 'SIGHUP'],
  ] as const)(
    '%s ends the command and its tree, and the caller says that it was %s',
    async (signal, named) => {
      using folder = folderWith(COMMANDS);
      const { said, pid, code } = await interrupted(folder, (child) => child.kill(signal));
      expect(code).toBe(1);
      expect(said).toContain('/slow was ended after');
      expect(said).toContain(named);
      expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
    },
  );

  test('a defect ends the command and its tree, and is said', async () => {
    using folder = folderWith(COMMANDS);
    const planted = 'process.on("SIGUSR2",()=>{throw new Error("planted")})';
    const { errors, pid, code } = await interrupted(folder, (child) => child.kill('SIGUSR2'), [
      '--import',
      `data:text/javascript,${planted}`,
    ]);
    expect(code).not.toBe(0);
    expect(errors).toContain('planted');
    expect(errors).toContain('This is a defect');
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  });
});

/** Runs `slow` without a gateway, and does something to the caller once the command runs. */
async function interrupted(folder: TestFolder, act: (child: ChildProcess) => void, nodeArgs: string[] = []) {
  folder.fifo('hold');
  const args = ['exec', 'slow', '--home', folder.home, '--config', folder.configPath];
  const child = spawn(process.execPath, [...nodeArgs, ENTRY, ...args], {
    cwd: folder.path,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  // The command waits for somebody to open the FIFO: once it is there it is open for us, too.
  const handle = await open(`${folder.path}/hold`, 'w');
  act(child);
  const code = await exited;
  await handle.close();
  return { said, errors, code, pid: Number(said.split('\n')[0]) };
}
