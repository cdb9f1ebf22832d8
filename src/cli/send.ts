/** `sluice send`: a message as the local owner; replies are printed as they come. */
import { systemClock } from '../clock.ts';
import { NOT_IN_FLIGHT, UNDONE_VERDICTS } from '../messages/commands.ts';
import { newId } from '../messages/ids.ts';
import { type Context, EXIT, reportReply } from './context.ts';
import { followText } from './follow-text.ts';

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

export async function send(context: Context, text: string, options: SendOptions): Promise<number> {
  const { output, json } = context;
  const { conversation, agent } = options;
  const body = {
    text,
    id: options.id ?? newId('m', systemClock.wallMs()),
    ...(conversation === undefined ? {} : { conversation }),
    ...(agent === undefined ? {} : { agent }),
    ...(options.queue === true ? { whenBusy: 'queue' as const } : {}),
  };
  const timeoutMs = (options.timeout ?? TIMEOUT_S) * 1000;
  const followed = await followText(context, body, { clock: systemClock, wait: options.wait, timeoutMs });
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
