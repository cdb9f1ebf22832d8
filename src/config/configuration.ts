/**
 * The configuration a gateway runs on: the file it was told, or, where nobody watches the start, the last one
 * that reached `running`. The copy is text with a first line that says whose it is.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { z } from 'zod';
import { isSluiceError, messageOf } from '../errors.ts';
import { BUILTIN_NAMES } from '../messages/commands.ts';
import { loadConfig, parseConfig } from './load.ts';
import type { Config, ConfigOrigin } from './schema.ts';

const OWNER_ONLY = 0o600;

export interface ConfigurationOptions {
  readonly path: string;
  readonly origin: ConfigOrigin;
  readonly env: NodeJS.ProcessEnv;
  readonly lastGoodPath: string;
  readonly platformSchemas: Readonly<Record<string, z.ZodType>>;
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
    writeFileSync(
      temporary,
      `# the last configuration that reached running, from ${path}\n${this.#current.source.text}`,
      {
        mode: OWNER_ONLY,
      },
    );
    renameSync(temporary, lastGoodPath);
  }

  #load(): { config: Config; warnings: string[] } {
    return loadConfig({ ...this.#options, builtinNames: BUILTIN_NAMES });
  }

  /** Undefined where there is none, or where it is not valid for this version. */
  #lastGood(): Config | undefined {
    const { lastGoodPath, path } = this.#options;
    try {
      // Without its first line, so that kept again it does not grow.
      const text = readFileSync(lastGoodPath, 'utf8').replace(/^# the last configuration .*\n/, '');
      const options = {
        ...this.#options,
        path: lastGoodPath,
        folder: dirname(path),
        builtinNames: BUILTIN_NAMES,
      };
      return parseConfig(text, options).config;
    } catch (error) {
      if (isSluiceError(error) || (error as NodeJS.ErrnoException).code !== undefined) return undefined;
      throw error;
    }
  }
}
