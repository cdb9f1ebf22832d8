/**
 * What was thrown, as text. It may quote what it was about, an address with its key or a line of a file: what is or looks
 * like a secret is taken out here, once, and what is logged, reported and told to the chart is made of this.
 */
import type { Failure } from '../../machines/events.ts';
import { withoutSecrets } from '../config/redact.ts';
import { failureOf, messageOf } from '../errors.ts';
import type { Secrets } from '../telemetry/secrets.ts';

/** Errors behind an error that its text names. */
const CAUSES_MAX = 5;

export interface Fault {
  /** One line. */
  readonly message: string;
  /** With those of its causes; null where what was thrown has none. */
  readonly stack: string | null;
}

export function faultOf(thrown: unknown, secrets: Secrets): Fault {
  const clean = (text: string) => withoutSecrets(secrets.redact(text));
  const stacks: string[] = [];
  for (let one = thrown; one instanceof Error && stacks.length <= CAUSES_MAX; one = one.cause) {
    stacks.push(one.stack ?? messageOf(one));
  }
  const stack = stacks.length === 0 ? null : clean(stacks.join('\ncaused by '));
  return { message: clean(messageOf(thrown)), stack };
}

/** The failure that the chart is told of what was thrown. */
export function faultFailure(thrown: unknown, secrets: Secrets): Failure {
  const failure = failureOf(thrown);
  const message =
    failure.kind === 'fault' ? faultOf(thrown, secrets).message : secrets.redact(failure.message);
  return { ...failure, message };
}
