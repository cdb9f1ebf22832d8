/**
 * Judges a configuration file for whoever reports on it: all its problems with their places, whether they are of the
 * file, its text or its values. A file that cannot be read is a problem like any other.
 */
import { readConfigText } from './config-file.ts';
import { type Faulty, judgeConfig, type Loaded, type LoadOptions } from './load.ts';
import type { PlacedProblem } from './problems.ts';
import { lookOnDisk } from './programs.ts';
import { promptProblem } from './prompt-file.ts';

export interface Checked {
  /** In the order of the file; empty where there is `loaded`. */
  readonly problems: readonly PlacedProblem[];
  readonly warnings: readonly string[];
  readonly loaded?: Loaded;
}

/** Reads and judges a file. Never throws over what a path names or a file holds. */
export function checkFile(options: LoadOptions): Checked {
  const read = readConfigText(options.path);
  if (typeof read !== 'string') return { problems: [read], warnings: [] };
  return checkedOf(judgeConfig(read, { promptProblem, look: lookOnDisk, ...options }));
}

/** A judgement in one shape. */
export function checkedOf(judged: Loaded | Faulty): Checked {
  if ('config' in judged) return { problems: [], warnings: judged.warnings, loaded: judged };
  return judged;
}
