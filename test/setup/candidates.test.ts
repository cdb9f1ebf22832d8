/** What is found in the environment: programs on PATH and keys by their names. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findAgentPrograms } from '../../src/setup/agent-programs.ts';
import { findApiKeys } from '../../src/setup/api-keys.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(name: string, mode = 0o755): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, '#!/bin/sh\n');
  chmodSync(path, mode);
  return path;
}

describe('agent programs', () => {
  test('are found with the words that make them take one question on stdin', () => {
    for (const name of ['llm', 'codex', 'claude', 'gemini', 'goose', 'opencode', 'aider']) program(name);
    const found = findAgentPrograms(folder).map(({ command }) => command.join(' '));
    expect(found).toEqual([
      `${folder}/claude --print`,
      `${folder}/codex exec --skip-git-repo-check -`,
      `${folder}/gemini`,
      `${folder}/opencode run`,
      `${folder}/goose run --quiet --no-session --instructions -`,
      `${folder}/llm`,
      `${folder}/aider --message-file /dev/stdin --no-pretty --no-check-update --yes-always`,
    ]);
  });

  test('are taken from the first folder that has a program of the name', () => {
    program('b/claude');
    const first = program('a/claude');
    const path = ['relative', join(folder, 'none'), join(folder, 'a'), join(folder, 'b')].join(':');
    expect(findAgentPrograms(path).map(({ command }) => command[0])).toEqual([first]);
  });

  test('are none that cannot be run, and no folders', () => {
    program('llm', 0o644);
    mkdirSync(join(folder, 'claude'));
    expect(findAgentPrograms(folder)).toEqual([]);
    expect(findAgentPrograms(undefined)).toEqual([]);
  });
});

describe('keys', () => {
  test('are found by the variable that is set, and never looked at', () => {
    const found = findApiKeys({ OPENROUTER_API_KEY: 'sk-secret', OPENAI_API_KEY: ' ', OTHER: 'x' });
    expect(found).toEqual([
      {
        kind: 'key',
        name: 'OpenRouter',
        variable: 'OPENROUTER_API_KEY',
        baseUrl: 'https://openrouter.ai/api/v1',
        models: ['openrouter/auto'],
      },
    ]);
    expect(JSON.stringify(found)).not.toContain('sk-secret');
  });
});
