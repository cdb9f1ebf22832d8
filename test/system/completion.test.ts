/** The scripts of `sluice completion`, run by the shells they are for; and the lists that people find commands by. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanEnvironment, runCli, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { startWithStandIn } from '../support/stand-in/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';

const ENTRY = process.env.SLUICE_TEST_ENTRY ?? fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const COMMANDS = `quick_commands:
  gpu: { type: exec, command: "true", description: "what the GPUs do", allow: [user] }
  logs:
    type: exec
    command: 'echo "$LINES"'
    args:
      LINES: { default: "20", pattern: "^[0-9]+$" }
      LEVEL: { choices: [debug, info], required: true }
      WORDS: { rest: true }
  bare: { type: exec, command: "true" }
  g: { type: alias, target: "/gpu" }
  r: { type: alias, target: "/restart" }`;

let folder: TestFolder;
beforeAll(() => {
  folder = new TestFolder();
  folder.writeConfig(testConfig(COMMANDS));
  const bin = join(folder.path, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'sluice'), `#!/bin/sh\nexec '${process.execPath}' '${ENTRY}' "$@"\n`);
  chmodSync(join(bin, 'sluice'), 0o755);
});
afterAll(() => folder[Symbol.dispose]());

/** What a shell prints for a script, with `sluice` on its path. */
function shell(program: string, args: readonly string[], script: string): string {
  const path = join(folder.path, `script.${program}`);
  writeFileSync(path, script);
  const env = cleanEnvironment({
    PATH: `${join(folder.path, 'bin')}:${process.env.PATH}`,
    HOME: folder.path,
  });
  const { stdout, stderr, error } = spawnSync(program, [...args, path], {
    cwd: folder.path,
    env,
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  expect(stderr).toBe('');
  return stdout;
}

const has = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

/** Lines to be completed, and what is offered. `HERE` names home and configuration. */
const LINES: readonly (readonly [line: readonly string[], offered: readonly string[]])[] = [
  [['re'], ['reload', 'restart']],
  [['HERE', 'sta'], ['status']],
  [
    ['HERE', 'exec', ''],
    ['bare', 'g', 'gpu', 'logs'],
  ],
  [['exec', 'HERE', 'l'], ['logs']],
  [['exec', '--ex'], ['--exit-code']],
  // A quick command may have the name of one of ours.
  [['exec', 'logs', '--can'], ['--cancel']],
  [['drain', '--cancel', '--w'], ['--wait']],
  [
    ['messages', 'list', '--state', ''],
    ['open', 'settled'],
  ],
  [['messages', 'list', 'HERE', '--outcome', 'an'], ['answered']],
  [['messages', 'list', '--limit', ''], []],
  [['config', 'pl'], ['plan']],
  [['config', 'check', 'sluice.y'], ['sluice.yaml']],
  [
    ['completion', ''],
    ['bash', 'fish', 'zsh'],
  ],
];

const wordsOf = (line: readonly string[]): string[] => [
  'sluice',
  ...line.flatMap((word) =>
    word === 'HERE' ? ['--home', folder.home, '--config', folder.configPath] : word,
  ),
];

const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ');

/** The words that each line of a shell's answer offers, in an order of their own. */
const offersIn = (answer: string): string[][] =>
  answer
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').filter(Boolean).toSorted());

describe('the names of quick commands, commands and options are completed', () => {
  test('by bash', () => {
    const lines = LINES.map(
      ([line]) =>
        `COMP_WORDS=(${quoted(wordsOf(line))}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _sluice; echo "\${COMPREPLY[*]}"`,
    );
    // The completion has to be there, not just the function.
    const script = ['set -u', 'eval "$(sluice completion bash)"', 'complete -p sluice', ...lines].join('\n');
    const [registered, ...offers] = offersIn(shell('bash', ['--norc'], script));
    expect(registered).toEqual(['-F', '-o', '_sluice', 'bashdefault', 'complete', 'sluice']);
    expect(offers).toEqual(LINES.map(([, offered]) => offered));
  });

  test.runIf(has('zsh'))(`by zsh${has('zsh') ? '' : ' (skipped: there is none)'}`, () => {
    // What zsh's own completion does with what it is told: it keeps what begins like the word.
    const stubs = `compdef() { registered="$*" }
offer() { local each; for each in "$@"; do each=\${each%%:*}; [[ $each == "\${words[CURRENT]}"* ]] && said+=("$each"); done }
compadd() { shift; offer "$@" }
_describe() { offer "\${(@P)2}" }
_files() { offer *(N) }`;
    const lines = LINES.map(
      ([line]) => `words=(${quoted(wordsOf(line))}); CURRENT=$#words; said=(); _sluice; print -r -- "$said"`,
    );
    const script = [stubs, 'eval "$(sluice completion zsh)"', 'print $registered', ...lines].join('\n');
    const [registered, ...offers] = offersIn(shell('zsh', ['-f'], script));
    expect(registered).toEqual(['_sluice', 'sluice']);
    expect(offers).toEqual(LINES.map(([, offered]) => offered));
  });

  test.runIf(has('fish'))(`by fish${has('fish') ? '' : ' (skipped: there is none)'}`, () => {
    const lines = LINES.map(
      ([line]) => `echo (complete -C ${quoted([wordsOf(line).join(' ')])} | string split -f1 \\t)`,
    );
    const script = ['sluice completion fish | source', ...lines].join('\n');
    const offers = offersIn(shell('fish', ['--no-config'], script));
    expect(offers).toEqual(LINES.map(([, offered]) => offered));
  });

  test('from the gateway where one runs, though its file says something else by now', async () => {
    await using gateway = await TestGateway.start({ config: COMMANDS });
    gateway.folder.writeConfig(testConfig('quick_commands: { later: { type: exec, command: "true" } }'));
    expect(await gateway.cli('completion', '--names')).toMatchObject({
      code: 0,
      stdout: 'gpu\twhat the GPUs do\nlogs\t\nbare\t\ng\tsame as /gpu\n',
    });
    await gateway.cli('reload');
    expect((await gateway.cli('completion', '--names')).stdout).toBe('later\t\n');
  });

  test('or not at all where a configuration cannot be read, without a word', async () => {
    using broken = new TestFolder();
    broken.writeConfig('quick_commands: [');
    const args = ['completion', '--names', '--home', broken.home, '--config', broken.configPath];
    expect(await runCli(args, broken.path)).toMatchObject({ code: 1, stdout: '', stderr: '' });
  });

  test('and a shell that has no script is wrong usage', async () => {
    for (const args of [['completion'], ['completion', 'tcsh']]) {
      expect(await runCli(args, folder.path)).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(/bash, zsh, fish/),
      });
    }
  });
});

