/**
 * What a configuration is: the types the gateway works with, and the Zod schema of the file they are made from. The
 * schema knows keys, kinds, limits and defaults; what needs two places of the file is judged in `aliases.ts` and
 * `resolve.ts`. The file speaks snake_case and units of people, `Config` speaks milliseconds and absolute paths.
 */
import { z } from 'zod';
import { RESERVED_NAMES } from '../messages/commands.ts';
import { LOCAL_PLATFORM } from '../messages/local.ts';
import { nearest } from '../messages/near.ts';
import { defaultAgentSchema, otherAgentSchema } from './agent-keys.ts';
import { judgeAgentUses } from './agent-uses.ts';
import { quickCommandSchema, type ROLES } from './command-keys.ts';
import {
  type EXPIRED_MODES,
  type RESUME_MODES,
  safeModeSchema,
  storeSchema,
  turnsSchema,
} from './durable-keys.ts';
import { addressOrOff, duration, flag, keyed, NAME_SHAPE, nameProblem, text, wants } from './fields.ts';
import { DESPITE_ERRORS, named } from './forms.ts';
import type { Address } from './units.ts';

export const BUSY_INPUT_MODES = ['interrupt', 'queue', 'steer'] as const;
/** What a busy conversation does with the next message. */
export type BusyInputMode = (typeof BUSY_INPUT_MODES)[number];

/** Who may use a command: owners, or users as well. */
export type Role = (typeof ROLES)[number];

/** Where the file was found. */
export type ConfigOrigin = 'flag' | 'environment' | 'gateway' | 'folder' | 'xdg' | 'quickstart';

/** A text goes to a shell; a list is a program and its arguments, and no shell sees it. */
export type CommandLine = string | readonly string[];

/** What holds for an agent of any type. */
interface AnyAgentConfig {
  readonly name: string;
  readonly turnTimeoutMs: number;
  /** Turns of this agent at the same time; absent: only `Config.maxTurns` bounds it. */
  readonly maxTurns?: number;
  /** Failures of the agent itself, one after the other, after which it is not asked until it answers a probe. */
  readonly failureThreshold: number;
  /** A turn of it may change something outside: then one that was cut off is not repeated unasked. */
  readonly effects: boolean;
}

/** An agent program: the message on stdin, the reply on stdout. */
export interface CommandAgentConfig extends AnyAgentConfig {
  readonly type: 'command';
  readonly command: CommandLine;
  /** Absolute. */
  readonly cwd: string;
}

/** A model behind an OpenAI-compatible API. */
export interface OpenAiAgentConfig extends AnyAgentConfig {
  readonly type: 'openai';
  /** http or https, without credentials; the path up to and including `/v1`. */
  readonly baseUrl: string;
  readonly model: string;
  /** The name of the environment variable that holds the key; absent: no key is sent. */
  readonly apiKeyEnv?: string;
  /** Absolute. */
  readonly systemPromptFile?: string;
  /** Earlier messages of the conversation, of both sides, that the model is shown. */
  readonly historyWindow: number;
}

export type AgentConfig = CommandAgentConfig | OpenAiAgentConfig;

/** One declared argument of a quick command; filled by position or by name. */
export interface ArgSpec {
  /** Also the environment variable that carries the value. */
  readonly name: string;
  readonly default?: string;
  /** The whole value must match; read it with `readPattern`. */
  readonly pattern?: string;
  readonly choices?: readonly string[];
  readonly required: boolean;
  /** Takes all remaining words; only the last argument can. */
  readonly rest: boolean;
}

export interface ExecCommand {
  readonly type: 'exec';
  readonly name: string;
  readonly command: CommandLine;
  readonly timeoutMs: number;
  /** Between the request to end and the kill. */
  readonly graceMs: number;
  /** Absolute. */
  readonly cwd: string;
  readonly env: readonly string[];
  /** Runs of this command at the same time. */
  readonly concurrency: number;
  readonly allow: readonly Role[];
  /** In the order in which words fill them. */
  readonly args: readonly ArgSpec[];
  readonly description: string;
}

