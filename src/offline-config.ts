/**
 * The configuration by which a command works without a daemon: the file that is found, or, as in a start that nobody
 * watches, the last one that reached `running` where that file is broken. A mistake that was saved an hour ago must not
 * take `cleanup` away in the hour it is needed.
 */
import { Configuration } from './config/configuration.ts';
import { readLastGood } from './config/last-good.ts';
import { findConfig, type HomePaths } from './config/paths.ts';
import type { Config, ConfigOrigin } from './config/schema.ts';
import { isSluiceError, messageOf } from './errors.ts';
import { readLivingRecord } from './process/runtime-status.ts';

export interface OfflineConfigOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly paths: Pick<HomePaths, 'pid' | 'lastGood'>;
  readonly configFlag: string | undefined;
}

export interface OfflineConfig {
  readonly config: Config;
  /** That the file found is not what counts, with its first mistake; null where it does. */
  readonly warning: string | null;
}

/** Somebody named the file: no other one is what was meant. */
const NAMED: readonly ConfigOrigin[] = ['flag', 'environment'];

/** Throws CONFIG_INVALID or CONFIG_UNREADABLE, of the file found, where there is no last good one of it. */
export function offlineConfig({ env, cwd, paths, configFlag }: OfflineConfigOptions): OfflineConfig {
  const owned = readLivingRecord(paths.pid)?.config ?? undefined;
  const found = findConfig({ flag: configFlag, env, cwd, owned });
  const load = (path: string, fallBack: boolean) =>
    new Configuration(
      { path, origin: found.origin, env, lastGoodPath: paths.lastGood, platformSchemas: {} },
      fallBack,
    ).current;
  try {
    return { config: load(found.path, false), warning: null };
  } catch (error) {
    if (!isSluiceError(error)) throw error;
    const kept = readLastGood(paths.lastGood);
    if (kept === undefined || (kept.file !== found.path && NAMED.includes(found.origin))) throw error;
    const config = loaded(() => load(kept.file, true)) ?? rethrown(error);
    const which = config.source.isLastGood === true ? 'the last good configuration of ' : '';
    return { config, warning: `running on ${which}${kept.file}, because: ${messageOf(error)}` };
  }
}

/** Undefined where the last good one is none for this version either. */
function loaded(load: () => Config): Config | undefined {
  try {
    return load();
  } catch (error) {
    if (isSluiceError(error)) return undefined;
    throw error;
  }
}

function rethrown(error: Error): never {
  throw error;
}
