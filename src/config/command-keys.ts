/**
 * The keys of a quick command: an `exec` runs a program, an `alias` stands for another text. The names and meanings
 * of type, command, target and timeout are those of hermes-agent, so that its blocks can be pasted over.
 */
import { z } from 'zod';
import { placeProblem } from './argument-places.ts';
import { argumentsSchema } from './arguments.ts';
import { commandLine, duration, environmentNames, folder, keyed, text, wants, whole } from './fields.ts';
import { byType, DESPITE_ERRORS, isMapping } from './forms.ts';

export const ROLES = ['owner', 'user'] as const;

/** Most runs of one command at the same time that a file may ask for. */
const CONCURRENCY_MAX = 64;

/** Longest description; the lists that chat platforms show cut earlier than this. */
const DESCRIPTION_LENGTH_MAX = 256;

export function quickCommandSchema() {
  return byType([execSchema(), aliasSchema()], ({ code, input }) =>
    code === 'invalid_union'
      ? wants('a type of quick command', 'use exec or alias')({ input: (input as { type?: unknown }).type })
      : wants('a quick command', 'write { type: exec, command: … } or { type: alias, target: … }')({ input }),
  );
}

function execSchema() {
  return keyed({
    type: z.literal('exec'),
    command: commandLine(),
    timeout: duration({ zero: false }).prefault('30s'),
    grace: duration({ zero: true }).prefault('2s'),
    cwd: folder().optional(),
    env: environmentNames().prefault([]),
    concurrency: whole(1, CONCURRENCY_MAX).default(1),
    args: argumentsSchema().prefault({}),
    ...sharedKeys(),
  }).superRefine((given, context) => {
    const { command, args }: { command?: unknown; args?: unknown } = given;
    if (!isTexts(command) || !isMapping(args)) return;
    const declared = new Map(
      Object.entries(args).map(([name, keys]) => [name, { rest: isMapping(keys) && keys.rest === true }]),
    );
    for (const index of command.keys()) {
      const message = placeProblem(command, index, declared);
      if (message !== undefined) context.addIssue({ code: 'custom', path: ['command', index], message });
    }
  }, DESPITE_ERRORS);
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

function aliasSchema() {
  return keyed({
    type: z.literal('alias'),
    target: text('a target', 'write what it stands for, for example "/restart"'),
    ...sharedKeys(),
  });
}

function sharedKeys() {
  const rolesError = wants('a list of roles', 'write [owner] or [owner, user]');
  return {
    allow: z
      .array(z.enum(ROLES, { error: wants('a role', 'use owner or user') }), { error: rolesError })
      .min(1, { error: rolesError })
      .transform((roles) => [...new Set(roles)])
      .prefault(['owner']),
    description: z
      .string({ error: wants('a text', 'put it in quotes') })
      .max(DESCRIPTION_LENGTH_MAX, { error: `is too long; use at most ${DESCRIPTION_LENGTH_MAX} characters` })
      .default(''),
  };
}
