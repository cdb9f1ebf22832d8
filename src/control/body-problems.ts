/** What is wrong with the body of a request, value by value, in words that say what to write instead. */
import type { z } from 'zod';
import { echoed } from '../messages/echoed.ts';
import { nearest } from '../messages/near.ts';
import { type ApiReply, failure } from './api-reply.ts';

/** Problems of one request that its reply names. */
const PROBLEMS_MAX = 5;

/** Names each wrong value, and for each unknown key the known one that was probably meant. */
export function invalid(error: z.ZodError, known: readonly string[]): ApiReply {
  const problems = error.issues.slice(0, PROBLEMS_MAX).flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.slice(0, PROBLEMS_MAX).map((key) => unknownKey(key, known));
    }
    return [`${issue.path.join('.') || 'the body'} ${wanted(issue)}`];
  });
  return failure(400, 'MESSAGE_INVALID', problems.join('; '));
}

/** What a value must be, completing its name: `text must be a string`. */
function wanted(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be one of ${issue.values.join(', ')}`;
    case 'too_small':
      if (issue.origin === 'string') return 'must not be empty';
      return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
    case 'too_big':
      if (issue.origin === 'array') return issue.message;
      return `must be at most ${issue.maximum}${issue.origin === 'string' ? ' characters long' : ''}`;
    default:
      return issue.message;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a JSON object',
  array: 'a list',
};

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known, 1);
  const meant = near.length > 0 ? `did you mean "${near[0]}"?` : `known are ${known.join(', ')}`;
  return `there is no key "${echoed(key)}": ${meant}`;
}
