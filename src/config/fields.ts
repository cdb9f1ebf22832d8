/**
 * The kinds of values that configuration keys take, as Zod schemas whose errors a person can act on. Every message
 * has the form "what is wrong; what would be right"; the place and the key are added by `problems.ts`.
 */
import { z } from 'zod';
import { nearest } from '../messages/near.ts';
import { quoted } from './quoted.ts';
import { DURATION_MS_MAX, isLoopback, parseAddress, parseDurationMs } from './units.ts';

/** Longest name of a quick command or agent. */
export const NAME_LENGTH_MAX = 64;

/** What Zod tells an error function: as much of it as is used here. */
interface Refusal {
  readonly code?: string | undefined;
  readonly input?: unknown;
  readonly keys?: readonly string[];
}

/** How the message for an absent value begins. */
export const MISSING = 'is missing';

/** The error function of a field: `VALUE is not WHAT; RIGHT`, and for an absent one `is missing; RIGHT`. */
export function wants(what: string, right: string): (refusal: Refusal) => string {
  return ({ input }) => `${input === undefined ? MISSING : `${quoted(input)} is not ${what}`}; ${right}`;
}

/** What an unknown key is answered with, given those that are known in its place. */
export function unknownKey(key: string, known: readonly string[]): string {
  const [near] = nearest(key, known, 1);
  if (near !== undefined) return `unknown key; did you mean ${near}?`;
  return known.length === 0
    ? 'unknown key; none is known here'
    : `unknown key; known here: ${known.join(', ')}`;
}

/**
 * A mapping with these keys and no others. The message of an `unrecognized_keys` issue holds one line for each of
 * its keys, in their order, because Zod reports all unknown keys of a mapping as one issue.
 */
export function keyed<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
  unknown: (key: string, known: readonly string[]) => string = unknownKey,
) {
  const known = Object.keys(shape);
  const notMapping = (refusal: Refusal) => {
    const meant = onlyKeyMeant(shape, refusal.input);
    const right = meant ?? 'write its keys below it, one a line, indented';
    return wants('a mapping', right)(refusal);
  };
  return z.strictObject(shape, {
    error: (refusal: Refusal) =>
      refusal.keys === undefined
        ? notMapping(refusal)
        : refusal.keys.map((key) => unknown(key, known)).join('\n'),
  });
}

/** `listen: off`: the value of the one key that can be meant, written where the mapping should be. */
function onlyKeyMeant(shape: z.core.$ZodLooseShape, input: unknown): string | undefined {
  const [[key, schema] = [], ...others] = Object.entries(shape);
  if (key === undefined || schema === undefined || others.length > 0 || typeof input === 'object')
    return undefined;
  const fits = (value: unknown) => z.safeParse(schema, value).success;
  const meant = (OTHER_WORDS.get(input) ?? [input]).find((value) => value !== undefined && fits(value));
  if (meant === undefined) return undefined;
  const shown =
    typeof meant !== 'string' || /^[\w.:/-]+$/.test(meant) ? String(meant) : JSON.stringify(meant);
  return `write { ${key}: ${shown} } in its place`;
}

/** What YAML 1.1 writers mean by these, in the order in which a key may take it. */
const OTHER_WORDS: ReadonlyMap<unknown, readonly unknown[]> = new Map<unknown, readonly unknown[]>([
  ...[false, 'off', 'no'].map((word) => [word, ['off', false]] as const),
  ...['on', 'yes'].map((word) => [word, [true]] as const),
]);

/** True or false, as YAML 1.2 has them. Who writes `yes` or "true" is told which of them that is. */
export function flag() {
  const error = ({ input }: Refusal): string => {
    const word = typeof input === 'string' ? input.trim().toLowerCase() : undefined;
    if (word === 'true' || word === 'false') {
      return `${quoted(input)} is a text, not true or false; write ${word} without quotes`;
    }
    const meant = FLAG_WORDS.find(([, words]) => word !== undefined && words.includes(word))?.[0];
    return wants('true or false', `write ${meant ?? 'true or false'}`)({ input });
  };
  return z.boolean({ error });
}

/** What other languages, YAML 1.1 among them, mean by these. */
const FLAG_WORDS: readonly (readonly [meant: boolean, words: readonly string[]])[] = [
  [true, ['yes', 'y', 'on', '1']],
  [false, ['no', 'n', 'off', '0']],
];

/** What `nameProblem` takes, in the words of JSON Schema. */
export const NAME_SHAPE = { pattern: `^[a-z0-9][a-z0-9_-]{0,${NAME_LENGTH_MAX - 1}}$` } as const;

/** Why `name` cannot name a quick command or an agent, with one that can and is not taken; undefined when it can. */
export function nameProblem(
  name: string,
  isTaken: (name: string) => boolean = () => false,
): string | undefined {
  if (/^[a-z0-9][a-z0-9_-]*$/.test(name)) {
    return name.length <= NAME_LENGTH_MAX
      ? undefined
      : `is too long; use at most ${NAME_LENGTH_MAX} characters`;
  }
  // `ünï` is `uni` without what stands over its letters.
  const fitting = name
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[_-]+|-+$/g, '')
    .slice(0, NAME_LENGTH_MAX);
  const rule = 'use lower-case letters, digits, - and _, beginning with a letter or digit';
  return `is not a name; ${rule}${fitting === '' ? '' : `, for example ${isTaken(fitting) ? `my-${fitting}` : fitting}`}`;
}

/** Without NUL, and more than white space. */
const TEXT_PATTERN = '^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$';

