/**
 * The declared arguments of a quick command: what a person may write after `/NAME`. A value reaches the command as an
 * environment variable, so names that change how programs run are refused; what a file promises (a default, choices)
 * must fit its own pattern.
 */
import { z } from 'zod';
import { ENVIRONMENT_NAME, flag, keyed, text, wants } from './fields.ts';
import { DESPITE_ERRORS, named } from './forms.ts';
import { readPattern } from './patterns.ts';
import { quoted, quotedText } from './quoted.ts';

/** Names that a word from a chat must never set: they choose programs, libraries and start-up files. */
const RESERVED_NAME =
  /^(PATH|HOME|SHELL|IFS|ENV|CDPATH|BASH_.*|NODE_.*|PYTHON.*|PERL.*|RUBY.*|LD_.*|DYLD_.*|SLUICE_.*)$/;

/** The schema of `args`; its output keeps the order in which the file names them. */
export function argumentsSchema() {
  const shape = { pattern: ENVIRONMENT_NAME.source, not: { pattern: RESERVED_NAME.source } };
  return named(argumentSchema(), argumentNameProblem, shape).superRefine((args, context) => {
    for (const name of Object.keys(args).slice(0, -1)) {
      if (args[name]?.rest === true) {
        const message = 'takes all remaining words, so none is left for the next; make it the last one';
        context.addIssue({ code: 'custom', path: [name, 'rest'], message });
      }
    }
  }, DESPITE_ERRORS);
}

function argumentNameProblem(name: string): string | undefined {
  if (RESERVED_NAME.test(name)) return 'changes how programs run; choose another name';
  if (ENVIRONMENT_NAME.test(name)) return undefined;
  return 'is not a name for an argument; use letters, digits and _, for example LINES';
}

function argumentSchema() {
  const word = z.string({ error: wants('a text', 'put it in quotes') });
  return keyed({
    default: word.optional(),
    pattern: text('a pattern', 'write a regular expression in quotes').optional(),
    choices: z
      .array(word, { error: wants('a list of texts', 'write the values it may have, for example [on, off]') })
      .min(1, { error: wants('a list with a value in it', 'write the values it may have') })
      .optional(),
    required: flag().default(false),
    rest: flag().default(false),
  }).superRefine((argument, context) => {
    const refuse = (key: string, message: string) =>
      context.addIssue({ code: 'custom', path: [key], message });
    const pattern = typeof argument.pattern === 'string' ? readPattern(argument.pattern) : undefined;
    if (typeof pattern === 'string')
      return refuse('pattern', `${quoted(argument.pattern)} ${pattern.replace(/`.*`/s, quotedText)}`);
    const choices: unknown = argument.choices;
    const words = Array.isArray(choices) ? choices.filter((choice) => typeof choice === 'string') : undefined;
    const misfit = words?.find((choice) => pattern?.matches(choice) === false);
    if (misfit !== undefined)
      refuse('choices', `${quoted(misfit)} does not match the pattern; correct one of them`);
    const value: unknown = argument.default;
    if (typeof value !== 'string') return;
    if (argument.required === true)
      refuse('default', 'is never used, because the argument is required; remove one of the two');
    if (pattern?.matches(value) === false) {
      refuse('default', `${quoted(value)} does not match the pattern; correct one of them`);
    }
    if (words?.includes(value) === false) {
      refuse('default', `${quoted(value)} is none of the choices; use one of them`);
    }
  }, DESPITE_ERRORS);
}
