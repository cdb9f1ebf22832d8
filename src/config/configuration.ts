/**
 * The configuration a gateway runs on: the file it was told, or, where nobody watches the start, the last one that
 * reached `running`; and what a reload of that file makes of it. Whoever reads `current` reads it anew each time.
 *
 * Keys that wait for a restart keep what they have until then, whatever is reloaded. A file that is not valid changes
 * nothing at all.
 */
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { isSluiceError, messageOf } from '../errors.ts';
import { BUILTIN_NAMES } from '../messages/commands.ts';
import { checkedOf } from './check.ts';
import { readConfigText } from './config-file.ts';
import { heldByEnvironment } from './environment.ts';
import { expandVariables } from './expand.ts';
import { keepLastGood, readLastGood } from './last-good.ts';
import { judgeConfig, type Loaded, loadConfig, parseConfig, withoutMark } from './load.ts';
import { type Change, planOf, reloadedFile } from './plan.ts';
import type { PlacedProblem } from './problems.ts';
import { lookOnDisk } from './programs.ts';
import { promptProblem } from './prompt-file.ts';
import { resolveConfig } from './resolve.ts';
import type { Config, ConfigFile, ConfigOrigin } from './schema.ts';
import { readTree } from './tree.ts';
import { type NamedVariables, type ToldVariables, toldOf } from './variables.ts';

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
  /** What was loaded last, which may be another text than the file's by now. */
  readonly text: string;
  /** What this life began with: keys that wait for a restart have their values from it. */
  readonly startText: string;
  /** It is the last good configuration, because the file was not valid. */
  readonly isLastGood: boolean;
  /** Keys that the gateway's environment holds over any file, each with its variable. */
  readonly heldBy: Readonly<Record<string, string>>;
  /** Platforms whose keys a reload has changed since: they were parked. */
  readonly remade: readonly string[];
  /** The variables that stand in its values, which another process may not have. */
  readonly variables: Readonly<Record<string, string>>;
}

/** A change, and the variable of the gateway's environment that keeps it from having any effect. */
export interface PlannedChange extends Change {
  readonly heldBy: string | null;
}

/** The file on disk, judged against what runs. Nothing of it runs yet. */
export interface Candidate {
  /** What would run. */
  readonly config: Config;
  /** Against what runs; one that waits for a restart stands here at each reload until then. */
  readonly changes: readonly PlannedChange[];
  /** What is to be known although the file is valid. */
  readonly warnings: readonly string[];
  readonly loaded: Loaded;
  readonly file: ConfigFile;
}

export type Read = Candidate | { readonly problems: readonly PlacedProblem[] };

export class Configuration {
  readonly #options: ConfigurationOptions;
  readonly #startText: string;
  #current: Config;
  /** What was loaded last. */
  #loaded: Loaded;
  /** What runs: the same but for keys that wait for a restart. */
  #file: ConfigFile;
  #warnings: readonly string[];
  /** Keys that wait for a restart. */
  #waiting: readonly string[] = [];
  readonly #remade = new Set<string>();
  #hasRun = false;
  /** Why the last reload changed nothing, in a line; null when it did. */
  #failure: string | null = null;

  /** Throws CONFIG_INVALID or CONFIG_UNREADABLE; with `fallBack` only where there is no last good one either. */
  constructor(options: ConfigurationOptions, fallBack: boolean) {
    this.#options = options;
    try {
      this.#loaded = this.#load();
      this.#warnings = this.#loaded.warnings;
    } catch (error) {
      const lastGood = fallBack ? this.#lastGood() : undefined;
      if (lastGood === undefined) throw error;
      this.#loaded = lastGood;
      this.#warnings = [`running on the last good configuration, because: ${messageOf(error)}`];
    }
    this.#current = this.#loaded.config;
    this.#file = this.#loaded.file;
    this.#startText = this.#current.source.text;
  }

  get current(): Config {
    return this.#current;
  }

