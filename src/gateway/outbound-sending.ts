/**
 * Takes one message a step on: tries to send it, or asks whether it arrived, and writes down what came of it. When the
 * next step is due is not decided here: that is its line's matter.
 */
import type { Clock } from '../clock.ts';
import type { Outbound } from '../messages/outbound.ts';
import { possiblyTwice } from '../messages/replies.ts';
import type { Platform } from '../platforms/platform.ts';
import type { Log } from '../telemetry/log.ts';
import { isDeferral, type OpenState, OUTBOX_AGE_MS_MAX, type Step, stepFor } from './delivery-policy.ts';
import { type AttemptOptions, askOnce, type Ending, sendOnce } from './outbound-attempt.ts';
import type { Letter } from './outbound-line.ts';
import type { Mark, OutboundMarks } from './outbound-marks.ts';
import { soFarOf } from './outbound-so-far.ts';
import type { UnarrivedMessages } from './outbound-unarrived.ts';

const UNCLAIMED: Ending = {
  happening: 'unclaimed',
  error: 'it could not be put on disk that it is being sent',
};

export interface SendingOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly life: () => number;
  readonly marks: OutboundMarks;
  readonly unarrived: UnarrivedMessages;
}

export class OutboundSending {
  readonly #options: SendingOptions;

  constructor(options: SendingOptions) {
    this.#options = options;
  }

  /** Why it is not to be sent any more; null: it is. */
  unwanted({ discardedBy, since }: Letter): Ending | null {
    if (discardedBy !== null) return { happening: 'discarded', error: discardedError(discardedBy) };
    const isOld = this.#options.clock.wallMs() - since > OUTBOX_AGE_MS_MAX;
    return isOld ? { happening: 'too-old', error: 'it could not be sent for 24 hours' } : null;
  }

  /** `hindrance`: why it cannot go after all, looked at once more when it is claimed. */
  async attempt(letter: Letter, how: AttemptOptions, hindrance: () => Ending | null): Promise<Ending> {
    const { marks, clock, life } = this.#options;
    const { row, stored } = letter;
    if (letter.asksFirst) return askOnce(outboundOf(letter), how);
    const claim: Mark = { op: 'sending', id: row.id, life: life(), at: clock.wallMs() };
    // Sent without it, a death would have the next life send it again as if it had never left.
    if (stored && !(await marks.claim(claim))) return UNCLAIMED;
    letter.state = 'sending';
    return hindrance() ?? sendOnce(outboundOf(letter), how);
  }

  /** Brings the message to what the table says of it, on disk, too. */
  async settle(letter: Letter, ending: Ending, platform: Platform | undefined): Promise<Step> {
    const { state, plain } = letter;
    const step = stepFor(state, ending.happening, {
      sendsOnce: platform?.capabilities?.sendsOnce === true,
      canAsk: platform?.reconcile !== undefined,
      plain,
      cuts: letter.cuts + 1,
    });
    if (step === null) throw new Error(`${ending.happening} cannot happen to a message that is ${state}`);
    if (step.counts) letter.attempts += 1;
    if (ending.happening === 'cut') letter.cuts += 1;
    if (step.next === 'backoff' || step.next === 'ask-later') letter.failures += 1;
    letter.asksFirst = step.next === 'ask' || step.next === 'ask-later';
    letter.orphaned = false;
    letter.plain ||= step.as === 'plain';
    letter.marked ||= step.as === 'marked';
    const marks = this.#marksOf(letter.row.id, state, step, ending);
    this.#takeState(letter, step, ending);
    for (const mark of marks) if (mark.op === 'unsent') letter.unsent = mark;
    if (letter.stored && marks.length > 0) await this.#options.marks.write(...marks);
    this.#log(letter, step, ending);
    return step;
  }

  /** It waits, and its row says for what. */
  async keepBack({ row, stored, state }: Letter, error: string): Promise<void> {
    if (!stored || state !== 'pending') return;
    await this.#options.marks.write({ op: 'unsent', id: row.id, at: this.#options.clock.wallMs(), error });
  }

  /** In one tick with what was seen, so that a row written for it meanwhile says no less. */
  #takeState(letter: Letter, { state }: Step, { error }: Ending): void {
    const { clock, unarrived } = this.#options;
    const { row, hadRow } = letter;
    const was = soFarOf(letter);
    if (state === 'delivered') letter.arrived = true;
    else if (state !== 'dead') letter.state = state;
    else if (!hadRow) unarrived.add(row.id, { as: 'dead', was, error: error ?? '', at: clock.wallMs() });
  }

  #marksOf(id: string, before: Letter['state'], step: Step, ending: Ending): Mark[] {
    const at = this.#options.clock.wallMs();
    const error = ending.error ?? '';
    switch (step.state) {
      case 'delivered': {
        const { platformSentId } = ending;
        return [{ op: 'sent', id, at, ...(platformSentId === undefined ? {} : { platformSentId }) }];
      }
      case 'dead':
        return deadMarks(id, { was: before, error, at });
      case 'unknown':
        return before === 'unknown' ? [] : [{ op: 'outbound.end', id, at, state: 'unknown', error }];
      default: {
        if (before === 'pending') return [];
        const nextAt = step.next === 'named-wait' ? { nextAt: at + (ending.retryAfterMs ?? 0) } : {};
        const deferred = isDeferral(ending.happening) ? { deferred: true as const } : {};
        return [{ op: 'unsent', id, at, error, ...nextAt, ...deferred }];
      }
    }
  }

  /** The first failure of a row is said aloud, and its death; what lies between is for who looks closely. */
  #log({ row, attempts, failures }: Letter, { state, next }: Step, { error }: Ending): void {
    if (state === 'delivered' || error === null) return;
    const { id: outbound, platform, conversation } = row;
    const fields = { outbound, platform, conversation, attempts, next, error };
    if (state === 'dead') this.#options.log.warn(fields, 'a message will not be sent');
    else if (failures <= 1) this.#options.log.warn(fields, 'a message could not be sent');
    else this.#options.log.debug(fields, 'a message could not be sent');
  }
}

/** How a message is given up, by what it was. */
export function deadMarks(
  id: string,
  { was, error, at }: { readonly was: OpenState; readonly error: string; readonly at: number },
): Mark[] {
  const dead: Mark = { op: 'outbound.end', id, at, state: 'dead', error };
  // By way of `pending`, which remembers that it may have arrived, should a person send it after all.
  return was === 'unknown' ? [{ op: 'outbound.retry', id, at }, dead] : [dead];
}

/** `by`: an actor. */
export const discardedError = (by: string): string => `discarded by ${by}`;

function outboundOf({ row, marked, plain }: Letter): Outbound {
  const { id, platform, conversation, kind, messageId } = row;
  const text = marked ? `${row.text}\n${possiblyTwice()}` : row.text;
  return { id, platform, conversation, text, kind, messageId, ...(plain ? { plain } : {}) };
}
