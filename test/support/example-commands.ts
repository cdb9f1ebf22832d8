/** A few quick commands as a configuration gives them, for tests of what is done with them. */
import type { AliasCommand, ExecCommand, QuickCommand } from '../../src/config/schema.ts';

export const execCommand = (name: string, more: Partial<ExecCommand> = {}): ExecCommand => ({
  type: 'exec',
  name,
  command: `echo ${name}`,
  timeoutMs: 30_000,
  graceMs: 2000,
  cwd: '/',
  env: [],
  concurrency: 1,
  allow: ['owner'],
  args: [],
  description: '',
  ...more,
});

const aliasCommand = (name: string, target: string): AliasCommand => ({
  type: 'alias',
  name,
  target,
  allow: ['owner'],
  description: '',
});

/** Without a prototype, as a configuration has it. */
export const exampleCommands: Readonly<Record<string, QuickCommand>> = Object.assign(Object.create(null), {
  up: execCommand('up'),
  'restart-sglang': execCommand('restart-sglang'),
  shared: execCommand('shared', { allow: ['owner', 'user'] }),
  short: aliasCommand('short', '/up'),
});
