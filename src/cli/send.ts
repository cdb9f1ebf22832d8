/** `sluice send`: a message as the local owner; replies are printed as they come. */
import { systemClock } from '../clock.ts';
import { NOT_IN_FLIGHT, UNDONE_VERDICTS } from '../messages/commands.ts';
import { newId } from '../messages/ids.ts';
import { type Context, EXIT, reportReply } from './context.ts';
import { ownerOf } from './departure.ts';
import { followMessage } from './message.ts';

export interface SendOptions {
  readonly conversation?: string;
  readonly agent?: string;
  readonly id?: string;
  /** Kept where a leaving gateway would refuse it. */
  readonly queue?: boolean;
  /** False with `--no-wait`. */
  readonly wait: boolean;
  /** Seconds. */
  readonly timeout?: number;
}

/** A turn may take half an hour, and may be kept over a restart. */
const TIMEOUT_S = 3600;

/** Outcomes of what was taken, and not answered after all. */
const UNANSWERED: readonly string[] = ['failed', 'interrupted', 'expired', 'discarded'];

/** How long the gateway may take to decide. */
const ADMISSION_MS_MAX = 30_000;

export async function send(context: Context, text: string, options: SendOptions): Promise<number> {
  const { output, control, json } = context;
  const { conversation, agent } = options;
  const shown = new Shown(json ? () => {} : (piece) => output.write(piece));
  const comesBack = ownerOf(context);
  const body = {
    text,
    id: options.id ?? newId('m', systemClock.wallMs()),
    ...(conversation === undefined ? {} : { conversation }),
    ...(agent === undefined ? {} : { agent }),
    ...(options.queue === true ? { whenBusy: 'queue' as const } : {}),
  };
  const followed = await followMessage(body, {
    control,
    clock: systemClock,
    admissionOnly: !options.wait,
    admissionMs: ADMISSION_MS_MAX,
    timeoutMs: (options.timeout ?? TIMEOUT_S) * 1000,
    comesBack,
    onAdmission: ({ admission }) => {
      if (admission === 'hold' && options.wait) output.note('kept, answered after the restart');
    },
    onDelta: (piece) => shown.delta(piece),
    onReply: (reply) => shown.reply(reply),
    onBreak: () => shown.broke(),
  });
  if (followed.refusal !== undefined) return reportReply(context, followed.refusal.json);
  const { admission, settled } = followed;
  if (json) output.json({ ...admission, ...settled });
  else if (!options.wait) output.print(`${admission?.messageId} ${admission?.kind} ${admission?.admission}`);
  if (admission?.admission === 'refuse') return EXIT.refused;
  if (settled === undefined) return EXIT.done;
  // A command of the gateway that it could not carry out is answered, and to a script it was refused.
  if (UNDONE_VERDICTS.includes(String(settled.outcomeReason))) return EXIT.refused;
  if (settled.outcomeReason === NOT_IN_FLIGHT) return EXIT.failed;
  // Without an outcome it waits for a person's word.
  const isAnswered = settled.outcome !== null && !UNANSWERED.includes(String(settled.outcome));
  return isAnswered ? EXIT.done : EXIT.failed;
}

/** What was streamed is not printed again when its reply comes. */
export class Shown {
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