  /** What an owner should know: of the values, of keys that wait for a restart, and of a reload that failed. */
  get warnings(): readonly string[] {
    const waiting = this.#waiting.join(', ');
    return [
      ...this.#warnings,
      ...(waiting === '' ? [] : [`waiting for a restart: ${waiting}`]),
      ...(this.#failure === null ? [] : [`the last reload changed nothing, because: ${this.#failure}`]),
    ];
  }

  get running(): RunningConfiguration {
    const { path, env } = this.#options;
    const { text, isLastGood = false } = this.#current.source;
    const startText = this.#startText;
    const { used: variables } = expandVariables(readTree(withoutMark(text)).value, env);
    const heldBy = heldByEnvironment(env);
    return { file: path, text, startText, isLastGood, heldBy, remade: [...this.#remade], variables };
  }

  /** What this process has of these variables: what its file means here. */
  told(named: NamedVariables): ToldVariables {
    return toldOf(this.#options.env, named);
  }

  /** What is wrong with the file on disk now, with its lines or without; null when a restart could use it. */
  problem(options: { withLines: boolean }): string | null {
    try {
      loadConfig({ ...this.#loadOptions, ...options });
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : messageOf(error);
    }
  }

  /**
   * Reads the file for a reload: what would run, or all that is wrong. Changes nothing. `parked`: platforms that have no
   * link until a person changes something; other keys of theirs count at once.
   */
  read(parked: readonly string[] = []): Read {
    const { env } = this.#options;
    const loaded = this.#readAnew();
    if ('problems' in loaded) return loaded;
    const file = reloadedFile(this.#file, loaded.file, parked);
    const { source } = loaded.config;
    const { config } = resolveConfig(file, { env, source, builtinNames: BUILTIN_NAMES });
    return { config, changes: this.#changes(loaded.file, parked), warnings: loaded.warnings, loaded, file };
  }

  /** From now on this runs. */
  apply({ config, changes, loaded, file }: Candidate): void {
    this.#current = config;
    this.#loaded = loaded;
    for (const name of Object.keys(file.platforms)) {
      if (!isDeepStrictEqual(file.platforms[name], this.#file.platforms[name])) this.#remade.add(name);
    }
    this.#file = file;
    this.#warnings = loaded.warnings;
    this.#waiting = changes.filter(({ applies }) => applies === 'restart').map(({ key }) => key);
    this.#failure = null;
  }

  /** A reload changed nothing for this reason, a line: a warning until one does. */
  failed(because: string): void {
    this.#failure = because;
  }

  /** The gateway has reached running on what it began with. */
  get hasRun(): boolean {
    return this.#hasRun;
  }

  /** Keeps the running configuration as the last good one, for it has reached running. Throws what writing throws. */
  keepAsLastGood(): void {
    this.#hasRun = true;
    const { lastGoodPath, path } = this.#options;
    keepLastGood(lastGoodPath, path, this.#current.source.text);
  }

  #load(): Loaded {
    return loadConfig(this.#loadOptions);
  }

  /** What is thrown is logged, and kept in the home: without the lines of the file. */
  get #loadOptions() {
    return { ...this.#options, builtinNames: BUILTIN_NAMES, withLines: false };
  }

  /**
   * A text that was loaded already is not judged again: that is most of what a reload costs. One that warned is, for
   * what it warned of may be there by now.
   */
  #readAnew(): Loaded | { problems: readonly PlacedProblem[] } {
    const text = readConfigText(this.#options.path);
    if (typeof text !== 'string') return { problems: [text] };
    const { source } = this.#loaded.config;
    const isJudged = source.isLastGood !== true && this.#loaded.warnings.length === 0;
    if (text === source.text && isJudged) return this.#loaded;
    const judged = judgeConfig(text, { ...this.#loadOptions, promptProblem, look: lookOnDisk });
    const { loaded, problems } = checkedOf(judged);
    return loaded ?? { problems };
  }

  #changes(file: ConfigFile, parked: readonly string[]): PlannedChange[] {
    const heldBy = heldByEnvironment(this.#options.env);
    return planOf(this.#file, file, parked).map((change) => ({
      ...change,
      heldBy: heldBy[change.key] ?? null,
    }));
  }

  /** Undefined where there is none, or where it is not valid for this version. */
  #lastGood(): Loaded | undefined {
    const { lastGoodPath, path } = this.#options;
    const kept = readLastGood(lastGoodPath);
    if (kept === undefined) return undefined;
    try {
      const loaded = parseConfig(kept.text, { ...this.#loadOptions, folder: dirname(path) });
      const { config } = loaded;
      return { ...loaded, config: { ...config, source: { ...config.source, isLastGood: true } } };
    } catch (error) {
      if (isSluiceError(error)) return undefined;
      throw error;
    }
  }
}
