/**
 * The configuration a gateway runs on: the file it was told, or, where nobody watches the start, the last one
 * that reached `running`. The copy is text with a first line that says whose it is.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { z } from 'zod';
import { isSluiceError, messageOf } from '../errors.ts';
import { BUILTIN_NAMES } from '../messages/commands.ts';
import { heldByEnvironment } from './environment.ts';
import { expandVariables } from './expand.ts';
import { type Loaded, loadConfig, parseConfig, readTree, withoutMark } from './load.ts';
import type { Config, ConfigOrigin } from './schema.ts';

const OWNER_ONLY = 0o600;

export interface ConfigurationOptions {
  readonly path: string;
  readonly origin: ConfigOrigin;
  readonly env: NodeJS.ProcessEnv;
  readonly lastGoodPath: string;
  readonly platformSchemas: Readonly<Record<string, z.ZodType>>;
}

/** What another process must know to say what would change: the file, and what runs. */
export interface RunningConfiguration {
  /** The file that is read at the next start; absolute. */
  readonly file: string;
  /** What runs, which may be another text than the file's by now. */
  readonly text: string;
  /** It is the last good configuration, because the file was not valid. */
  readonly isLastGood: boolean;
  /** Keys that the gateway's environment holds over any file, each with its variable. */
  readonly heldBy: Readonly<Record<string, string>>;
  /** The variables that stand in its values, which another process may not have. */
  readonly variables: Readonly<Record<string, string>>;
}

export class Configuration {
  readonly warnings: readonly string[];
  readonly #options: ConfigurationOptions;
  #current: Config;

  /** Throws CONFIG_INVALID or CONFIG_UNREADABLE; with `fallBack` only where there is no last good one either. */
  constructor(options: ConfigurationOptions, fallBack: boolean) {
    this.#options = options;
    try {
      const { config, warnings } = this.#load();
      this.#current = config;
      this.warnings = warnings;
    } catch (error) {
      const lastGood = fallBack ? this.#lastGood() : undefined;
      if (lastGood === undefined) throw error;
      this.#current = lastGood;
      this.warnings = [`running on the last good configuration, because: ${messageOf(error)}`];
    }
  }

  get current(): Config {
    return this.#current;
  }

  get running(): RunningConfiguration {
    const { path, env } = this.#options;
    const { text, isLastGood = false } = this.#current.source;
    const { used: variables } = expandVariables(readTree(withoutMark(text)).value, env);
    return { file: path, text, isLastGood, heldBy: heldByEnvironment(env), variables };
  }

  /** What is wrong with the file on disk now; null when a restart could use it. */
  problem(): string | null {
    try {
      this.#load();
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : messageOf(error);
    }
  }

  /** Keeps the running configuration as the last good one. Throws what writing throws. */
  keepAsLastGood(): void {
    const { lastGoodPath, path } = this.#options;
    const temporary = `${lastGoodPath}.${process.pid}.tmp`;
    try {
      writeFileSync(temporary, `${LAST_GOOD_HEAD}${path}\n${this.#current.source.text}`, {
        mode: OWNER_ONLY,
      });
      renameSync(temporary, lastGoodPath);
    } catch (error) {
      // Half a file, on a disk that is full: it would only take room.
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  #load(): Loaded {
    return loadConfig({ ...this.#options, builtinNames: BUILTIN_NAMES });
  }

  /** Undefined where there is none, or where it is not valid for this version. */
  #lastGood(): Config | undefined {
    const { lastGoodPath, path } = this.#options;
    const kept = readLastGood(lastGoodPath);
    if (kept === undefined) return undefined;
    try {
      const options = { ...this.#options, folder: dirname(path), builtinNames: BUILTIN_NAMES };
      const { config } = parseConfig(kept.text, options);
      return { ...config, source: { ...config.source, isLastGood: true } };
    } catch (error) {
      if (isSluiceError(error)) return undefined;
      throw error;
    }
  }
}

const LAST_GOOD_HEAD = '# the last configuration that reached running, from ';

/** The last good configuration as it is kept, without its head, and the file it was; undefined where none can be read. */
export function readLastGood(path: string): { readonly file: string; readonly text: string } | undefined {
  let kept: string;
  try {
    kept = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const end = kept.indexOf('\n');
  if (!kept.startsWith(LAST_GOOD_HEAD) || end === -1) return undefined;
  return { file: kept.slice(LAST_GOOD_HEAD.length, end), text: kept.slice(end + 1) };
}
