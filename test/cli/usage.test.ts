/** What is wrong usage of the command line: it exits with 2 before anything is asked or done. */
import { describe, expect, test } from 'vitest';
import type { Cli } from '../../src/cli/context.ts';
import { createOutput } from '../../src/cli/output.ts';
import { runProgram } from '../../src/cli/program.ts';
import type { RunHost } from '../../src/cli/run.ts';

const silent = createOutput(process.stdout, process.stderr, {});

async function run(...argv: readonly string[]) {
  const out: string[] = [];
  const noted: string[] = [];
  const output = {
    ...silent,
    write: (text: string) => void out.push(text),
    print: (text: string) => void out.push(`${text}\n`),
    json: (value: unknown) => void out.push(JSON.stringify(value)),
    note: (text: string) => void noted.push(`${text}\n`),
  };
  // A home in which nothing can be: what gets past the reading of the line fails there.
  const env = { SLUICE_HOME: '/dev/null/home' };
  const cli: Cli = { env, cwd: '/', argv, version: '1.2.3', output, input: () => process.stdin };
  const result = await runProgram(cli, {} as RunHost);
  return { code: 'code' in result ? result.code : undefined, out: out.join(''), noted: noted.join('') };
}

describe('an empty value is wrong usage', () => {
  test.each([
    [['send', '']],
    [['send', '  ']],
    [['send', 'x', '--id', '']],
    [['send', 'x', '--id=']],
    [['send', 'x', '--agent', '']],
    [['send', 'x', '--conversation', ' ']],
    [['send', 'x', '--timeout', '']],
    [['chat', '--conversation', '']],
    [['exec', 'up', '--id', '']],
    [['exec', '--cancel', '']],
    [['drain', '--reason', '']],
    [['drain', '--for', '']],
    [['restart', '--timeout', '']],
    [['init', '--agent', '']],
    [['init', '--model', '']],
    [['logs', '--message', '']],
    [['logs', '--lines', '']],
    [['messages', 'list', '--outcome', '']],
    [['messages', 'discard', 'm_1', '--reason', '']],
    [['config', 'import', 'f', '--write', '']],
    [['status', '--home', '']],
    [['--home', '', 'status']],
    [['config', 'check', '--config', '']],
  ])('%j', async (argv) => {
    const { noted, ...ended } = await run(...argv);
    expect(ended).toEqual({ code: 2, out: '' });
    expect(noted).toMatch(/^error: .* '\s*' is invalid.* It is empty\.\n/);
  });

  test('with --json as a document', async () => {
    const { code, out } = await run('send', 'x', '--id', '', '--json');
    expect([code, JSON.parse(out)]).toMatchObject([2, { exitCode: 2, error: { code: 'USAGE' } }]);
  });
});

describe('--cancel stands alone', () => {
  test.each([
    [['exec', '--cancel', 'x', 'extra'], /--cancel takes an id alone, and 'extra' stands there as well/],
    [['exec', '--cancel', 'x', '--id', 'y'], /'--cancel <id>' cannot be used with option '--id <id>'/],
    [['exec', '--cancel', 'x', '--exit-code'], /cannot be used with option '--exit-code'/],
  ])('%j', async (argv, told) => {
    const { code, noted } = await run(...argv);
    expect(code).toBe(2);
    expect(noted).toMatch(told);
  });
});

describe('help for a command that is none is wrong usage', () => {
  test.each([
    [['bogus', '--help'], /unknown command 'bogus'/],
    [['statuz', '--help'], /unknown command 'statuz'\n\(Did you mean status\?\)/],
    [['messages', 'bogus', '-h'], /unknown command 'bogus'/],
    [['help', 'bogus'], /unknown command 'bogus'/],
    [['help', 'statuz'], /unknown command 'statuz'\n\(Did you mean status\?\)/],
    [['messages', 'help', 'bogus'], /unknown command 'bogus'/],
  ])('%j', async (argv, told) => {
    const { noted, ...ended } = await run(...argv);
    expect(ended).toEqual({ code: 2, out: '' });
    expect(noted).toMatch(told);
  });

  test.each([
    [['--help']],
    [['help']],
    [['help', 'run']],
    [['help', 'messages']],
    [['messages', 'help']],
    [['messages', 'help', 'list']],
    [['help', '--json']],
    [['--home', '/x', '--help']],
    [['messages', '--help']],
    [['messages', 'list', '--help']],
    [['exec', 'bogus', '--help']],
  ])('and of one that is there is help: %j', async (argv) => {
    const { code, out } = await run(...argv);
    expect(code).toBe(0);
    expect(out).toMatch(/^Usage: sluice /);
  });
});

test('an option that was meant for a quick command is handed on with every word beside it', async () => {
  expect((await run('exec', 'opt', 'x', '-a', 'y z')).noted).toMatch(
    /To give it to \/opt: (?:npx )?sluice exec opt -- x -a 'y z'\n$/,
  );
});
