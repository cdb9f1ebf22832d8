/**
 * A text to the gateway, followed to its outcome, with its replies printed as they come: what `sluice send` and a chat
 * by lines have in common.
 */
import type { Clock } from '../clock.ts';
import { isSluiceError, SluiceError } from '../errors.ts';
import { lineAt } from './command-line.ts';
import type { Context } from './context.ts';
import { isOwned, ownerOf } from './departure.ts';
import { type Followed, followMessage, type MessageBody } from './message.ts';
import { GONE } from './ownerless.ts';

/** How long the gateway may take to decide. */
const ADMISSION_MS_MAX = 30_000;

/**
 * What is kept of that for the answer of a gateway that is too late to take the message: it can still say so, and one that
 * wakes after its sender has gone does not take it at all. At most, and as a share of less time.
 */
const LATE_ANSWER_MS_MAX = 500;
const LATE_ANSWER_SHARE = 0.25;

export interface FollowTextOptions {
  readonly clock: Clock;
  /** False: returns after the admission. */
  readonly wait: boolean;
  /** How long until the outcome must be there. */
  readonly timeoutMs: number;
}

/**
 * Rejects as `followMessage`; says whether the message is on disk, was taken, or may have been, and what to do. The
 * gateway is told until when it may be taken.
 */
export async function followText(
  context: Context,
  body: MessageBody,
  { clock, wait, timeoutMs }: FollowTextOptions,
): Promise<Followed> {
  const { output, control, json } = context;
  const shown = new Shown(json ? () => {} : (piece) => output.write(piece));
  let decided: Record<string, unknown> | undefined;
  let said: string | undefined;
  const decideMs = Math.min(ADMISSION_MS_MAX, timeoutMs);
  const deadlineAt = Math.ceil(
    clock.wallMs() + decideMs - Math.min(LATE_ANSWER_MS_MAX, decideMs * LATE_ANSWER_SHARE),
  );
  const following = followMessage(
    { ...body, deadlineAt },
    {
      ...{ control, clock, admissionMs: ADMISSION_MS_MAX, timeoutMs },
      admissionOnly: !wait,
      comesBack: ownerOf(context),
      isOwned: () => isOwned(context),
      onAdmission: (admission) => {
        decided = admission;
        // Of a turn that was cut off the last reply says so.
        if (admission.admission === 'hold' && wait && admission.text !== said)
          output.note(String(admission.text ?? 'kept'));
      },
      onDelta: (piece) => shown.delta(piece),
      onReply: (reply) => {
        said = reply;
        shown.reply(reply);
      },
      onBreak: () => shown.broke(),
    },
  );
  return following.catch((error: unknown) => {
    if (!isSluiceError(error)) throw error;
    if (decided === undefined) throw undecided(context, body.id, error);
    // What was decided and is new to the next gateway was recorded nowhere.
    if (error.code !== 'GATEWAY_DIED' && error.code !== 'SENDER_GAVE_UP') throw error;
    throw diedWith(context, body.id, decided.recorded === true, error);
  });
}

/** No gateway has said what becomes of it. One that wakes later takes it no more; one that had it by then goes on with it. */
function undecided(context: Context, id: string, error: SluiceError): SluiceError {
  const { code, message, cause } = error;
  if (code === 'SENDER_GAVE_UP') {
    const text = 'the gateway came to it too late: it was not taken, and nothing of it was done';
    return new SluiceError(code, text, { hint: 'Send it again.', cause });
  }
  if (code !== 'NO_ANSWER') return error;
  return new SluiceError(code, `${message}: it was not taken, unless that had begun by then`, {
    hint: `Whether it was: ${lineAt(context, ['messages', 'show', id])}\nThe same again with --id ${id} is answered once, whether it was or not.`,
    cause,
  });
}

/** What is on disk is the next gateway's; what is not came to an end with the one that died. */
function diedWith(context: Context, id: string, isRecorded: boolean, died: SluiceError): SluiceError {
  const [stands, hint] = isRecorded
    ? [
        'The message is on disk.',
        `\`${lineAt(context, ['run'])}\` goes on with it; \`${lineAt(context, ['messages', 'show', id])}\` tells what came of it.`,
      ]
    : ['Nothing of the message was recorded.', 'See what came of it before you send it again.'];
  return new SluiceError('GATEWAY_DIED', `${GONE}. ${stands}`, { hint, cause: died });
}

/** What was streamed is not printed again when its reply comes. */
class Shown {
  readonly #write: (text: string) => void;
  #streamed = '';
  #isBroken = false;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  delta(text: string): void {
    if (this.#isBroken) return;
    this.#streamed += text;
    this.#write(text);
  }

  /** The stream broke off: what comes in pieces from now on has a gap before it, so the whole is waited for. */
  broke(): void {
    this.#isBroken = true;
  }

  reply(text: string): void {
    const rest = text.startsWith(this.#streamed) ? text.slice(this.#streamed.length) : `\n${text}`;
    this.#write(rest.endsWith('\n') || (rest === '' && this.#streamed.endsWith('\n')) ? rest : `${rest}\n`);
    this.#streamed = '';
  }
}
