/** The help of each command: what it is, its options, examples that are lines of it, and exit codes. */
import { expect, test } from 'vitest';
import type { Cli } from '../../src/cli/context.ts';
import { EXAMPLES } from '../../src/cli/help.ts';
import { createOutput } from '../../src/cli/output.ts';
import { runProgram } from '../../src/cli/program.ts';
import type { RunHost } from '../../src/cli/run.ts';

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

/** The commands that a help lists. */
const listed = (text: string): string[] =>
  (text.split('Commands:\n')[1] ?? '').split('\n').flatMap((line) => /^ {2}(\w+)/.exec(line)?.[1] ?? []);

async function commands(): Promise<string[]> {
  const top = listed(await help()).filter((name) => name !== 'help');
  const below = listed(await help('config')).filter((name) => name !== 'help');
  return [...top.filter((name) => name !== 'config'), ...below.map((name) => `config ${name}`)];
}

test('every command has examples, and there are none of others', async () => {
  const names = await commands();
  expect(names.length).toBeGreaterThan(12);
  expect(Object.keys(EXAMPLES).sort()).toEqual(names.sort());
});

test('the help of a command shows what it is, its options, its examples and its exit codes', async () => {
  for (const name of await commands()) {
    const text = await help(...name.split(' '));
    expect(text, name).toMatch(/^Usage: sluice /);
    expect(text).toContain('--home <dir>');
    for (const [line, meaning] of EXAMPLES[name] ?? [])
      expect(text).toContain(`  ${line}\n      ${meaning}\n`);
    expect(text).toMatch(/\nExit code: .+\.\n$/s);
  }
});

test('the options of an example are options of its command', async () => {
  for (const [name, examples] of Object.entries(EXAMPLES)) {
    const text = await help(...name.split(' '));
    for (const [line] of examples) {
      expect(line).toMatch(new RegExp(`^sluice ${name}(?= |$)`));
      const [own = ''] = line.split(/ [|<>] /);
      for (const [option] of own.matchAll(/(?<= )--?[a-z][a-z-]*/g)) expect(text, line).toContain(option);
    }
  }
});