export interface AliasCommand {
  readonly type: 'alias';
  readonly name: string;
  /** The text that takes the alias' place: `/COMMAND …`, or words for the agent. */
  readonly target: string;
  readonly allow: readonly Role[];
  readonly description: string;
}

export type QuickCommand = ExecCommand | AliasCommand;

/**
 * A valid configuration: every key resolved, defaults and environment overrides applied. The records have no
 * prototype, so a name from a chat (`constructor`) finds only what the file defines.
 */
export interface Config {
  /** Always has `default`. */
  readonly agents: Readonly<Record<string, AgentConfig>>;
  /** How long a drain waits for the work; 0: not at all. */
  readonly drainTimeoutMs: number;
  /** Turns at the same time, all agents together. */
  readonly maxTurns: number;
  readonly busyInputMode: BusyInputMode;
  readonly quickCommands: Readonly<Record<string, QuickCommand>>;
  /** By its key (`platform:id`), what a conversation has of its own. Its agent is one of `agents`. */
  readonly conversations: Readonly<Record<string, { readonly agent: string }>>;
  /** People as `platform:id`. */
  readonly access: { readonly owners: readonly string[]; readonly users: readonly string[] };
  readonly shutdown: { readonly killGraceMs: number; readonly exitTimeoutMs: number };
  readonly turns: {
    /** What becomes of a message whose turn was cut off. */
    readonly resume: (typeof RESUME_MODES)[number];
    /** A message that waited longer is old. */
    readonly maxAgeMs: number;
    readonly onExpired: (typeof EXPIRED_MODES)[number];
  };
  /** Null: it is off. */
  readonly safeMode: {
    readonly deaths: number;
    readonly withinMs: number;
    readonly slowDeaths: number;
    readonly slowWithinMs: number;
    readonly quietMs: number;
  } | null;
  /** What was settled longer ago is deleted. */
  readonly store: { readonly retentionMs: number };
  readonly listen: { readonly http: Address | 'off' };
  readonly reload: { readonly watch: boolean };
  readonly inspector: { readonly xstateInspect: Address | 'off' };
  /** What each named platform's own schema made of its keys. */
  readonly platforms: Readonly<Record<string, unknown>>;
  readonly source: {
    readonly path: string;
    /** Relative paths of the file resolve against it; absolute. */
    readonly folder: string;
    readonly origin: ConfigOrigin;
    readonly text: string;
    /** True when `text` is the copy of the last good configuration, because the file was not valid. */
    readonly isLastGood?: boolean;
  };
}

/** What the schema must be told about the gateway it serves. */
export interface SchemaOptions {
  /** Names that no quick command may take. */
  readonly builtinNames: readonly string[];
  /** The platforms that exist, each with the schema of its keys. */
  readonly platformSchemas?: Readonly<Record<string, z.ZodType>>;
}

/** A configuration file as the schema leaves it: kinds checked, defaults filled in, durations in milliseconds. */
export type ConfigFile = z.output<ReturnType<typeof configFileSchema>>;

