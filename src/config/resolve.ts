/**
 * Makes the gateway's `Config` of a file that passed the schema: paths become absolute, `node` becomes the Node that
 * runs us, environment overrides are applied. Deterministic: the same file, folder and environment give equal results.
 */
import { targetText } from './aliases.ts';
import { applyOverrides } from './environment.ts';
import { packagedFile } from './paths.ts';
import { keyText } from './problems.ts';
import { variableOf } from './process-environment.ts';
import type { AgentConfig, CommandLine, Config, ConfigFile, QuickCommand } from './schema.ts';
import { isLoopback, resolveFrom } from './units.ts';
import { WITHHELD_NAMES } from './withheld.ts';

/** What the file itself does not say. */
export interface Surroundings {
  readonly source: Config['source'];
  readonly env: NodeJS.ProcessEnv;
  readonly builtinNames: readonly string[];
}

type AgentKeys = ConfigFile['agent'] | ConfigFile['agents'][string];

/** The configuration, and what its owner should know although it is valid. */
export function resolveConfig(
  file: ConfigFile,
  around: Surroundings,
): { config: Config; warnings: string[] } {
  const { source, env } = around;
  const { values, warnings } = applyOverrides(env, {
    drainTimeoutMs: file.agent.restart_drain_timeout,
    busyInputMode: file.display.busy_input_mode,
  });
  if (file.agent.type !== 'openai' && file.agent.command === undefined) {
    warnings.push('agent: none is configured, so the built-in demo agent answers; set agent.command');
  }
  warnings.push(...[['agent', file.agent] as const, ...furtherAgents(file)].flatMap(missingKey(env)));
  const { http } = file.listen;
  if (http !== 'off' && !isLoopback(http.host)) {
    warnings.push(`listen.http: ${http.host} can be reached from other machines; only the token protects it`);
  }
  warnings.push(...Object.entries(file.quick_commands).flatMap(withheldNames));
  const names = new Set([...around.builtinNames, ...Object.keys(file.quick_commands)]);
  const config: Config = {
    ...values,
    agents: record([
      ['default', resolveAgent('default', file.agent, around)],
      ...Object.entries(file.agents).map(([name, keys]): [string, AgentConfig] => [
        name,
        {
          ...resolveAgent(name, keys, around),
          ...(keys.max_turns === undefined ? {} : { maxTurns: keys.max_turns }),
        },
      ]),
    ]),
    maxTurns: file.agent.max_turns,
    quickCommands: record(
      Object.entries(file.quick_commands).map(([name, keys]) => [
        name,
        resolveCommand(name, keys, names, around),
      ]),
    ),
    conversations: record(Object.entries(file.conversations)),
    access: file.access,
    shutdown: { killGraceMs: file.shutdown.kill_grace, exitTimeoutMs: file.shutdown.exit_timeout },
    turns: {
      resume: file.turns.resume,
      maxAgeMs: file.turns.max_age,
      onExpired: file.turns.on_expired,
    },
    safeMode: resolveSafeMode(file.safe_mode),
    store: { retentionMs: file.store.retention },
    listen: { http },
    reload: file.reload,
    inspector: { xstateInspect: file.inspector.xstate_inspect },
    platforms: record(Object.entries(file.platforms).filter(([, keys]) => keys !== undefined)),
    source,
  };
  return { config, warnings };
}

function resolveSafeMode(keys: ConfigFile['safe_mode']): Config['safeMode'] {
  if (keys === 'off') return null;
  return {
    deaths: keys.deaths,
    withinMs: keys.within,
    slowDeaths: keys.slow_deaths,
    slowWithinMs: keys.slow_within,
    quietMs: keys.quiet,
  };
}

/** Without a prototype: looking up a word from a chat, such as `constructor`, must find nothing of Object's. */
function record<Value>(entries: readonly (readonly [string, Value])[]): Record<string, Value> {
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}

