/**
 * The keys that describe an agent, under `agent` (the one named default, and the limits that hold for all) and under
 * each of `agents`: a program (`type: command`, also without a type), or a model behind an OpenAI-compatible API.
 */
import { z } from 'zod';
import {
  commandLine,
  duration,
  environmentName,
  folder,
  httpAddress,
  keyed,
  text,
  unknownKey,
  wants,
  whole,
} from './fields.ts';
import { byType, DESPITE_ERRORS } from './forms.ts';

/** Most turns at the same time that a file may ask for. */
const TURNS_MAX = 256;

/** Most earlier messages of a conversation that a model may be shown. */
const HISTORY_MESSAGES_MAX = 1000;

/** Most failures in a row that a file may ask for. */
const FAILURES_MAX = 1000;

/** Whether a turn of a program may change something outside: a file, a service, a calendar. */
const EFFECTS = ['none', 'possible'] as const;

/** Agent types that have a meaning, but not in this version. */
const LATER_TYPES: readonly unknown[] = ['acp'];

/**
 * The schema of `agent`. Without any key that describes an agent the built-in demo agent is meant; with one of a program
 * `command` is required.
 */
export function defaultAgentSchema() {
  const { command, ...keys } = programKeys();
  const limits = {
    restart_drain_timeout: duration({ zero: true }).prefault('60s'),
    max_turns: whole(1, TURNS_MAX).default(8),
  };
  const program = keyed({ ...keys, command: command.optional(), ...limits }, unknownInProgram)
    .superRefine((value, context) => {
      const described = value.type !== undefined || value.cwd !== undefined;
      if (value.command === undefined && described) {
        const message = 'is missing; write the program that answers, for example "./agent.sh"';
        context.addIssue({ code: 'custom', path: ['command'], message });
      }
    }, DESPITE_ERRORS)
    .meta({ dependencies: { type: ['command'], cwd: ['command'] } });
  const model = keyed({ ...modelKeys(), ...limits }, unknownInModel);
  return byType([program, model], typeProblem);
}

/** The schema of each of `agents`. */
export function otherAgentSchema() {
  const limits = { max_turns: whole(1, TURNS_MAX).optional() };
  const program = keyed({ ...programKeys(), ...limits }, unknownInProgram);
  const model = keyed({ ...modelKeys(), ...limits }, unknownInModel);
  return byType([program, model], typeProblem);
}

function programKeys() {
  return {
    type: z.literal('command').optional(),
    command: commandLine(),
    cwd: folder().optional(),
    effects: z
      .enum(EFFECTS, { error: wants('what its turns may do', 'use none or possible') })
      .default('possible'),
    turn_timeout: duration({ zero: false }).prefault('30m'),
    failure_threshold: whole(1, FAILURES_MAX).default(5),
  };
}

function modelKeys() {
  return {
    type: z.literal('openai'),
    base_url: httpAddress(),
    model: text('a model', 'write its name as its server has it, for example qwen3'),
    api_key_env: environmentName().optional(),
    system_prompt_file: text(
      'a file',
      'write its path, absolute or relative to the folder of this file',
    ).optional(),
    history_window: whole(0, HISTORY_MESSAGES_MAX).default(40),
    turn_timeout: duration({ zero: false }).prefault('30m'),
    failure_threshold: whole(1, FAILURES_MAX).default(5),
  };
}

/** A key of the other type is told apart from one that nobody knows. */
function unknownInProgram(key: string, known: readonly string[]): string {
  const belongs = Object.hasOwn(modelKeys(), key);
  return belongs ? 'is a key of type openai; write type: openai beside it' : unknownKey(key, known);
}

function unknownInModel(key: string, known: readonly string[]): string {
  const belongs = Object.hasOwn(programKeys(), key);
  return belongs ? 'is a key of type command; remove it, or use that type' : unknownKey(key, known);
}

/** The error of the union of types: about the type when there is a mapping, about the mapping otherwise. */
function typeProblem({ code, input }: { code?: string | undefined; input?: unknown }): string {
  if (code !== 'invalid_union') return wants('an agent', 'write { type: command, command: … }')({ input });
  const { type } = input as { type?: unknown };
  if (LATER_TYPES.includes(type)) return `${type} is not available in this version; use command or openai`;
  return wants('an agent type', 'use command or openai')({ input: type });
}
