/** `sluice exec` where no gateway runs: the same command by the same code, in the caller's own process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { survivors } from '../process/survivors.ts';
import { runCli, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';
import { polled } from '../support/polling.ts';
import { RunningCli } from '../support/running-cli.ts';
import { StoreLock } from '../support/store-lock.ts';

const ENTRY = process.env.SLUICE_TEST_ENTRY ?? fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const COMMANDS = [
  'quick_commands:',
  '  up: { type: exec, command: "echo up" }',
  '  slow: { type: exec, command: "echo $$; exec cat hold" }',
  '  count: { type: exec, command: "echo ran >> counted; echo counted; exit 7" }',
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

  test('it is recorded where a gateway has made the store, and the same id tells what became of the first', async () => {
    await using gateway = await TestGateway.start({ config: COMMANDS });
    await gateway.kill9();
    const { folder } = gateway;
    expect(await exec(folder, 'up', '--id', 'once')).toMatchObject({ code: 0, stdout: 'up\n' });
    expect(await exec(folder, 'up', '--id', 'once')).toEqual({
      ...{ code: 0, stdout: 'up\n', json: undefined },
      stderr: 'no gateway is running: what became of once before\n',
    });
    const rows = await storeRows(folder.home, "SELECT outcome FROM inbox WHERE platform_message_id = 'once'");
    expect(rows).toEqual([{ outcome: 'ran' }]);
  });

  test('the same id again has the exit code of the first, as through a gateway and whatever is asked by it', async () => {
    await using gateway = await TestGateway.start({ config: COMMANDS });
    const { folder } = gateway;
    const first = await gateway.cli('exec', 'count', '--id', 'seven', '--exit-code');
    await gateway.kill9();
    const again = await exec(folder, 'count', '--id', 'seven', '--exit-code');
    expect([first.code, again.code]).toEqual([7, 7]);
    expect(again.stdout).toBe(first.stdout);
    const { code, json } = await exec(folder, 'up', '--id', 'seven', '--json');
    expect(code).toBe(1);
    expect(json).toMatchObject({
      ...{ duplicate: true, offline: true, admission: 'dispatch', outcome: 'failed', exitCode: 7 },
      replies: [expect.stringMatching(/^counted\n\/count failed: exit code 7/)],
    });
    expect(readFileSync(`${folder.path}/counted`, 'utf8')).toBe('ran\n');
  });

  test('beside a program that has the store locked it runs, and says what keeps it from being recorded', async () => {
    await using gateway = await TestGateway.start({ config: COMMANDS });
    await gateway.kill9();
    using _ = new StoreLock(gateway.folder.home);
    const result = await exec(gateway.folder, 'up');
    expect(result).toMatchObject({ code: 0, stdout: 'up\n' });
    expect(result.stderr).toContain('not recorded: another program has the store locked; close it');
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    '%s while another program has the store locked leaves: nothing was run',
    async (signal, exit) => {
      await using gateway = await TestGateway.start({ config: COMMANDS });
      await gateway.kill9();
      const { folder } = gateway;
      using _ = new StoreLock(folder.home);
      await using cli = new RunningCli(['exec', 'count', '--home', folder.home], folder.path);
      await cli.opens(join(folder.home, 'sluice.db'));
      cli.signal(signal);
      const { code, stdout, stderr } = await cli.result();
      expect({ code, stdout }).toEqual({ code: exit, stdout: '' });
      expect(stderr).toMatch(
        /^not recorded: .*\nsluice: \/count was not run: no gateway decided about it, and it was interrupted\n/,
      );
      expect(existsSync(`${folder.path}/counted`)).toBe(false);
    },
  );

  test('a command that is a list gets its words in their places, as through a gateway', async () => {
    const lists = [
      'quick_commands:',
      '  two: { type: exec, command: [printf, --, "<%s>", "$A", "$B"], args: { A: { required: true }, B: {} } }',
      '  all: { type: exec, command: [printf, --, "<%s>", "$A", "$B"], args: { A: {}, B: { rest: true } } }',
    ].join('\n');
    const printed = [
      [['two', 'a b', '$A'], '<a b><$A>\n'],
      [['two', 'a'], '<a>\n'],
      [['all', 'a', 'b c', 'd'], '<a><b c><d>\n'],
      [['all'], '<>\n'],
    ] as const;
    using folder = folderWith(lists);
    for (const [words, stdout] of printed)
      expect(await exec(folder, ...words), words.join(' ')).toMatchObject({ code: 0, stdout });
    await using gateway = await TestGateway.start({ folder, config: lists });
    for (const [words, stdout] of printed)
      expect(await gateway.cli('exec', ...words), words.join(' ')).toMatchObject({ code: 0, stdout });
  });

  test('a name that nobody knows exits with 3, as it does through a gateway, and is not said to be run', async () => {
    using folder = folderWith(COMMANDS);
    expect(await exec(folder, 'nope')).toMatchObject({ code: 3, stderr: '' });
    expect(await exec(folder, 'up', 'surplus')).toMatchObject({ code: 3, stderr: '' });
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

  test('an id whose gateway died before it had settled has no known end, and that is said', async () => {
    await using gateway = await TestGateway.start({ config: COMMANDS });
    gateway.folder.fifo('hold');
    // Answered once it is on disk.
    await gateway.post('/slow', { id: 'once' });
    await gateway.inFlight('commands', 1);
    await gateway.kill9();
    const stands = `Its end is not known: the gateway that had it (pid ${gateway.pid}) died, and by then it had begun.`;
    const again = await exec(gateway.folder, 'slow', '--id', 'once');
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toContain(`${stands} Nothing was done twice.\nIts end, once it is known: `);
    expect(again.stderr).toContain(`sluice messages show once --home ${gateway.folder.home}\n`);
    const { code, json } = await exec(gateway.folder, 'slow', '--id', 'once', '--json');
    expect(code).toBe(1);
    expect(json).toMatchObject({ duplicate: true, outcome: null, text: stands });
    // The next start ends what the killed one left.
    await using next = await TestGateway.start({ folder: gateway.folder });
    expect(await next.outcome('once')).toMatchObject({ outcome: 'interrupted' });
  });

  test('an id that another process runs still is said to run, and by whom', async () => {
    await using gateway = await TestGateway.start({ config: COMMANDS });
    const { folder } = gateway;
    folder.fifo('hold');
    await gateway.kill9();
    const first = exec(folder, 'slow', '--id', 'once');
    const lives =
      "SELECT pid FROM lives JOIN inbox ON inbox.life = lives.id WHERE platform_message_id = 'once'";
    const [{ pid }] = await polled(() => {
      const rows = storeRows(folder.home, lives);
      return rows.length > 0 && rows;
    }, 'the claim');
    expect(await exec(folder, 'slow', '--id', 'once')).toMatchObject({
      ...{ code: 1, stdout: '' },
      stderr: expect.stringMatching(
        new RegExp(
          `^It is running still, by another sluice exec \\(pid ${pid}\\)\\. Nothing was done twice\\.\n`,
        ),
      ),
    });
    await folder.release('hold');
    expect((await first).code).toBe(0);
  });

  test.each([
    ['SIGINT', 'Ctrl-C', 130],
    ['SIGTERM', 'SIGTERM', 143],
    ['SIGHUP', 'SIGHUP', 129],
  ] as const)(
    '%s ends the command and its tree, and the caller says that it was %s and exits with %d',
    async (signal, named, expected) => {
      using folder = folderWith(COMMANDS);
      const { said, pid, code } = await interrupted(folder, (child) => child.kill(signal));
      expect(code).toBe(expected);
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

describe('where the configuration is broken', () => {
  const broken = `${testConfig(COMMANDS)}\nagents: 7\n`;

  async function homeOfGateway(): Promise<TestFolder> {
    const folder = new TestFolder();
    onTestFinished(() => folder[Symbol.dispose]());
    await using _ = await TestGateway.start({ folder, config: COMMANDS });
    return folder;
  }

  test('commands run by the last one that a gateway here ran on, and the first mistake is named', async () => {
    const folder = await homeOfGateway();
    folder.writeConfig(broken);
    for (const named of [['--config', folder.configPath], []]) {
      const { code, stdout, stderr } = await runCli(
        ['exec', 'up', '--home', folder.home, ...named],
        folder.path,
      );
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'up\n' });
      expect(stderr).toMatch(
        new RegExp(
          `^running on the last good configuration of ${folder.configPath}, because: ${folder.configPath}:\\d+:\\d+ agents: .*\nno gateway is running: run by this process\n$`,
        ),
      );
    }
    const list = await runCli(['exec', '--home', folder.home, '--json'], folder.path);
    expect(list.json).toMatchObject({
      ...{ offline: true, warning: expect.stringContaining('last good configuration of') },
      commands: [{ name: 'up' }, { name: 'slow' }, { name: 'count' }],
    });
  });

  test('another file that somebody names is not exchanged for the last good one', async () => {
    const folder = await homeOfGateway();
    const other = `${folder.path}/other.yaml`;
    writeFileSync(other, broken);
    for (const [args, env] of [
      [['--config', other], {}],
      [[], { SLUICE_CONFIG: other }],
    ] as const) {
      const told = await runCli(['exec', 'up', '--home', folder.home, ...args], folder.path, env);
      expect(told).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(`^sluice: ${other}:`),
      });
    }
  });

  test('one that merely lies in the folder gives way to the file of the gateway of this home', async () => {
    const folder = await homeOfGateway();
    using elsewhere = new TestFolder();
    elsewhere.writeConfig(broken);
    expect(await runCli(['exec', 'up', '--home', folder.home], elsewhere.path)).toMatchObject({
      ...{ code: 0, stdout: 'up\n' },
      stderr: expect.stringContaining(
        `running on ${folder.configPath}, which the gateway of this home uses, not on ${elsewhere.configPath}\n`,
      ),
    });
  });

  test('and no gateway ever ran here, all mistakes are told', async () => {
    using folder = folderWith('agents: 7');
    expect(await exec(folder, 'up')).toMatchObject({ code: 1, stdout: '' });
  });
});

describe('in another folder than the gateway of the home was started in', () => {
  const other = testConfig('quick_commands:\n  up: { type: exec, command: "echo another up" }');

  test.each([
    ['was stopped', (gateway: TestGateway) => gateway.cli('stop')],
    ['was killed', (gateway: TestGateway) => gateway.kill9()],
  ])('its file counts after it %s, for the command, the list and the completion', async (_, end) => {
    await using gateway = await TestGateway.start({ config: COMMANDS });
    await end(gateway);
    const { folder } = gateway;
    using empty = new TestFolder();
    using elsewhere = new TestFolder();
    elsewhere.writeConfig(other);
    for (const { path } of [empty, elsewhere]) {
      const asked = (...words: string[]) => runCli([...words, '--home', folder.home], path);
      expect(await asked('exec', 'up')).toMatchObject({ code: 0, stdout: 'up\n' });
      expect((await asked('exec')).stdout).toBe('/up (owners)\n/slow (owners)\n/count (owners)\n');
      expect((await asked('completion', '--names')).stdout).toMatch(/^up\t.*\nslow\t.*\ncount\t.*\n$/);
    }
  });

  test('its last good configuration counts where its file is gone', async () => {
    await using gateway = await TestGateway.start({ config: COMMANDS });
    await gateway.kill9();
    const { folder } = gateway;
    rmSync(folder.configPath);
    using elsewhere = new TestFolder();
    elsewhere.writeConfig(other);
    expect(await runCli(['exec', 'up', '--home', folder.home], elsewhere.path)).toMatchObject({
      ...{ code: 0, stdout: 'up\n' },
      stderr: expect.stringMatching(
        `^running on the last good configuration of ${folder.configPath}, because: .*\nno gateway is running: run by this process\n$`,
      ),
    });
  });

  test('and none was, the folder has its say, and a quickstart is called one', async () => {
    using folder = folderWith(COMMANDS);
    using elsewhere = new TestFolder();
    expect((await runCli(['exec', 'up', '--home', folder.home], folder.path)).stdout).toBe('up\n');
    const quickstart = 'running on the built-in quickstart: no other configuration was found\n';
    const none = { XDG_CONFIG_HOME: elsewhere.path };
    for (const words of [['exec', 'hi'], ['exec']]) {
      const { stderr } = await runCli([...words, '--home', folder.home], elsewhere.path, none);
      expect(stderr, words.join(' ')).toContain(quickstart);
    }
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

describe('beside a gateway that was started since', () => {
  const HOLD = 'quick_commands: { hold: { type: exec, command: "cat hold; exit 0", timeout: 120 } }';

  /** The command line that runs `/hold` itself, the gateway beside it, and the id of the command. */
  async function heldBeside() {
    const folder = folderWith(HOLD);
    onTestFinished(() => folder[Symbol.dispose]());
    folder.fifo('hold');
    await (await TestGateway.start({ folder })).stop();
    const flags = ['--id', 'held', '--home', folder.home, '--config', folder.configPath];
    const cli = new RunningCli(['exec', 'hold', ...flags], folder.path);
    onTestFinished(() => cli[Symbol.asyncDispose]());
    const id = await polled(() => {
      const [row] = storeRows(folder.home, 'SELECT id FROM commands') as { id: string }[];
      return row && survivors(row.id).length >= 2 ? row.id : undefined;
    }, 'its command');
    const gateway = await TestGateway.start({ folder });
    onTestFinished(() => gateway[Symbol.asyncDispose]());
    return { folder, cli, gateway, id };
  }

  test('what a killed command line ran is ended in a while, and whoever asks for it is told', async () => {
    const { cli, gateway, id } = await heldBeside();
    cli.signal('SIGKILL');
    await cli.result();
    expect(await gateway.outcome('held')).toMatchObject({
      ...{ duplicate: true, outcome: 'interrupted', outcomeReason: 'cli-died' },
      replies: [expect.stringContaining('The `sluice exec` that ran /hold was ended before it.')],
    });
    expect(survivors(id)).toEqual([]);
  });

  test('what a living one runs is left alone, and discard names its process', async () => {
    const { folder, cli, gateway } = await heldBeside();
    const [{ pid }] = storeRows(folder.home, "SELECT pid FROM lives WHERE kind = 'cli'") as [{ pid: number }];
    const refused = await gateway.cli('messages', 'discard', 'held');
    expect(refused).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(`by pid ${pid}, a \`sluice exec\``),
    });
    await folder.release('hold');
    expect(await cli.result()).toMatchObject({ code: 0 });
    expect(await gateway.outcome('held')).toMatchObject({ outcome: 'ran' });
  });
});

test('of several processes of one id that knock at once one runs it, and no other says that it does', async () => {
  await using gateway = await TestGateway.start({ config: COMMANDS });
  await gateway.stop();
  const { folder } = gateway;
  const all = await Promise.all([1, 2, 3, 4, 5].map(() => exec(folder, 'count', '--id', 'same')));
  expect(readFileSync(`${folder.path}/counted`, 'utf8')).toBe('ran\n');
  const ran = all.filter(({ stderr }) => stderr.includes('run by this process'));
  expect(ran).toHaveLength(1);
  for (const { stderr } of all.filter((one) => !ran.includes(one))) {
    expect(stderr).toMatch(
      /^(no gateway is running: what became of same before|It (is running|was taken) .*Nothing was done twice)/,
    );
  }
});
