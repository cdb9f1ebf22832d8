/**
 * The patterns that arguments of quick commands have. They are tried on what people write, inside of the gateway: so
 * they are read as RE2 does, in a time that grows with the value and never beyond, and what could still take long by its
 * sheer size is refused when the configuration is loaded. Pure.
 */
import { RE2JS, RE2JSException } from 're2js';
import { messageOf } from '../errors.ts';

/** Longest pattern. */
export const PATTERN_LENGTH_MAX = 1000;

/** Most steps of a pattern, counted as RE2 does after it has written out the repeats: `.{0,1000}` has 2,002. */
export const PATTERN_STEPS_MAX = 2500;

/** Longest value that a pattern is tried on. With the most steps a pattern may have that is a fraction of a second. */
export const PATTERN_VALUE_LENGTH_MAX = 2000;

export interface ArgumentPattern {
  /**
   * True when the whole value matches: a pattern that matched anywhere would let `[0-9]+` pass `1; reboot`. A value
   * that is too long does not.
   */
  matches(value: string): boolean;
}

/**
 * Reads a pattern in RE2's syntax, or says why it cannot be used, as "what is wrong; what would be right". What it has
 * read is to be used and let go: trying it builds up tables.
 */
export function readPattern(pattern: string): ArgumentPattern | string {
  if (pattern.length > PATTERN_LENGTH_MAX) {
    return `is longer than ${PATTERN_LENGTH_MAX} characters; write a shorter one, and judge the rest in the command`;
  }
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    // The library's `error parsing regexp: REASON: PART`, without what is said already.
    const reason = messageOf(error).replace(/^error parsing regexp: /, '');
    return `is no regular expression: ${reason}; ${adviceFor(reason)}`;
  }
  if (compiled.programSize() > PATTERN_STEPS_MAX) {
    return 'is too large once its repeats are written out; repeat less, and judge the rest in the command';
  }
  return { matches: (value) => value.length <= PATTERN_VALUE_LENGTH_MAX && compiled.testExact(value) };
}

/** What people bring along from other engines, as the reason names it. */
const ADVICE: readonly (readonly [reason: RegExp, advice: string])[] = [
  [/: `\(\?<?[=!]/, 'write it without looking ahead or back, or judge it in the command'],
  [/: `\\(?:[1-9]|k)/, 'write it without referring back to a group, or judge it in the command'],
  [/: `\\u/, 'write \\x{E9} for \\u00E9'],
  [/^invalid repeat count/, 'repeat a part 1,000 times at most; repeats within repeats multiply'],
];

const adviceFor = (said: string): string => ADVICE.find(([reason]) => reason.test(said))?.[1] ?? 'correct it';