/** The schema of a whole file. Keys that stand there without a value must come in as undefined. */
export function configFileSchema({ builtinNames, platformSchemas = {} }: SchemaOptions) {
  return keyed({
    listen: keyed({ http: addressOrOff({ loopbackOnly: false }).prefault('127.0.0.1:7171') }).prefault({}),
    agent: defaultAgentSchema().prefault({}),
    agents: named(
      otherAgentSchema(),
      (name) => (name === 'default' ? 'is the agent under `agent`; write its keys there' : nameProblem(name)),
      {
        ...NAME_SHAPE,
        not: { const: 'default' },
      },
    ).prefault({}),
    display: keyed({ busy_input_mode: busyInputModeSchema().default('interrupt') }).prefault({}),
    quick_commands: named(quickCommandSchema(), (name) => commandNameProblem(name, builtinNames), {
      ...NAME_SHAPE,
      not: { enum: [...new Set([...builtinNames, ...RESERVED_NAMES])] },
    }).prefault({}),
    conversations: named(keyed({ agent: agentName() }), conversationProblem, CONVERSATION_SHAPE).prefault({}),
    access: keyed({ owners: people().prefault([]), users: people().prefault([]) }).prefault({}),
    shutdown: keyed({
      kill_grace: duration({ zero: true }).prefault('5s'),
      exit_timeout: duration({ zero: false }).prefault('10s'),
    }).prefault({}),
    turns: turnsSchema().prefault({}),
    safe_mode: safeModeSchema().prefault({}),
    store: storeSchema().prefault({}),
    reload: keyed({
      watch: flag().default(false),
    }).prefault({}),
    inspector: keyed({ xstate_inspect: addressOrOff({ loopbackOnly: true }).prefault('off') }).prefault({}),
    platforms: platformsSchema(platformSchemas).prefault({}),
  }).superRefine(({ agent, agents, conversations }, context) => {
    for (const { path, message } of judgeAgentUses({ agent, agents, conversations })) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
  }, DESPITE_ERRORS);
}

/** Why a quick command may not have this name; one that is suggested is not taken either. */
function commandNameProblem(name: string, builtinNames: readonly string[]): string | undefined {
  const isTaken = (other: string) => takenBy(other, builtinNames) !== undefined;
  return takenBy(name, builtinNames) ?? nameProblem(name, isTaken);
}

/** Why a quick command may not have a name that the gateway has, or is going to have. */
function takenBy(name: string, builtinNames: readonly string[]): string | undefined {
  const other = `choose another name, for example my-${name}`;
  if (builtinNames.includes(name)) return `is a built-in command and cannot be replaced; ${other}`;
  if (!RESERVED_NAMES.includes(name)) return undefined;
  return `is reserved for a built-in command of a later version; ${other}`;
}

function busyInputModeSchema() {
  return z.enum(BUSY_INPUT_MODES, { error: wants('a busy input mode', 'use interrupt, queue or steer') });
}

function agentName() {
  return text('the name of an agent', 'write default, or a name under `agents`');
}

/** A key as a status shows it, in the words of JSON Schema. */
const CONVERSATION_SHAPE = { pattern: '^[^:\\s]+:[^:\\s]+$' } as const;

function conversationProblem(key: string): string | undefined {
  if (/^[^:\s]+:[^:\s]+$/.test(key)) return undefined;
  return 'is no key of a conversation; write "PLATFORM:ID" as a status shows it, for example "telegram:12345"';
}

function people() {
  const error = wants('a person', 'write "PLATFORM:ID", for example "telegram:12345"');
  return z.array(z.string({ error }).regex(/^[a-z][a-z0-9_-]*:\S+$/, { error }), {
    error: wants('a list of people', 'write ["PLATFORM:ID"], for example ["telegram:12345"]'),
  });
}

/** The platforms there are, each by its own schema; a misspelt one is told apart from one of another version. */
function platformsSchema(schemas: Readonly<Record<string, z.ZodType>>) {
  const shape = Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, schema.optional()]),
  );
  const platforms = keyed(shape, (name, known) => {
    if (name === LOCAL_PLATFORM) return 'is always there; remove it';
    const [near] = nearest(name, known, 1);
    return near === undefined
      ? 'is not available in this version; remove it'
      : `unknown platform; did you mean ${near}?`;
  });
  return platforms.superRefine((value, context) => {
    for (const [name, keys] of Object.entries(value)) {
      if (keys !== undefined) continue;
      const message = 'is missing; write its keys below it, indented, or {} if it needs none';
      context.addIssue({ code: 'custom', path: [name], message });
    }
  }, DESPITE_ERRORS);
}
