import { describe, expect, test } from 'vitest';
import { type CommandResult, commandReply, outputOf } from '../../src/messages/command-reply.ts';

const result = (more: Partial<CommandResult> = {}): CommandResult => ({
  started: true,
  exitCode: 0,
  signal: null,
  ended: null,
  stdout: '',
  stderr: '',
  cutBytes: 0,
  durationMs: 1234,
  leftovers: 0,
  ...more,
});

describe('the reply to a command', () => {
  test.each<[string, Partial<CommandResult>, string]>([
    ['that printed nothing', {}, '/up: done, no output.'],
    ['that printed line breaks only', { stdout: '\n\n' }, '/up: done, no output.'],
    ['that printed', { stdout: 'out\n' }, 'out'],
    ['that printed to stderr', { stderr: 'err\n' }, 'err'],
    ['that printed to both', { stdout: 'out\n', stderr: 'err\n' }, 'out\nerr'],
    ['that failed', { exitCode: 7 }, '/up failed: exit code 7 after 1.2 s.'],
    [
      'that printed and failed',
      { stdout: 'out\n', exitCode: 1 },
      'out\n/up failed: exit code 1 after 1.2 s.',
    ],
    ['that a signal ended', { exitCode: null, signal: 'SIGSEGV' }, '/up ended by SIGSEGV after 1.2 s.'],
    [
      'that took too long',
      { exitCode: null, signal: 'SIGTERM', ended: 'timeout', durationMs: 30_400 },
      '/up was ended after 30 s: it took too long.',
    ],
    [
      'that exited well when it was told to end',
      { ended: 'cancelled', stdout: 'bye' },
      'bye\n/up was ended after 1.2 s: it took too long.',
    ],
    [
      'that could not be started',
      { started: false, startError: { code: 'ENOENT', message: 'up was not found' } },
      '/up could not be started: up was not found. Check quick_commands.up.',
    ],
    [
      'whose words no program can be handed',
      { started: false, startError: { code: 'E2BIG', message: 'The arguments are longer than allowed.' } },
      '/up could not be started: The arguments are longer than allowed. Send it less, or check quick_commands.up.',
    ],
    [
      'that ended well and left somebody at its output',
      { stdout: 'started\n', leftovers: 1 },
      'started\n/up left a process that held its output: ended. To keep it, send its output elsewhere (>/dev/null 2>&1).',
    ],
    [
      'that failed and left several',
      { exitCode: 1, leftovers: 2 },
      '/up failed: exit code 1 after 1.2 s.\n/up left 2 processes that held its output: ended. To keep it, send its output elsewhere (>/dev/null 2>&1).',
    ],
  ])('%s', (_, more, reply) => {
    expect(commandReply('up', result(more), 'it took too long')).toBe(reply);
  });

  test('has no terminal escapes, and says how much is cut', () => {
    const output = outputOf(result({ stdout: '\u001b[31mred\u001b[0m\u001b]0;title\u0007', cutBytes: 1 }));
    expect(output).toBe('red\n[1 byte cut from the middle]');
  });

  test.each<[string, string, string]>([
    ['colours and a title', '\u001b[31mred\u001b[0m\u001b]0;title\u0007', 'red'],
    ['a link', '\u001b]8;;http://a.b\u001b\\text\u001b]8;;\u001b\\', 'text'],
    ['an image and a private message', '\u001bPq#0;2~\u001b\\a\u001b_secret\u001b\\b', 'ab'],
    ['a progress bar', '10%\r50%\r100%\r\n', '10%\n50%\n100%'],
    ['lines of another system', 'a\r\nb\r\n', 'a\nb'],
    ['binary output', 'ELF\0\u0001\u007f\u0085\ufffd', 'ELF\ufffd'],
    ['a bell, a backspace and half a sequence', 'a\u0007b\bc\u001b', 'abc'],
    ['a table', 'a\tb\n', 'a\tb'],
  ])('is plain text: %s', (_, stdout, text) => {
    expect(outputOf(result({ stdout }))).toBe(text);
  });

  test('half a megabyte of beginnings of sequences is read in time that grows with its length alone', () => {
    const startedMs = performance.now();
    for (const piece of ['\u001b]', '\u001b[', '\u001bP1', '\u001b ', '\u009b', '\r', '1;', ' ']) {
      outputOf(result({ stdout: `\u001b[${piece.repeat(250_000)}` }));
    }
    // Some milliseconds; a look at each pair of characters would take minutes.
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});
