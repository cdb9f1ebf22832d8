/** What a run stands on before anything else is there: a home that is ours, and a configuration. */
import { existsSync } from 'node:fs';
import { Configuration } from '../config/configuration.ts';
import { findConfig, type WorkingFolder } from '../config/paths.ts';
import { isSluiceError, SluiceError } from '../errors.ts';
import { prepareHome } from '../process/home.ts';
import { isAlive } from '../process/identity.ts';
import { acquireLock, type HomeLock } from '../process/lock.ts';
import { readOwner, readPidFile } from '../process/runtime-status.ts';
import type { World } from './world.ts';

/** Makes the home, takes its lock and begins the log in it. Throws HOME_OWNED with who owns it, or what stands in the way. */
export function takeHome({ home, paths, acquired, blackBox }: World): HomeLock {
  prepareHome(home);
  try {
    const lock = acquireLock(paths.lock);
    acquired.defer('the lock', () => lock[Symbol.dispose]());
    acquired.defer('the log in the home', () => blackBox[Symbol.dispose]());
    blackBox.open(paths.logs);
    return lock;
  } catch (error) {
    if (!isSluiceError(error, 'HOME_OWNED')) throw error;
    const owner = readOwner(paths);
    const who =
      owner === undefined || !isAlive(owner)
        ? 'another gateway'
        : `the gateway with pid ${owner.pid}, epoch ${owner.epoch}`;
    throw new SluiceError('HOME_OWNED', `the home ${home} is owned by ${who}`, { cause: error });
  }
}

/** Nobody watches a supervised start, nor the second half of an in-place one: those may fall back. */
export function configure({ options, supervisor, paths, log }: World): Configuration {
  const { configFlag, env, cwd, inPlace, platformKinds = {} } = options;
  const platformSchemas = Object.fromEntries(
    Object.entries(platformKinds).map(([name, kind]) => [name, kind.schema]),
  );
  // The second half of a restart in place whose working folder was deleted goes on with the file of the first: what that
  // found in the folder cannot be found again.
  const owned = inPlace && !isThere(cwd) ? (readPidFile(paths.pid)?.config ?? undefined) : undefined;
  const found = findConfig({ flag: configFlag, env, cwd, owned });
  const unattended = inPlace || supervisor !== 'none';
  const configuration = new Configuration(
    { ...found, env, lastGoodPath: paths.lastGood, platformSchemas },
    unattended,
  );
  for (const warning of configuration.warnings) log.warn(warning);
  return configuration;
}

const isThere = (cwd: WorkingFolder): boolean => cwd !== undefined && existsSync(cwd);
