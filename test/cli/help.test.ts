/** The help of each command: what it is, its options, examples that are lines of it, and exit codes. */
import { expect, test } from 'vitest';
import type { Cli } from '../../src/cli/context.ts';
import { EXAMPLES } from '../../src/cli/help.ts';
import { createOutput } from '../../src/cli/output.ts';
import { runProgram } from '../../src/cli/program.ts';
import type { RunHost } from '../../src/cli/run.ts';
import { newId } from '../../src/messages/ids.ts';

const silent = createOutput(process.stdout, process.stderr, {});

async function help(...words: readonly string[]): Promise<string> {
  let text = '';
  const output = {
    ...silent,
    write: (piece: string) => {
      text += piece;
    },
  };
  const cli: Cli = {
    env: {},
    cwd: '/',
    argv: [...words, '--help'],
    version: '1.2.3',
    output,
    input: () => process.stdin,
  };
  expect(await runProgram(cli, {} as RunHost)).toEqual({ code: 0 });
  return text;
}

/** Words that stand before other commands and do nothing alone. */
const GROUPS = ['config', 'messages'];

/** The commands that a help lists. */
const listed = (text: string): string[] =>
  (text.split('Commands:\n')[1]?.split('\n\n')[0] ?? '')
    .split('\n')
    .flatMap((line) => /^ {2}(\w+)/.exec(line)?.[1] ?? []);

async function commands(): Promise<string[]> {
  const top = listed(await help()).filter((name) => name !== 'help');
  const below = await Promise.all(
    GROUPS.map(async (group) => {
      const names = listed(await help(group)).filter((name) => name !== 'help');
      return names.map((name) => `${group} ${name}`);
    }),
  );
  return [...top, ...below.flat()];
}

/** The commands, and what stands above them: `sluice` itself. */
const all = async () => ['', ...(await commands())];

const wordsOf = (name: string) => name.split(' ').filter(Boolean);

test('every command has examples, and there are none of others', async () => {
  const names = await all();
  expect(names.length).toBeGreaterThan(12);
  expect(Object.keys(EXAMPLES).sort()).toEqual(names.sort());
});

test('the help of a command, of a group and of the program shows what it is, its options, its examples and its exit codes', async () => {
  for (const name of await all()) {
    const text = await help(...wordsOf(name));
    expect(text, name).toMatch(/^Usage: sluice /);
    expect(text).toContain(GROUPS.includes(name) ? '--help' : '--home <dir>');
    expect(EXAMPLES[name]?.length, `sluice ${name}`).toBeGreaterThan(1);
    for (const [line, meaning] of EXAMPLES[name] ?? [])
      expect(text).toContain(`  ${line}\n      ${meaning}\n`);
    expect(text).toMatch(/\nExit code: .+\.\n$/s);
  }
});

test('the exit codes of a command are those it can have', async () => {
  const codesOf = async (name: string) =>
    /Exit code: (.+)\.\n/.exec(await help(...wordsOf(name)))?.[1]?.match(/\d/g);
  expect(await codesOf('init')).toEqual(['0', '1', '2']);
  expect(await codesOf('config check')).toEqual(['0', '1', '2']);
  expect(await codesOf('status')).toEqual(['0', '1', '2', '4']);
  expect(await codesOf('logs')).toEqual(['0', '1', '2', '4']);
  expect(await codesOf('send')).toEqual(['0', '1', '2', '3', '4']);
  expect(await codesOf('messages retry')).toEqual(['0', '1', '2', '3']);
  expect(await codesOf('messages discard')).toEqual(['0', '1', '2', '3']);
});

test('the options of an example are options of its command', async () => {
  const names = await commands();
  for (const [name, examples] of Object.entries(EXAMPLES)) {
    for (const [line] of examples) {
      expect(line).toMatch(new RegExp(`^${['sluice', ...wordsOf(name)].join(' ')}(?= |$)`));
      // An example of a group is one of a command in it.
      const command = names.findLast((each) => line.startsWith(`sluice ${each}`)) ?? name;
      const text = await help(...wordsOf(command));
      const [own = ''] = line.split(/ [|<>] /);
      for (const [option] of own.matchAll(/(?<= )--?[a-z][a-z-]*/g)) expect(text, line).toContain(option);
    }
  }
});

test('the version is a document with --json, wherever that stands', async () => {
  for (const argv of [
    ['--version', '--json'],
    ['--json', '-V'],
  ]) {
    const said: unknown[] = [];
    const output = { ...silent, json: (value: unknown) => said.push(value) };
    const cli: Cli = { env: {}, cwd: '/', argv, version: '1.2.3', output, input: () => process.stdin };
    expect(await runProgram(cli, {} as RunHost)).toEqual({ code: 0 });
    expect(said).toEqual([{ version: '1.2.3' }]);
  }
});

test('an id in an example is one as the gateway gives them', () => {
  const shapeOf = (id: string) => id.replace(/[0-9a-z]/g, '0');
  const shown = Object.values(EXAMPLES).flatMap((examples) =>
    examples.flatMap(([line]) => /--message (\S+)/.exec(line)?.[1] ?? []),
  );
  expect(shown).not.toEqual([]);
  for (const id of shown) {
    expect(id[0]).toBe('m');
    expect(shapeOf(id)).toBe(shapeOf(newId('m', Date.UTC(2026, 0, 1))));
  }
});
