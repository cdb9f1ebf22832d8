/** The quick commands that would be run without a daemon, for whoever asks which there are. */
import { listedExec } from '../gateway/exec-only.ts';
import type { ListedCommand } from '../messages/command-list.ts';
import { type OfflineConfigOptions, offlineConfig } from './config.ts';

export interface OfflineList {
  readonly commands: ListedCommand[];
  /** Of the configuration; see `OfflineConfig`. */
  readonly warning: string | null;
}

/** Of the configuration by which they would be run. Throws CONFIG_INVALID or CONFIG_UNREADABLE. */
export function offlineList(options: OfflineConfigOptions): OfflineList {
  const { config, warning } = offlineConfig(options);
  return { commands: listedExec(config.quickCommands), warning };
}
