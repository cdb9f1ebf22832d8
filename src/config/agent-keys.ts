/**
 * The keys that describe an agent program, under `agent` (the one named default, and the limits that hold for all)
 * and under each of `agents`.
 */
import { z } from 'zod';
import { commandLine, duration, environmentNames, folder, keyed, wants, whole } from './fields.ts';

/** Most turns at the same time that a file may ask for. */
const TURNS_MAX = 256;

/** Agent types that have a meaning, but not in this version. */
const LATER_TYPES: readonly unknown[] = ['openai', 'acp'];

/**
 * The schema of `agent`. Without any key that describes a program the built-in demo agent is meant; with one of them
 * `command` is required.
 */
export function defaultAgentSchema() {
  const { command, ...keys } = programKeys();
  const agent = keyed({
    ...keys,
    command: command.optional(),
    restart_drain_timeout: duration({ zero: true }).prefault('60s'),
    max_turns: whole(1, TURNS_MAX).default(8),
  }).superRefine((value, context) => {
    const described = value.type !== undefined || value.cwd !== undefined || value.env.length > 0;
    if (value.command === undefined && described) {
      const message = 'is missing; write the program that answers, for example "./agent.sh"';
      context.addIssue({ code: 'custom', path: ['command'], message });
    }
  });
  return z.discriminatedUnion('type', [agent], { error: typeProblem });
}

/** The schema of each of `agents`. */
export function otherAgentSchema() {
  const agent = keyed({ ...programKeys(), max_turns: whole(1, TURNS_MAX).optional() });
  return z.discriminatedUnion('type', [agent], { error: typeProblem });
}

function programKeys() {
  return {
    type: z.literal('command').optional(),
    command: commandLine(),
    cwd: folder().optional(),
    env: environmentNames().prefault([]),
    turn_timeout: duration({ zero: false }).prefault('30m'),
  };
}

/** The error of the union of types: about the type when there is a mapping, about the mapping otherwise. */
function typeProblem({ code, input }: { code?: string | undefined; input?: unknown }): string {
  if (code !== 'invalid_union') return wants('an agent', 'write { type: command, command: … }')({ input });
  const { type } = input as { type?: unknown };
  if (LATER_TYPES.includes(type)) return `${type} is not available in this version; use type command`;
  return wants('an agent type', 'use type command')({ input: type });
}
