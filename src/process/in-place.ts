/**
 * Whether this process can become its next life. `process.execve` cannot be tried: where the system refuses it, Node 24
 * ends the process by SIGABRT. So what it needs is looked at beforehand, as often as somebody asks; and once, when the
 * gateway leaves, Node is started by the same words and in the same environment as a child that only says its version:
 * then the system itself has said yes.
 *
 * What cannot be known: whatever changes in the milliseconds after that, and whether the script runs once it is found.
 */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { messageOf, systemCodeOf } from '../errors.ts';
import { readRegularFile } from '../regular-file.ts';

/** A program as it is started anew. */
export interface Program {
  /** Node's binary, absolute. */
  readonly node: string;
  /** Options of Node. */
  readonly options: readonly string[];
  /** What Node runs, absolute. */
  readonly script: string;
  readonly argv: readonly string[];
}

/** How long Node may take to say its version: some 5 ms usually. */
const REHEARSAL_MS_MAX = 5000;

/** That no child could be made, or was too slow, says nothing about replacing this process, which needs none. */
const SAYS_NOTHING: readonly unknown[] = ['EAGAIN', 'EMFILE', 'ENFILE', 'ETIMEDOUT'];

/** This process's binary, also when its file was deleted. */
const OWN_BINARY = '/proc/self/exe';

/** Of ELF: its first bytes, and where its header names the word size, the byte order and the processor. */
const ELF_MAGIC = Buffer.from('\x7fELF', 'latin1');
/** Node is larger by far. What is cut off further in the system starts, or refuses, itself. */
const ELF_BYTES_MIN = 4096;
const ELF_MACHINE: readonly (readonly [from: number, to: number])[] = [
  [4, 6],
  [18, 20],
];

/** What Linux puts behind the path of a binary that was deleted before the process asked for it. */
const DELETED = / \(deleted\)$/;

/** The program of this process. */
export function thisProgram(argv: readonly string[]): Program {
  const { execPath, execArgv } = process;
  return {
    node: execPath.replace(DELETED, ''),
    options: execArgv,
    script: process.argv[1] ?? '',
    argv,
  };
}

/** The words it is started by. */
export const wordsOf = ({ node, options, script, argv }: Program): string[] => [
  node,
  ...options,
  script,
  ...argv,
];

/** What is missing for another start, in a sentence without its full stop; null where nothing is. Looks at the disk. */
export function missingFor({ node, script }: Pick<Program, 'node' | 'script'>): string | null {
  try {
    if (!statSync(node).isFile()) return `Node's binary ${node} is no file any more`;
    accessSync(node, constants.X_OK);
  } catch (error) {
    return isGone(error)
      ? `Node's binary ${node} is not there any more`
      : `Node's binary ${node} cannot be executed: ${messageOf(error)}`;
  }
  // Node finds a script also by its name without the extension.
  const found = [script, `${script}.js`].find((path) => existsSync(path));
  if (found === undefined) return `the program ${script} is not there any more`;
  try {
    accessSync(found, constants.R_OK);
    return null;
  } catch (error) {
    return `the program ${found} cannot be read: ${messageOf(error)}`;
  }
}

/**
 * The same with the system's own word, which takes a child of some 5 ms, during which the event loop stands still: it
 * also knows of a binary that is half written, of another machine, or on a disk that runs nothing, of an environment that
 * is too large, and of options that another Node does not have.
 */
export function obstacleTo(program: Program, env: NodeJS.ProcessEnv): string | null {
  const missing = missingFor(program) ?? wrongWith(program.node);
  if (missing !== null) return missing;
  const [node = '', ...words] = wordsOf(program);
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { error, status, signal } = spawnSync(node, ['--version', ...words], {
    env,
    stdio: 'ignore',
    timeout: REHEARSAL_MS_MAX,
    killSignal: 'SIGKILL',
  });
  if (error !== undefined) {
    return SAYS_NOTHING.includes(systemCodeOf(error))
      ? null
      : `${node} cannot be started: ${messageOf(error)}`;
  }
  if (status === 0) return null;
  return `${node} does not start: it ended with ${signal ?? `exit ${status}`} where it was to say its version`;
}

/**
 * What Linux itself would not execute: it must not come as far as the child, for the C library gives such a file to the
 * shell instead, which reads it as a script.
 */
function wrongWith(node: string): string | null {
  if (process.platform !== 'linux') return null;
  const [head, mine] = [headOf(node), headOf(OWN_BINARY)];
  if (head === undefined || head.toString('latin1', 0, 2) === '#!') return null;
  if (head.length < ELF_BYTES_MIN || head.compare(ELF_MAGIC, 0, 4, 0, 4) !== 0)
    return `${node} is no program`;
  const isOurs = ELF_MACHINE.every(([from, to]) => mine?.compare(head, from, to, from, to) === 0);
  return isOurs ? null : `${node} is a program for another machine`;
}

/** Undefined where it may be executed and not read. */
function headOf(path: string): Buffer | undefined {
  try {
    return readRegularFile(path, ELF_BYTES_MIN - 1);
  } catch {
    return undefined;
  }
}

const isGone = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(String(systemCodeOf(error)));
