import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { LOG_BEHIND_BYTES_MAX } from '../../src/cli/output.ts';
import { textOnly } from '../../src/telemetry/terminal-text.ts';

const OUTPUT = JSON.stringify(new URL('../../src/cli/output.ts', import.meta.url).href);

/** A program that writes with the output under test. */
function program(body: string, command: readonly string[] = []) {
  const source = `const { createOutput } = await import(${OUTPUT});
const output = createOutput(process.stdout, process.stderr, process.env);
${body}`;
  const [file = '', ...args] = [...command, process.execPath];
  return spawn(file, [...args, '--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'pipe'] });
}

test('an answer larger than a pipe reaches a reader who takes it late, before the process leaves', async () => {
  const child = program(`output.print('x'.repeat(1_000_000)); output.note('written');
await output.flushed(); process.exit(0);`);
  // Nothing is read before all is written: most of it has to wait for the reader.
  await once(child.stderr, 'data');
  expect((await text(child.stdout)).length).toBe(1_000_001);
});

test('a reader who goes away keeps nobody, and is noticed', async () => {
  const child = program(`process.stdout.on('error', async () => {
  await output.flushed(); output.note(String(output.closed)); await output.flushed(); process.exit(0);
});
output.print('x'.repeat(1_000_000));`);
  await once(child.stdout, 'readable');
  child.stdout.destroy();
  expect(await text(child.stderr)).toBe('true\n');
});

test.skipIf(!existsSync('/dev/full'))('an answer that a full disk does not take is a failure', async () => {
  const child = program(
    `output.print('answer'); await output.flushed(); output.note(String(output.failure?.code)); process.exit(0);`,
    ['sh', '-c', 'exec "$0" "$@" > /dev/full'],
  );
  expect(await text(child.stderr)).toBe('ENOSPC\n');
});

test.skipIf(!existsSync('/dev/full'))(
  'also when it is many lines, and the command goes on after it',
  async () => {
    const child = program(
      `for (let n = 0; n < 3; n += 1) { output.print('answer'); await new Promise((resolve) => setTimeout(resolve, 0)); }
await output.flushed(); output.note(String(output.failure?.code)); process.exit(0);`,
      ['sh', '-c', 'exec "$0" "$@" > /dev/full'],
    );
    expect(await text(child.stderr)).toBe('ENOSPC\n');
  },
);

test('a closed pipe is no failure', async () => {
  const child = program(`process.stdout.on('error', async () => {
  output.note(String(output.failure)); await output.flushed(); process.exit(0);
});
output.print('x'.repeat(1_000_000));`);
  await once(child.stdout, 'readable');
  child.stdout.destroy();
  expect(await text(child.stderr)).toBe('undefined\n');
});

test('a log that nobody reads is bounded, and says how much it left out', async () => {
  const line = 1024;
  const tooMany = LOG_BEHIND_BYTES_MAX / line + 1000;
  const child = program(`for (let n = 0; n < ${tooMany}; n += 1) output.log('x'.repeat(${line - 1}) + '\\n');
output.print('done'); await output.flushed(); output.log('last\\n'); await output.flushed(); process.exit(0);`);
  await once(child.stdout, 'data');
  const lines = (await text(child.stderr)).trimEnd().split('\n');
  const { leftOut, msg } = JSON.parse(lines.at(-2) ?? '');
  expect({ msg, last: lines.at(-1) }).toEqual({ msg: 'log lines left out', last: 'last' });
  expect(lines.length - 2 + leftOut).toBe(tooMany);
  expect(leftOut).toBeGreaterThan(500);
});

test.skipIf(process.platform !== 'linux')('a terminal gets text only, a pipe every byte', async () => {
  const agent = JSON.stringify('\x1b]0;owned\x07 red \x1b[31m\u009b2J back\b\rline\n\ttab');
  const body = `output.write(${agent}); output.note(${agent}); await output.flushed(); process.exit(0);`;
  const piped = program(body);
  expect(await text(piped.stdout)).toBe(JSON.parse(agent));
  const quoted = `'${process.execPath}' --input-type=module -e "$BODY"`;
  const source = `const { createOutput } = await import(${OUTPUT});
const output = createOutput(process.stdout, process.stderr, process.env); ${body}`;
  const terminal = spawn('script', ['-qec', quoted, '/dev/null'], {
    env: { ...process.env, BODY: source },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  // The terminal itself turns each line break into two characters.
  expect(await text(terminal.stdout)).toBe(' red  backline\r\n\ttab red  backline\r\n\ttab\r\n');
});

test('of a sequence cut in two no control character is left', () => {
  expect(textOnly('a\x1b') + textOnly('[31mb')).toBe('a[31mb');
});
