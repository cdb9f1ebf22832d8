/**
 * Why a program could not be started, in words that name the right thing. The system's own error does not: it
 * reports a missing working directory as a missing program, and a missing interpreter as a missing script.
 */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';

export interface StartFailure {
  /** The system's error code, such as ENOENT; EINVAL when the command itself is malformed. */
  readonly code: string;
  /** One sentence for people, with the path in it. */
  readonly message: string;
}

/** `code` and `message` are the system's, `file` the program as it was named. */
export function explainStartFailure(
  code: string | undefined,
  message: string,
  file: string,
  cwd: string,
): StartFailure {
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') {
    return badDirectory(cwd) ?? { code, message: badProgram(code, file, cwd) };
  }
  return {
    code: code ?? 'EINVAL',
    message: SHORTAGES[code ?? ''] ?? `${file} cannot be started: ${message}`,
  };
}

const SHORTAGES: Readonly<Record<string, string>> = {
  E2BIG: 'The arguments and the environment together are longer than this system allows.',
  EMFILE: 'The gateway has no file descriptor left to start a program.',
  ENFILE: 'The system has no file descriptor left to start a program.',
  EAGAIN: 'The system allows no further process.',
  ENOMEM: 'The system has no memory left for a further process.',
};

function badDirectory(cwd: string): StartFailure | undefined {
  try {
    const found = statSync(cwd, { throwIfNoEntry: false });
    if (found === undefined) {
      return { code: 'ENOENT', message: `The working directory ${cwd} does not exist.` };
    }
    if (!found.isDirectory()) {
      return { code: 'ENOTDIR', message: `The working directory ${cwd} is not a directory.` };
    }
    accessSync(cwd, constants.X_OK);
    return undefined;
  } catch {
    return { code: 'EACCES', message: `The working directory ${cwd} may not be entered by this user.` };
  }
}

function badProgram(code: string, file: string, cwd: string): string {
  if (!file.includes('/')) {
    return code === 'EACCES' ? `${file} on PATH is not executable.` : `${file} was not found on PATH.`;
  }
  const path = isAbsolute(file) ? file : resolve(cwd, file);
  if (code === 'EACCES') return `${path} may not be executed by this user.`;
  return existsSync(path)
    ? `${path} exists, but the interpreter that its first line names does not.`
    : `${path} does not exist.`;
}
