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
  ])('%s', (_, more, reply) => {
    expect(commandReply('up', result(more), 'it took too long')).toBe(reply);
  });

  test('has no terminal escapes, and says how much is cut', () => {
    const output = outputOf(result({ stdout: '\u001b[31mred\u001b[0m\u001b]0;title\u0007', cutBytes: 1 }));
    expect(output).toBe('red\n[1 byte cut from the middle]');
  });
});