/** A text that says something; `what` and `right` as in `wants`. NUL cannot be handed to a program. */
export function text(what: string, right: string) {
  const error = wants(what, right);
  return z
    .string({ error })
    .refine((value) => value.trim() !== '' && !value.includes('\0'), { error })
    .meta({ pattern: TEXT_PATTERN });
}

/** A whole number of `min` to `max`, both included. */
export function whole(min: number, max: number) {
  const error = wants(`a whole number of ${min} to ${max}`, `write one, for example ${min}`);
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/**
 * Milliseconds, from seconds or a text with a unit; at most a day, or `daysMax` where no timer waits that long. `zero`
 * says whether 0 has a meaning.
 */
export function duration({ zero, daysMax = 1 }: { zero: boolean; daysMax?: number }) {
  const right = 'write seconds, or a text as "30s", "5m", "2h", "10ms"';
  return z
    .union([z.number(), z.string()], { error: wants('a duration', right) })
    .transform((value, context): number => {
      const problem = durationProblem(value, zero, daysMax);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: `${quoted(value)} ${problem}` });
      return parseDurationMs(value) ?? 0;
    })
    .meta({
      ...(zero ? { minimum: 0 } : { exclusiveMinimum: 0 }),
      maximum: (daysMax * DURATION_MS_MAX) / 1_000,
      pattern: `^\\s*${zero ? '' : '(?=.*[1-9])'}\\d{1,15}(\\.\\d{1,9})?(ms|s|m|h|d)?\\s*$`,
    });
}

/** Why the value cannot be a duration, as "is …; …"; undefined when it can. */
export function durationProblem(value: string | number, zero: boolean, daysMax = 1): string | undefined {
  const ms = parseDurationMs(value);
  if (ms === undefined) return 'is not a duration; write seconds, or a text as "30s", "5m", "2h", "10ms"';
  if (ms < 0) return `is negative; write ${zero ? '0 or more' : 'more than 0'}`;
  if (ms === 0 && !zero) return 'leaves no time at all; write more than 0';
  if (ms <= daysMax * DURATION_MS_MAX) return undefined;
  return daysMax === 1
    ? 'is more than 24 hours; write at most 24h'
    : `is more than ${daysMax} days; write at most ${daysMax}d`;
}

/** An address, or `off`. YAML 1.1 writers mean `false` by `off`, so it is taken for the same. */
export function addressOrOff({ loopbackOnly }: { loopbackOnly: boolean }) {
  const error = wants('an address', 'write HOST:PORT, for example 127.0.0.1:7171, or off');
  return z
    .union([z.string(), z.literal(false)], { error })
    .transform((value, context) => {
      if (value === false || value.trim() === 'off') return 'off' as const;
      const address = parseAddress(value);
      if (address === undefined) {
        context.addIssue({ code: 'custom', message: error({ input: value }) });
      } else if (loopbackOnly && !isLoopback(address.host)) {
        const message = `${quoted(value)} can be reached from other machines; use 127.0.0.1, [::1] or localhost`;
        context.addIssue({ code: 'custom', message });
      }
      return address ?? ('off' as const);
    })
    .meta({ pattern: `^\\s*(off|(${loopbackOnly ? LOOPBACK_PATTERN : HOST_PATTERN}):\\d{1,5})\\s*$` });
}

/** Hosts in the words of JSON Schema; letters count in both cases. */
const HOST_PATTERN = '\\[[0-9A-Fa-f:.]{2,45}\\]|[0-9A-Za-z.-]{1,253}';
const LOOPBACK_PATTERN = '\\[::1\\]|[Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt]|127(\\.\\d{1,3}){3}';

/** What is run: a text for a shell, or a program and its arguments as a list. */
export function commandLine() {
  const right = 'write a text for a shell, or a list of quoted texts, for example ["df", "-h"]';
  const list = z
    .array(
      z
        .string()
        .refine((word) => !word.includes('\0'))
        .meta({ pattern: '^[^\\u0000]*$' }),
    )
    .refine(([program]) => program !== undefined && program.trim() !== '', {
      error: wants('a command', right),
    })
    .meta({ minItems: 1 });
  return z.union([text('a command', right), list], { error: wants('a command', right) });
}

/** The path of a folder, as written. */
export function folder() {
  return text('a folder', 'write its path, absolute or relative to the folder of this file');
}

/** The address of an API. What opens it is no part of it: an address is shown in replies and logs. */
export function httpAddress() {
  const error = wants(
    'an address',
    'write it with http:// or https://, for example http://127.0.0.1:11434/v1',
  );
  return z
    .string({ error })
    .superRefine((value, context) => {
      const url = /^https?:\/\//i.test(value) && URL.canParse(value) ? new URL(value) : undefined;
      if (url === undefined || url.hash !== '') {
        context.addIssue({ code: 'custom', message: error({ input: value }) });
      } else if (url.username !== '' || url.password !== '') {
        const message = 'holds a password; name the environment variable that holds the key in api_key_env';
        context.addIssue({ code: 'custom', message });
      }
    })
    .meta({ pattern: '^[Hh][Tt][Tt][Pp][Ss]?://[^@#]+$' });
}

/** The name of an environment variable. */
export function environmentName() {
  const error = wants('the name of an environment variable', 'write it without $ and without a value');
  return z.string({ error }).regex(ENVIRONMENT_NAME, { error });
}

/** Names of environment variables, each once. */
export function environmentNames() {
  return z
    .array(environmentName(), {
      error: wants('a list', 'write the names of environment variables, for example [HOME, LANG]'),
    })
    .transform((names) => [...new Set(names)]);
}

/** What POSIX shells and every system take for the name of an environment variable. */
export const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
