/**
 * The configuration by which a command works without a daemon: the file of the home's gateway, whatever folder it is asked
 * in, or, as in a start that nobody watches, the last one that reached `running` where that file is broken. A mistake that
 * was saved an hour ago must not take `cleanup` away in the hour it is needed, nor may another folder's `cleanup` run in
 * its place unsaid.
 */
import { Configuration } from '../config/configuration.ts';
import { readLastGood } from '../config/last-good.ts';
import { findConfig, type HomePaths, packagedFile, type WorkingFolder } from '../config/paths.ts';
import type { Config, ConfigOrigin } from '../config/schema.ts';
import { isSluiceError, messageOf } from '../errors.ts';
import { readLivingRecord, readPidFile } from '../process/runtime-status.ts';

export interface OfflineConfigOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: WorkingFolder;
  readonly paths: Pick<HomePaths, 'pid' | 'lastGood'>;
  readonly configFlag: string | undefined;
}

export interface OfflineConfig {
  readonly config: Config;
  /** What is to be known of it: that the file found is not what counts, or is not the one of this folder; else null. */
  readonly warning: string | null;
}

type Found = ReturnType<typeof findConfig>;

/** Somebody named the file: no other one is what was meant. */
const NAMED_ORIGINS: readonly ConfigOrigin[] = ['flag', 'environment'];

/** Throws CONFIG_INVALID or CONFIG_UNREADABLE, of the file found, where there is no last good one of it. */
export function offlineConfig({ env, cwd, paths, configFlag }: OfflineConfigOptions): OfflineConfig {
  const search = { flag: configFlag, env, cwd };
  const found = findConfig({ ...search, owned: gatewaysFile(paths) });
  const load = (path: string, fallBack: boolean) =>
    new Configuration(
      { path, origin: found.origin, env, lastGoodPath: paths.lastGood, platformSchemas: {} },
      fallBack,
    ).current;
  try {
    return { config: load(found.path, false), warning: remarkOn(found, findConfig(search)) };
  } catch (error) {
    if (!isSluiceError(error)) throw error;
    const kept = readLastGood(paths.lastGood);
    if (kept === undefined || (kept.file !== found.path && NAMED_ORIGINS.includes(found.origin))) throw error;
    const config = loaded(() => load(kept.file, true)) ?? rethrown(error);
    const which = config.source.isLastGood === true ? 'the last good configuration of ' : '';
    return { config, warning: `running on ${which}${kept.file}, because: ${messageOf(error)}` };
  }
}

/**
 * The file of the home's gateway, or of the last one where none lives. The quickstart is what runs where there is no file:
 * once its gateway has gone, one that was written since counts.
 */
function gatewaysFile({ pid, lastGood }: OfflineConfigOptions['paths']): string | undefined {
  const living = readLivingRecord(pid)?.config ?? undefined;
  if (living !== undefined) return living;
  const last = readPidFile(pid)?.config ?? readLastGood(lastGood)?.file;
  return last === packagedFile('quickstart.yaml') ? undefined : last;
}

/** What somebody who looks at this folder would not expect; `here`: what is found without asking the home. */
function remarkOn({ path, origin }: Found, here: Found): string | null {
  if (origin === 'quickstart') return 'running on the built-in quickstart: no other configuration was found';
  if (origin !== 'gateway' || here.origin === 'quickstart' || here.path === path) return null;
  return `running on ${path}, which the gateway of this home uses, not on ${here.path}`;
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
