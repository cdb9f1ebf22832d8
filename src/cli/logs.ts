/**
 * `sluice logs`: the log of the gateway from its files, of this life or the one before; followed over the control
 * socket, from one life into the next; or what became of one message.
 */
import { RESTART_CODE } from '../../machines/exit.ts';
import { systemClock as clock } from '../clock.ts';
import { homeDenial } from '../config/paths.ts';
import { isSluiceError, messageOf, SluiceError } from '../errors.ts';
import { readStatusFile } from '../process/runtime-status.ts';
import { type LogLife, readLogLines } from '../telemetry/log-files.ts';
import { lineAt } from './command-line.ts';
import { type Context, EXIT, report, reportReply } from './context.ts';
import { hasLivingOwner, isAbsence } from './departure.ts';
import { lineDocument, linePrinter } from './log-lines.ts';
import { messageWay } from './message-way.ts';
import { inLines } from './output.ts';

export interface LogsOptions {
  readonly follow?: boolean;
  readonly lines?: number;
  readonly lastLife?: boolean;
  readonly message?: string;
}

/** Lines that `--follow` begins with unless it is told otherwise. */
const FOLLOW_LINES = 20;

/** Between two attempts to reach a gateway that is away. */
const RECONNECT_MS = 200;

/** How long one that may come back is waited for. */
const AWAY_MS_MAX = 120_000;

/** How long one that lives may be without its socket before its files are read instead. */
const UNREACHABLE_MS_MAX = 10_000;

export async function logs(context: Context, options: LogsOptions): Promise<number> {
  const { follow, lastLife, message, lines } = options;
  const modes = [follow && '--follow', lastLife && '--last-life', message !== undefined && '--message'];
  const named = modes.filter((mode) => mode);
  if (named.length > 1) {
    context.output.note(`sluice: ${named.join(' and ')} do not go together`);
    return EXIT.usage;
  }
  if (message !== undefined) return messageWay(context, message);
  if (follow) return inDocuments(context, (lined) => followLog(lined, lines ?? FOLLOW_LINES));
  return printLog(context, lastLife ? 'last' : 'current', lines);
}

async function printLog(context: Context, life: LogLife, linesMax?: number): Promise<number> {
  const { output, paths, json } = context;
  const running = hasLivingOwner(context);
  const all = linesOf(context, life);
  const lines = linesMax === undefined ? all : newest(all, linesMax);
  if (json) {
    output.json({ life, running, lines: lines.map(lineDocument) });
    return EXIT.done;
  }
  if (all.length === 0) {
    const whose = life === 'last' ? 'of the life before' : 'of a gateway';
    throw new SluiceError('NOT_FOUND', `there is no log ${whose} in ${paths.logs}`, {
      hint:
        running && life === 'current'
          ? `The gateway could not write one, as on a full disk. What it remembers: ${lineAt(context, ['logs', '--follow'])}`
          : 'A gateway writes one from its start on: sluice run.',
    });
  }
  if (!running && life === 'current') output.note('no gateway is running: this is the log of the last one');
  const print = await linePrinter(context);
  for (const line of lines) print(line);
  return EXIT.done;
}

/** Of files that may be another user's. Throws HOME_NO_PERMISSION, or the system's error. */
function linesOf({ home, paths }: Context, life: LogLife): string[] {
  const denied = homeDenial(home) ?? homeDenial(paths.logs);
  if (denied !== undefined) throw denied;
  return readLogLines(paths.logs, life);
}

/** What is told of a failure is one document a line there, as everything before it. */
async function inDocuments(context: Context, follow: (context: Context) => Promise<number>): Promise<number> {
  const lined = { ...context, output: inLines(context.output) };
  try {
    return await follow(lined);
  } catch (error) {
    if (!isSluiceError(error)) throw error;
    return report(lined, error);
  }
}

/** Ends when the gateway is gone for good, or the reader is. */
async function followLog(context: Context, lines: number): Promise<number> {
  const { control, output } = context;
  const print = await linePrinter(context);
  const stop = new AbortController();
  let lastEventId: string | undefined;
  let awaySince: number | undefined;
  for (;;) {
    try {
      const reply = await control.stream(`/v1/logs?lines=${lines}`, undefined, {
        lastEventId,
        signal: stop.signal,
        onEvent: ({ event, id, data }) => {
          if (event === 'line') print(JSON.stringify(data));
          if (event === 'dropped') output.note(`${data.count} lines left out`);
          lastEventId = id ?? lastEventId;
          awaySince = undefined;
          if (output.closed) stop.abort();
        },
      });
      if (reply !== undefined) return reportReply(context, reply.json);
    } catch (error) {
      if (!isAbsence(error)) throw error;
    }
    if (output.closed) return EXIT.done;
    const isBegun = lastEventId !== undefined;
    const isFirst = awaySince === undefined;
    awaySince ??= clock.monotonicMs();
    const awayMs = clock.monotonicMs() - awaySince;
    if (isBegun) {
      const end = endOf(context, awayMs);
      if (end !== undefined) return end;
    } else if (!hasLivingOwner(context) || awayMs > UNREACHABLE_MS_MAX) {
      throw nobodyToFollow(context, lines, print);
    }
    if (isBegun && isFirst) output.note('the gateway is away; waiting for its next life');
    await clock.delay(RECONNECT_MS);
  }
}

/** Whether one that was followed is gone for good, and the code for that; undefined while it may come back. */
function endOf(context: Context, awayMs: number): number | undefined {
  const left = leftForGood(context);
  if (left !== undefined) {
    context.output.note(`the gateway has ended: exit ${left.code} (${left.cause})`);
    return left.code === 0 ? EXIT.done : EXIT.failed;
  }
  if (awayMs > AWAY_MS_MAX) throw new SluiceError('NO_GATEWAY', 'the gateway has not come back');
  return undefined;
}

/** Shows what its files say, which is all there is, and gives the error that it ends with. */
function nobodyToFollow(context: Context, lines: number, print: (line: string) => void): SluiceError {
  const { output, paths } = context;
  try {
    for (const line of newest(linesOf(context, 'current'), lines)) print(line);
  } catch (error) {
    output.note(`sluice: the log in ${paths.logs} cannot be read: ${messageOf(error)}`);
  }
  return hasLivingOwner(context)
    ? new SluiceError('NO_ANSWER', 'the gateway does not answer: its log so far is all there is')
    : new SluiceError('NO_GATEWAY', 'no gateway is running: the log of the last one is all there is');
}

/** How the gateway left when nobody will start it again; undefined while it may come back. */
function leftForGood(context: Context): { code: number; cause: string } | undefined {
  const status = readStatusFile(context.paths.status, clock)?.status;
  const exit = status?.exit as { code: number; cause: string } | undefined;
  if (exit === undefined || exit.code === RESTART_CODE || hasLivingOwner(context)) return undefined;
  return exit.code === 0 || status?.supervisor === 'none' ? exit : undefined;
}

const newest = (lines: readonly string[], linesMax: number): readonly string[] =>
  lines.slice(Math.max(0, lines.length - linesMax));