const LOGS = `/logs [LINES] LEVEL [WORDS…] (owners)
  LINES: must match ^[0-9]+$; "20" unless given
  LEVEL: one of debug, info; must be given
  WORDS: takes all words that are left`;

const LIST = `/gpu: what the GPUs do (owners and users)
${LOGS}
/bare (owners)
/g: same as /gpu (owners)`;

describe('quick commands are listed with their arguments, what they are for, and who may', () => {
  test('by sluice exec without a name, with a gateway and without one', async () => {
    const args = ['exec', '--home', folder.home, '--config', folder.configPath];
    expect(await runCli(args, folder.path)).toMatchObject({
      code: 0,
      stdout: `${LIST}\n`,
      stderr: 'No gateway answers: these are the ones of the configuration.\n',
    });
    await using gateway = await TestGateway.start({ config: COMMANDS });
    expect(await gateway.cli('exec')).toMatchObject({ code: 0, stdout: `${LIST}\n`, stderr: '' });
    const [online, offline] = [await gateway.cli('exec', '--json'), await runCli([...args, '--json'], '/')];
    expect(online.json).toMatchObject({
      offline: false,
      commands: [
        { name: 'gpu', kind: 'exec', usage: '', allow: ['owner', 'user'] },
        {
          name: 'logs',
          usage: '[LINES] LEVEL [WORDS…]',
          allow: ['owner'],
          args: [
            { name: 'LINES', required: false, default: '20', pattern: '^[0-9]+$', choices: null },
            { name: 'LEVEL', required: true, default: null, choices: ['debug', 'info'] },
            { name: 'WORDS', rest: true },
          ],
        },
        { name: 'bare' },
        { name: 'g', kind: 'alias' },
      ],
    });
    expect(offline.json).toEqual({ ...online.json, offline: true });
  });

  test('by /commands and /help in a chat, to each what they may use', async () => {
    await using server = await StandInServer.start();
    const config = `${COMMANDS}\naccess: { owners: ["standin:ann"], users: ["standin:uma"] }`;
    await using gateway = await startWithStandIn(server, { config });
    const answer = async (from: string, text: string) => {
      await server.deliver({ id: `${from} ${text}`, from, text });
      await server.until(() => of(from).length === 1, 'the answer');
      return of(from).splice(0)[0];
    };
    const of = (from: string) => server.sent.filter(({ conversation }) => conversation === `standin:${from}`);
    const { json } = await gateway.send('/commands');
    expect(json.replies).toEqual([`${LIST}\n/r: same as /restart (owners)`]);
    expect((await answer('uma', '/commands'))?.text).toBe('/gpu: what the GPUs do (owners and users)');
    const help = (await gateway.send('/help')).json.replies[0];
    expect(help).toContain('/logs [LINES] LEVEL [WORDS…] (owners)\n/bare (owners)\n');
    expect(help).toContain('\n/restart [now]: restart when the work is done, or now (owners)\n');
    expect(help).toContain('\n/status: what the gateway is doing (owners and users)\n');
  });

  test('and a configuration without any says so', async () => {
    await using gateway = await TestGateway.start({ config: '' });
    expect((await gateway.send('/commands')).json.replies).toEqual([
      'There are no quick commands. They are written under quick_commands in the configuration.',
    ]);
    expect((await gateway.cli('exec')).stdout).toBe('There are no quick commands here.\n');
  });
});
