/**
 * `sluice exec`: a quick command by the same rules and code as in a chat. Through the daemon where one
 * answers within a second; where none does, in this process, under the same id, so that a daemon which wakes
 * later does not run it again.
 */
import { systemClock } from '../clock.ts';
import { isSluiceError } from '../errors.ts';
import { isCommandName } from '../messages/classify.ts';
import { NOT_IN_FLIGHT } from '../messages/commands.ts';
import { newId } from '../messages/ids.ts';
import { quoteWords } from '../messages/words.ts';
import type { Signals } from '../process/signals.ts';
import { lineAt } from './command-line.ts';
import { type Context, EXIT, report, reportReply } from './context.ts';
import { execByGateway, followExec, type Nobody } from './exec-by-gateway.ts';
import { type ExecCommandLine, leftUndecided, notRun } from './exec-endings.ts';
import { INTERRUPTED_EXIT, type Interrupt, Interrupts, interruptName } from './interrupts.ts';
import type { Followed } from './message.ts';

export interface ExecOptions {
  readonly id?: string;
  readonly exitCode?: boolean;
  readonly cancel?: string;
  readonly config?: string;
  /** Heard while a command runs: it must not outlive a Ctrl-C unnoticed, wherever it runs. */
  readonly signals: Signals;
}

export async function exec(
  context: Context,
  name: string | undefined,
  args: readonly string[],
  options: ExecOptions,
): Promise<number> {
  const fresh = newId('m', systemClock.wallMs());
  if (options.cancel !== undefined) {
    const body = { text: `/cancel ${options.cancel}`, id: fresh };
    return finish(context, await followExec(context, body), options, undefined);
  }
  if (name === undefined) {
    const { listQuickCommands } = await import('./quick-commands.ts');
    return listQuickCommands(context, options);
  }
  const word = name.replace(/^\//, '');
  const text = `/${word}${args.length === 0 ? '' : ` ${quoteWords(args)}`}`;
  const command = { name: word, text, id: options.id ?? fresh };
  const interrupts = new Interrupts(options.signals);
  try {
    const ran = run(context, command, options, interrupts);
    const followed = await Promise.race([ran, interrupts.fault]);
    return finish(context, followed, options, interrupts.last);
  } catch (error) {
    if (!isSluiceError(error, 'INTERRUPTED') || interrupts.last === undefined) throw error;
    report(context, error);
    return INTERRUPTED_EXIT[interrupts.last];
  }
}

/** By the gateway that answers, else by this process. */
async function run(
  context: Context,
  command: ExecCommandLine,
  { config: configFlag, signals }: ExecOptions,
  interrupts: Interrupts,
): Promise<Followed> {
  let nobody: Nobody | undefined;
  // What cannot name a command is not sent at all: the configuration is asked for what was meant.
  if (isCommandName(command.name)) {
    const followed = await execByGateway(context, command, interrupts);
    if (!('because' in followed)) return followed;
    nobody = followed;
  }
  const interrupted = new AbortController();
  interrupts.listen(() => interrupted.abort());
  const { runOffline } = await import('../offline.ts');
  const ran = await runOffline({
    ...{ ...context, ...command, configFlag, signals },
    because: nobody?.because ?? null,
    interrupted: interrupted.signal,
    onInterrupt: (end) => interrupts.listen((interrupt) => end(interruptName(interrupt))),
    lineFor: (words) => lineAt(context, words),
  });
  if (ran === undefined) throw nobody?.mayRun === true ? leftUndecided(context, command) : notRun(command);
  return { admission: ran.admission, settled: ran.settled, refusal: undefined };
}

/** `interrupt`: the last one that came while it ran. */
function finish(
  context: Context,
  { admission, settled, refusal }: Followed,
  options: ExecOptions,
  interrupt: Interrupt | undefined,
): number {
  if (refusal !== undefined) return reportReply(context, refusal.json);
  // One shape, whoever ran it.
  if (context.json) context.output.json({ offline: false, ...admission, ...settled });
  if (admission?.admission === 'refuse') return EXIT.refused;
  // Of a --cancel: it is answered like any command, and to a script nothing was ended.
  if (settled?.outcomeReason === NOT_IN_FLIGHT) return EXIT.failed;
  if (settled?.outcome === 'ran' || settled?.outcome === 'done') return EXIT.done;
  const isOpen = settled?.outcome === null || settled?.outcome === 'interrupted';
  if (isOpen && interrupt !== undefined) return INTERRUPTED_EXIT[interrupt];
  const code = settled?.exitCode;
  return options.exitCode === true && typeof code === 'number' ? code : EXIT.failed;
}