const furtherAgents = ({ agents }: ConfigFile) =>
  Object.entries(agents).map(([name, keys]) => [`agents.${name}`, keys] as const);

/** That a variable which should hold a key is empty: what such an agent is asked will be refused. */
function missingKey(env: NodeJS.ProcessEnv) {
  return ([section, keys]: readonly [string, AgentKeys]): string[] => {
    const variable = keys.type === 'openai' ? keys.api_key_env : undefined;
    if (variable === undefined || variableOf(env, variable)?.trim()) return [];
    return [`${section}.api_key_env: ${variable} is not set, so requests go without a key`];
  };
}

/** That a command names variables which it does not get. */
function withheldNames([name, keys]: [string, ConfigFile['quick_commands'][string]]): string[] {
  const withheld = keys.type === 'exec' ? keys.env.filter((each) => WITHHELD_NAMES.has(each)) : [];
  const place = keyText(['quick_commands', name, 'env']);
  return withheld.map(
    (each) =>
      `${place}: ${each} is what the supervisor says to the gateway, and reaches no command; remove it`,
  );
}

function resolveAgent(name: string, keys: AgentKeys, { source, env }: Surroundings): AgentConfig {
  if (keys.type === 'openai') {
    const { api_key_env: apiKeyEnv, system_prompt_file: promptFile } = keys;
    return {
      name,
      type: 'openai',
      baseUrl: keys.base_url,
      model: keys.model,
      ...(apiKeyEnv === undefined ? {} : { apiKeyEnv }),
      ...(promptFile === undefined
        ? {}
        : { systemPromptFile: resolveFrom(source.folder, promptFile, env.HOME) }),
      historyWindow: keys.history_window,
      // It is asked for text alone and calls no tools.
      effects: false,
      turnTimeoutMs: keys.turn_timeout,
      failureThreshold: keys.failure_threshold,
    };
  }
  const command = keys.command ?? ['node', packagedFile('quickstart-agent.mjs')];
  return {
    name,
    type: 'command',
    command: resolveCommandLine(command, source.folder, env.HOME),
    cwd: resolveFrom(source.folder, keys.cwd ?? '.', env.HOME),
    // The demo agent, which answers where none is configured, only prints.
    effects: keys.command !== undefined && keys.effects === 'possible',
    turnTimeoutMs: keys.turn_timeout,
    failureThreshold: keys.failure_threshold,
  };
}

function resolveCommand(
  name: string,
  keys: ConfigFile['quick_commands'][string],
  names: ReadonlySet<string>,
  { source, env }: Surroundings,
): QuickCommand {
  const { allow, description } = keys;
  if (keys.type === 'alias') {
    return { type: 'alias', name, target: targetText(keys.target, names), allow, description };
  }
  return {
    type: 'exec',
    name,
    command: resolveCommandLine(keys.command, source.folder, env.HOME),
    timeoutMs: keys.timeout,
    graceMs: keys.grace,
    cwd: resolveFrom(source.folder, keys.cwd ?? '.', env.HOME),
    env: keys.env,
    concurrency: keys.concurrency,
    allow,
    args: Object.entries(keys.args).map(([argument, { required, rest, ...given }]) => ({
      name: argument,
      required,
      rest,
      ...(given.default === undefined ? {} : { default: given.default }),
      ...(given.pattern === undefined ? {} : { pattern: given.pattern }),
      ...(given.choices === undefined ? {} : { choices: given.choices }),
    })),
    description,
  };
}

/**
 * A text is the shell's to read, in `cwd`. In a list the program is resolved here: `node` is the Node that runs the
 * gateway (the one on PATH may be too old, or none), a path is taken from the file's folder, a bare name from PATH.
 */
function resolveCommandLine(command: CommandLine, folder: string, userHome: string | undefined): CommandLine {
  if (typeof command === 'string') return command;
  const [program = '', ...args] = command;
  if (program === 'node') return [process.execPath, ...args];
  return [program.includes('/') ? resolveFrom(folder, program, userHome) : program, ...args];
}
