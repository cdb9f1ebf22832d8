/** `sluice exec` where no gateway runs: the same command by the same code, in the caller's own process. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runCli, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';

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
      stdout: 'up\n(not recorded: the gateway could not write to its disk)\n',
    });
    expect(result.stderr).toContain('run by this process');
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

  test('a name that nobody knows exits with 3, as it does through a gateway', async () => {
    using folder = folderWith(COMMANDS);
    expect(await exec(folder, 'nope')).toMatchObject({ code: 3 });
    await using gateway = await TestGateway.start({ folder, config: COMMANDS });
    expect(await gateway.cli('exec', 'nope')).toMatchObject({ code: 3 });
  });

  test('Ctrl-C ends the command and its tree, and the caller says so', async () => {
    using folder = folderWith(COMMANDS);
    folder.fifo('hold');
    const args = ['exec', 'slow', '--home', folder.home, '--config', folder.configPath];
    const child = spawn(process.execPath, [ENTRY, ...args], {
      cwd: folder.path,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
    // The command waits for somebody to open the FIFO: once it is there it is open for us, too.
    const { open } = await import('node:fs/promises');
    const handle = await open(`${folder.path}/hold`, 'w');
    child.kill('SIGINT');
    expect(await exited).toBe(1);
    await handle.close();
    expect(said).toContain('/slow was ended after');
    const [pid] = said.split('\n');
    expect(() => process.kill(Number(pid), 0)).toThrow(/ESRCH/);
  });
});
