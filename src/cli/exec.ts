/**
 * `sluice exec`: a quick command by the same rules and code as in a chat. Through the daemon where one
 * answers within a second; where none does, in this process, under the same id, so that a daemon which wakes
 * later does not run it again.
 */
import { systemClock } from '../clock.ts';
import { isSluiceError } from '../errors.ts';
import { quoteWords } from '../messages/arguments.ts';
import { newId } from '../messages/ids.ts';
import type { Signals } from '../process/signals.ts';
import { type Context, EXIT, reportReply } from './context.ts';
import { type Followed, followMessage } from './message.ts';

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
  if (name === undefined) return finish(context, await viaDaemon(context, '/help', options), options);
  const text = `/${name}${args.length === 0 ? '' : ` ${quoteWords(args)}`}`;
  const id = options.id ?? newId('m', systemClock.wallMs());
  const decided = { yet: false };
  try {
    return finish(context, await viaDaemon(context, text, { ...options, id }, decided), options);
  } catch (error) {
    // Once a gateway has decided, the command is that one's: it is not run a second time here.
    if (decided.yet) throw error;
    if (!isSluiceError(error, 'NO_GATEWAY') && !isSluiceError(error, 'NO_ANSWER')) throw error;
    output.note(
      error.code === 'NO_GATEWAY'
        ? 'no gateway is running: run by this process'
        : 'the gateway does not answer: run by this process',
    );
  }
  const { runOffline } = await import('../offline.ts');
  const { config: configFlag, signals } = options;
  const ran = await runOffline({ ...context, configFlag, signals, name, text, id });
  return finish(context, { admission: ran.admission, settled: ran.settled, refusal: undefined }, options);
}

function viaDaemon(
  context: Context,
  text: string,
  options: ExecOptions,
  decided = { yet: false },
): Promise<Followed> {
  const now = systemClock.wallMs();
  const body = {
    text,
    id: options.id ?? newId('m', now),
    conversation: 'exec',
    deadlineAt: now + DAEMON_MS_MAX,
  };
  return followMessage(body, {
    control: context.control,
    clock: systemClock,
    admissionOnly: false,
    admissionMs: DAEMON_MS_MAX,
    timeoutMs: TIMEOUT_MS,
    onAdmission: () => {
      decided.yet = true;
    },
    onDelta: () => {},
    onReply: (reply) => context.json || context.output.print(reply),
  });
}

function finish(context: Context, { admission, settled, refusal }: Followed, options: ExecOptions): number {
  if (refusal !== undefined) return reportReply(context, refusal.json);
  if (context.json) context.output.json({ ...admission, ...settled });
  // A name that nobody knows is answered like any command; to a script it is one that was not run.
  if (admission?.admission === 'refuse' || settled?.outcomeReason === 'unknown-command') return EXIT.refused;
  if (settled?.outcome === 'ran' || settled?.outcome === 'done') return EXIT.done;
  const code = settled?.exitCode;
  return options.exitCode === true && typeof code === 'number' ? code : EXIT.failed;
}
