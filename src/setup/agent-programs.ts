/** Finds agent programs on PATH, and knows how each takes one question on its standard input and prints the answer. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Candidate } from './candidates.ts';

interface Known {
  readonly name: string;
  /** After the program itself. */
  readonly words: readonly string[];
  readonly about: string;
}

/** In the order in which they are offered: those first that only answer unless they are allowed more. */
const PROGRAMS: readonly Known[] = [
  { name: 'claude', words: ['--print'], about: 'Claude Code' },
  { name: 'codex', words: ['exec', '--skip-git-repo-check', '-'], about: 'Codex CLI' },
  { name: 'gemini', words: [], about: 'Gemini CLI' },
  { name: 'opencode', words: ['run'], about: 'opencode' },
  { name: 'goose', words: ['run', '--quiet', '--no-session', '--instructions', '-'], about: 'goose' },
  { name: 'llm', words: [], about: 'llm, with its default model' },
  {
    name: 'aider',
    words: ['--message-file', '/dev/stdin', '--no-pretty', '--no-check-update', '--yes-always'],
    about: 'aider, which edits and commits files of its folder',
  },
];

/** The programs that are there, each with its whole path: a service has another PATH than a shell. */
export function findAgentPrograms(path: string | undefined): Extract<Candidate, { kind: 'program' }>[] {
  const folders = (path ?? '').split(delimiter).filter(isAbsolute);
  return PROGRAMS.flatMap(({ name, words, about }) => {
    const found = folders.map((folder) => join(folder, name)).find(isProgram);
    return found === undefined ? [] : [{ kind: 'program', name, command: [found, ...words], about }];
  });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
