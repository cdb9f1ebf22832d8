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

export interface FollowTextOptions {
  readonly clock: Clock;
  /** False: returns after the admission. */
  readonly wait: boolean;
  /** How long until the outcome must be there. */
  readonly timeoutMs: number;
}

/** Rejects as `followMessage`; with GATEWAY_DIED says whether the message is on disk, and what to do. */
export async function followText(
  context: Context,
  body: MessageBody,
  { clock, wait, timeoutMs }: FollowTextOptions,
): Promise<Followed> {
  const { output, control, json } = context;
  const shown = new Shown(json ? () => {} : (piece) => output.write(piece));
  let decided: Record<string, unknown> | undefined;
  const following = followMessage(body, {
    ...{ control, clock, admissionMs: ADMISSION_MS_MAX, timeoutMs },
    admissionOnly: !wait,
    comesBack: ownerOf(context),
    isOwned: () => isOwned(context),
    onAdmission: (admission) => {
      decided = admission;
      if (admission.admission === 'hold' && wait) output.note('kept, answered after the restart');
    },
    onDelta: (piece) => shown.delta(piece),
    onReply: (reply) => shown.reply(reply),
    onBreak: () => shown.broke(),
  });
  return following.catch((error: unknown) => {
    if (!isSluiceError(error, 'GATEWAY_DIED')) throw error;
    throw diedWith(context, body.id, decided?.recorded === true, error);
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
