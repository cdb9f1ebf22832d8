/** The quick commands that would be run without a daemon, for whoever asks which there are. */
import { Configuration } from './config/configuration.ts';
import { findConfig, type HomePaths } from './config/paths.ts';
import { listedExec } from './gateway/exec-only.ts';
import type { ListedCommand } from './messages/command-list.ts';
import { readLivingRecord } from './process/runtime-status.ts';

export interface OfflineListOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly paths: HomePaths;
  readonly configFlag: string | undefined;
}

/** Of the configuration by which they would be run. Throws CONFIG_INVALID or CONFIG_UNREADABLE. */
export function offlineList({ env, cwd, paths, configFlag }: OfflineListOptions): ListedCommand[] {
  const owned = readLivingRecord(paths.pid)?.config ?? undefined;
  const found = findConfig({ flag: configFlag, env, cwd, owned });
  const made = { ...found, env, lastGoodPath: paths.lastGood, platformSchemas: {} };
  return listedExec(new Configuration(made, false).current.quickCommands);
}
