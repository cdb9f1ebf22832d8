/**
 * What people write after a command, on its whole way to a real program: as environment variables of a shell's text and
 * as items of a list. Whatever it is, the program gets exactly that; nothing else is started and no file is made.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { ArgSpec, CommandLine } from '../../src/config/schema.ts';
import { bindArguments } from '../../src/messages/arguments.ts';
import { quoteWords } from '../../src/messages/words.ts';
import { commandEnvironment } from '../../src/process/environment.ts';
import { createProcesses } from '../../src/process/exec.ts';

/** A process for each of 10,000 strings would take minutes; a hundred arguments are judged one by one all the same. */
const STRINGS_PER_RUN = 100;
const RUNS = 100;

const args: readonly ArgSpec[] = Array.from({ length: STRINGS_PER_RUN }, (_, index) => ({
  name: `A${index}`,
  required: false,
  rest: false,
}));

const COMMANDS: Readonly<Record<string, CommandLine>> = {
  'a text for a shell': `printf '%s\\0' ${args.map(({ name }) => `"$${name}"`).join(' ')}`,
  'a list': ['./printf', '--', '%s\\0', ...args.map(({ name }) => `$${name}`)],
};

/** Whoever is started from here says so by a file beside it. */
const TRAPS = ['touch', 'rm', 'cat', 'id', 'sleep', 'reboot', 'sh', 'env', 'ls', 'echo-it', '-rf', '--help'];

let folder = '';
let traps = '';
const processes = createProcesses(systemClock);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-injection-'));
  traps = join(folder, 'bin');
  mkdirSync(traps);
  mkdirSync(join(folder, 'cwd'));
  symlinkSync('/usr/bin/printf', join(folder, 'cwd', 'printf'));
  for (const name of TRAPS) {
    writeFileSync(join(traps, name), `#!/bin/sh\n: > "${folder}/cwd/started-$$"\n`, { mode: 0o755 });
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Pieces that mean something to a shell, to `printf` or to a parser of options, and texts of any characters. */
const fragment = fc.oneof(
  fc.constantFrom(
    ...[
      '$(touch x)',
      '`touch x`',
      '; touch x',
      '&& touch x',
      '| cat > x',
      '> x',
      '>> x',
      '< x',
      '& touch x &',
    ],
    ...[
      '\n',
      '\r\n',
      '\ntouch x\n',
      '\0',
      '"',
      "'",
      "'\"'",
      '\\',
      '\\\n',
      '\u0024{IFS}',
      '$IFS',
      '$A1',
      '\u0024{A1}',
      '$$',
    ],
    ...[
      '$(< /etc/passwd)',
      '<(touch x)',
      '$((1+1))',
      '#',
      '!!',
      '~',
      '*',
      '?',
      '[a-z]',
      '{a,b}',
      '=',
      'A1=',
      ' ',
    ],
    ...[
      '-',
      '--',
      '-rf',
      '--help',
      '-c',
      '-e',
      '%s',
      '%n',
      '\\0',
      '\\x00',
      '\u001b[31m',
      '\u202e',
      'ü',
      '🦀',
      '\u0000',
    ],
    ...[
      'eval',
      'exec',
      '() { :;}; touch x',
      'touch',
      '/usr/bin/touch x',
      '; /bin/sh -c "touch x"',
      '|& touch x',
    ],
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
);
const word = fc.array(fragment, { maxLength: 6 }).map((pieces) => pieces.join(''));

async function printedBy(command: CommandLine, values: Readonly<Record<string, string>>): Promise<string> {
  const result = await processes.start({
    command,
    cwd: join(folder, 'cwd'),
    env: commandEnvironment({ PATH: traps }, [], values),
    workId: `injection-${process.pid}`,
    timeoutMs: 60_000,
    graceMs: 1_000,
    outputBytesMax: 1_000_000,
  }).result;
  expect(result).toMatchObject({ started: true, exitCode: 0, stderr: '', cutBytes: 0, leftovers: 0 });
  return result.stdout;
}

test.for(Object.entries(COMMANDS))(
  '10,000 strings reach the program as they are, start nothing and make no file: %s',
  { timeout: 120_000 },
  async ([, command]) => {
    let withNul = 0;
    let handedOver = 0;
    const words = fc.array(word, { minLength: STRINGS_PER_RUN, maxLength: STRINGS_PER_RUN });
    const holds = fc.asyncProperty(words, async (given) => {
      const nulFree = given.map((text) => {
        if (!text.includes('\0')) return text;
        // By itself, as a person would send it: refused, so that nothing is started.
        expect(bindArguments({ args, command }, quoteWords([text]))).toMatchObject({ ok: false });
        withNul += 1;
        return text.replaceAll('\0', '␀');
      });
      const bound = bindArguments({ args, command }, quoteWords(nulFree.map((text, n) => `A${n}=${text}`)));
      if (!bound.ok) throw new Error(bound.problem);
      expect(await printedBy(bound.command, bound.values)).toBe(nulFree.map((text) => `${text}\0`).join(''));
      expect(readdirSync(join(folder, 'cwd'))).toEqual(['printf']);
      handedOver += given.length;
    });
    await fc.assert(holds, { numRuns: RUNS });
    expect(handedOver).toBe(RUNS * STRINGS_PER_RUN);
    expect(withNul).toBeGreaterThan(0);
  },
);

test('what would be read by a shell does start something here, so that the traps are known to close', async () => {
  const [file, ...words] = ['/bin/sh', '-c', 'touch x'];
  await printedBy([file, ...words], {});
  const found = readdirSync(join(folder, 'cwd')).filter((name) => name.startsWith('started-'));
  expect(found).toHaveLength(1);
  rmSync(join(folder, 'cwd', found[0] ?? ''));
});
