/**
 * `sluice exec`: a quick command by the same rules and code as in a chat. Through the daemon where one
 * answers within a second; where none does, in this process, under the same id, so that a daemon which wakes
 * later does not run it again.
 */
import { systemClock } from '../clock.ts';
import { isSluiceError, SluiceError } from '../errors.ts';
import { quoteWords } from '../messages/arguments.ts';
import { isCommandName } from '../messages/classify.ts';
import { NOT_IN_FLIGHT } from '../messages/commands.ts';
import { newId } from '../messages/ids.ts';
import type { Signals } from '../process/signals.ts';
import { type Context, EXIT, reportReply } from './context.ts';
import { hasLivingOwner } from './departure.ts';
import { type Followed, followMessage, type MessageBody } from './message.ts';

export interface ExecOptions {
  readonly id?: string;
  readonly exitCode?: boolean;
  readonly cancel?: string;
  readonly config?: string;
  /** Heard while the command is run by this process: its tree must not outlive a Ctrl-C. */
  readonly signals: Signals;
}

/** How long a daemon may take to decide before the command is run without it. */
const DAEMON_MS_MAX = 1000;

/**
 * Until when a daemon may begin it. Where the store cannot be written only this keeps the two from running it both, so
 * the rest of DAEMON_MS_MAX is for a decision that was made in time to get here.
 */
const BEGIN_MS_MAX = 750;

/** How long a command may take in all; its own timeout ends it long before. */
const TIMEOUT_MS = 24 * 3600 * 1000;

export async function exec(
  context: Context,
  name: string | undefined,
  args: readonly string[],
  options: ExecOptions,
): Promise<number> {
  const { output } = context;
  if (options.cancel !== undefined)
    return finish(context, await viaDaemon(context, `/cancel ${options.cancel}`, options), options);
  if (name === undefined) {
    const { listQuickCommands } = await import('./quick-commands.ts');
    return listQuickCommands(context, options);
  }
  const word = name.replace(/^\//, '');
  const text = `/${word}${args.length === 0 ? '' : ` ${quoteWords(args)}`}`;
  const id = options.id ?? newId('m', systemClock.wallMs());
  // What cannot name a command is not sent at all: the configuration is asked for what was meant.
  if (!isCommandName(word))
    return finish(context, await byItself(context, { name: word, text, id }, options), options);
  const decided = { yet: false };
  try {
    const asked = { ...options, id, only: 'exec' } as const;
    return finish(context, await viaDaemon(context, text, asked, decided), options);
  } catch (error) {
    // Once a gateway has decided, the command is that one's: it is not run a second time here.
    const isLate = isSluiceError(error, 'SENDER_GAVE_UP');
    if (decided.yet) throw isLate ? diedWithIt() : error;
    if (!isLate && !isSluiceError(error, 'NO_GATEWAY') && !isSluiceError(error, 'NO_ANSWER')) throw error;
    const isSilent = error.code !== 'NO_GATEWAY' || hasLivingOwner(context);
    const why = isSilent ? 'the gateway does not answer' : 'no gateway is running';
    output.note(`${why}: run by this process`);
  }
  return finish(context, await byItself(context, { name: word, text, id }, options), options);
}

/** It was taken, and the next gateway knows nothing of it: the store could not be written, or it died in between. */
const diedWithIt = (): SluiceError =>
  new SluiceError(
    'NOT_DONE',
    'the gateway died after it had taken the command, and nothing of it was recorded',
    {
      hint: 'See what it did before you send it again: it may be running still.',
    },
  );

async function byItself(
  context: Context,
  command: { readonly name: string; readonly text: string; readonly id: string },
  { config: configFlag, signals }: ExecOptions,
): Promise<Followed> {
  const { runOffline } = await import('../offline.ts');
  const { admission, settled } = await runOffline({ ...context, ...command, configFlag, signals });
  return { admission, settled, refusal: undefined };
}

function viaDaemon(
  context: Context,
  text: string,
  options: ExecOptions & Pick<MessageBody, 'only'>,
  decided = { yet: false },
): Promise<Followed> {
  const now = systemClock.wallMs();
  const body = {
    text,
    id: options.id ?? newId('m', now),
    conversation: 'exec',
    ...(options.only === undefined ? {} : { only: options.only }),
    deadlineAt: now + BEGIN_MS_MAX,
  };
  return followMessage(body, {
    control: context.control,
    clock: systemClock,
    admissionOnly: false,
    admissionMs: DAEMON_MS_MAX,
    timeoutMs: TIMEOUT_MS,
    onAdmission: ({ admission, text }) => {
      decided.yet = true;
      if (admission === 'dispatch' && typeof text === 'string') context.output.note(text);
    },
    onDelta: () => {},
    onReply: (reply) => context.json || context.output.print(reply),
  });
}

function finish(context: Context, { admission, settled, refusal }: Followed, options: ExecOptions): number {
  if (refusal !== undefined) return reportReply(context, refusal.json);
  if (context.json) context.output.json({ ...admission, ...settled });
  if (admission?.admission === 'refuse') return EXIT.refused;
  // Of a --cancel: it is answered like any command, and to a script nothing was ended.
  if (settled?.outcomeReason === NOT_IN_FLIGHT) return EXIT.failed;
  if (settled?.outcome === 'ran' || settled?.outcome === 'done') return EXIT.done;
  const code = settled?.exitCode;
  return options.exitCode === true && typeof code === 'number' ? code : EXIT.failed;
}
