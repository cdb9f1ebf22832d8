/**
 * The programs and folders that agents and quick commands name by a path: what is not there when a configuration is judged
 * is worth a warning, for whoever writes to the agent or runs the command is the first to find out otherwise. No more than
 * that: a disk may not be mounted yet, and a program may be written by another one.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { isMapping } from './forms.ts';
import type { Finding } from './problems.ts';
import { resolveFrom } from './units.ts';

/** Paths that are looked at: a file of thousands of commands is not worth that many questions to a disk. */
export const PATHS_LOOKED_AT_MAX = 200;

/** What looks at a path; undefined where all is well. Each says what is wrong, for a sentence that begins with the path. */
export interface Look {
  program(path: string): string | undefined;
  folder(path: string): string | undefined;
}

export const lookOnDisk: Look = {
  program: (path) => {
    const found = statOf(path);
    if (found?.isFile() === false) return 'is no program';
    return found === undefined ? 'does not exist' : forbidden(path, 'run');
  },
  folder: (path) => {
    const found = statOf(path);
    if (found?.isDirectory() === false) return 'is not a folder';
    return found === undefined ? 'does not exist' : forbidden(path, 'entered');
  },
};

/** What cannot be looked at is, to this user, not there. */
function statOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** A folder is entered by the right with which a program is run. */
function forbidden(path: string, what: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return undefined;
  } catch {
    return `may not be ${what} by this user`;
  }
}

/** A word of a shell's text that is a path and nothing else: no quotes, no variables, nothing that a shell expands. */
const PLAIN_PATH = /^\s*([\w.,:@%+-]*\/[\w.,:@%+/-]*)(?=\s|$)/;

/** Something of a file that runs a program: where it stands, its keys, and when its folder must be there. */
interface Runner {
  readonly path: readonly PropertyKey[];
  readonly keys: Record<string, unknown>;
  readonly when: string;
}

/** What is missing of what the agents and commands of a file name; each path is looked at once. */
export function judgePrograms(
  values: unknown,
  { folder, userHome }: { folder: string; userHome: string | undefined },
  look: Look,
): Finding[] {
  const known = new Map<string, string | undefined>();
  const wrongWith = (kind: keyof Look, path: string) => {
    const key = `${kind} ${path}`;
    if (!known.has(key) && known.size < PATHS_LOOKED_AT_MAX) known.set(key, look[kind](path));
    return known.get(key);
  };
  return runnersOf(values).flatMap(({ path, keys, when }): Finding[] => {
    const cwd = resolveFrom(folder, typeof keys.cwd === 'string' ? keys.cwd : '.', userHome);
    const noFolder = wrongWith('folder', cwd);
    if (noFolder !== undefined) {
      const right = noFolder === 'does not exist' ? `make it before ${when}` : 'name another one';
      const message = `${cwd} ${noFolder}; ${right}`;
      return [{ path: [...path, 'cwd'], at: 'value', message }];
    }
    const program = programOf(keys.command, folder, cwd, userHome);
    const wrong = program && wrongWith('program', program);
    if (wrong === undefined) return [];
    const right =
      wrong === 'does not exist' ? 'write it, or correct the path' : 'correct the path, or chmod +x it';
    const place = Array.isArray(keys.command) ? ['command', 0] : ['command'];
    return [{ path: [...path, ...place], at: 'value', message: `${program} ${wrong}; ${right}` }];
  });
}

/** Agents first: without theirs nobody is answered. One that names no program is the built-in one, or a model. */
function runnersOf(values: unknown): Runner[] {
  if (!isMapping(values)) return [];
  const agents = [{ path: ['agent'], keys: values.agent }, ...entriesOf(values, 'agents')];
  return [
    ...agents.flatMap(({ path, keys }) =>
      isMapping(keys) && (keys.type ?? 'command') === 'command' && keys.command !== undefined
        ? [{ path, keys, when: 'the agent is asked' }]
        : [],
    ),
    ...entriesOf(values, 'quick_commands').flatMap(({ path, keys }) =>
      isMapping(keys) && keys.type === 'exec' ? [{ path, keys, when: 'the command is run' }] : [],
    ),
  ];
}

function entriesOf(values: Record<string, unknown>, key: string): { path: string[]; keys: unknown }[] {
  const entries = isMapping(values[key]) ? values[key] : {};
  return Object.entries(entries).map(([name, keys]) => ({ path: [key, name], keys }));
}

/** The file that is to run, where a path says so: a list's is counted from the folder of the file, a shell's from `cwd`. */
function programOf(command: unknown, folder: string, cwd: string, userHome: string | undefined) {
  if (Array.isArray(command)) {
    const [program] = command;
    const isPath = typeof program === 'string' && program.includes('/');
    return isPath ? resolveFrom(folder, program, userHome) : undefined;
  }
  const word = typeof command === 'string' ? PLAIN_PATH.exec(command)?.[1] : undefined;
  return word === undefined ? undefined : resolveFrom(cwd, word, undefined);
}
