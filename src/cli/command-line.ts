/**
 * Lines that a person can type as they are printed: by the name this program has where they are, with words quoted; and
 * paths as that person would write them.
 */
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { resolveHome, type WorkingFolder } from '../config/paths.ts';
import type { Context } from './context.ts';

/** The package that this runs from: the bundle lies one level below its root, this source two. */
const ROOT = ['../', '../../']
  .map((up) => fileURLToPath(new URL(up, import.meta.url)))
  .find((folder) => existsSync(join(folder, 'package.json')));

/** The line that runs these words of ours, in this folder. */
export function lineOf(words: readonly string[], cwd: WorkingFolder): string {
  return [programName(cwd), ...words.map(shellWord)].join(' ');
}

/** The same for the home of this command: named where whoever types the line would get another one. */
export function lineAt({ home, env, cwd }: Pick<Context, 'home' | 'env' | 'cwd'>, words: readonly string[]) {
  return lineOf(home === resolveHome({ env, cwd }) ? words : [...words, '--home', home], cwd);
}

/** `sluice` where it is installed for every folder; a checkout and a project that depends on it have it through npx. */
export function programName(cwd: WorkingFolder, root: string | undefined = ROOT): string {
  if (root === undefined) return 'sluice';
  const isCheckout = existsSync(join(root, 'src/main.ts'));
  return isCheckout || isOfProject(root, cwd) ? 'npx sluice' : 'sluice';
}

/** True where npx finds it: among the packages of this folder or of one above, or among those that npx keeps. */
function isOfProject(root: string, cwd: WorkingFolder): boolean {
  const packages = dirname(join(root, '.'));
  if (packages.split('/').includes('_npx')) return true;
  if (cwd === undefined) return false;
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (packages === join(folder, 'node_modules')) return true;
    if (folder === dirname(folder)) return false;
  }
}

/**
 * A path as whoever is in this folder would write it: relative where it lies below, else as it is. Both absolute; below the
 * root, where services are started, lies everything, and nobody stands there.
 */
export function pathFrom(cwd: WorkingFolder, path: string): string {
  if (cwd === undefined || cwd === '/') return path;
  const way = relative(cwd, path);
  return way === '' || way === '..' || way.startsWith('../') ? path : way;
}

/** As a POSIX shell reads one word. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
