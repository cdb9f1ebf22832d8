/**
 * `sluice logs --message`: one message's whole way, and why it was not simply taken. Asks the gateway; where none
 * answers it asks the store by the same code. What the log says of the message stands beside it.
 */
import { isSluiceError, SluiceError } from '../errors.ts';
import type { MessageWay } from '../gateway/message-way.ts';
import { echoed } from '../messages/echoed.ts';
import { readLogLines } from '../telemetry/log-files.ts';
import { type Context, EXIT, reportReply } from './context.ts';
import { lineDocument, linePrinter } from './log-lines.ts';

/** Columns of the longest word for a step. */
const STEP_WIDTH = 12;

export async function messageWay(context: Context, id: string): Promise<number> {
  const found = await find(context, id);
  if ('refusal' in found) return reportReply(context, found.refusal);
  const { way } = found;
  const log = linesAbout(context, way);
  if (context.json) {
    context.output.json({ ...way, log: log.map(lineDocument) });
    return EXIT.done;
  }
  print(context, way);
  if (log.length > 0) {
    context.output.print('\nlog');
    const printLine = await linePrinter(context);
    for (const line of log) printLine(line);
  }
  return EXIT.done;
}

async function find(
  { control, output, paths }: Context,
  id: string,
): Promise<{ way: MessageWay } | { refusal: Record<string, unknown> }> {
  try {
    const { status, json } = await control.request('GET', `/v1/messages/${encodeURIComponent(id)}`);
    if (status === 404) throw notKnown(id);
    return status === 200 ? { way: json as unknown as MessageWay } : { refusal: json };
  } catch (error) {
    if (!isSluiceError(error, 'NO_GATEWAY') && !isSluiceError(error, 'NO_ANSWER')) throw error;
    const why = error.code === 'NO_GATEWAY' ? 'no gateway is running' : 'the gateway does not answer';
    output.note(`${why}: asked the store`);
  }
  const { readMessageWay } = await import('../offline-reads.ts');
  const way = readMessageWay(paths.store, id);
  if (way === undefined) throw notKnown(id);
  return { way };
}

const notKnown = (id: string): SluiceError =>
  new SluiceError('NOT_FOUND', `no message is known as "${echoed(id)}"`, {
    hint: 'A message of a stranger is not kept, nor one from before the store could be written. Each has its id in the log: sluice logs.',
  });

/** Lines of both lives that name the message, or what worked on it. */
function linesAbout({ paths }: Context, { id, turns, commands, replies }: MessageWay): string[] {
  const ids = [id, ...[...turns, ...commands, ...replies].map((row) => row.id)];
  try {
    const lines = [...readLogLines(paths.logs, 'last'), ...readLogLines(paths.logs, 'current')];
    return lines.filter((line) => line.startsWith('{') && ids.some((one) => line.includes(one)));
  } catch {
    // The store knows what happened; a log that cannot be read adds nothing.
    return [];
  }
}

function print({ output }: Context, way: MessageWay): void {
  const { id, kind, conversation, state, outcome, reason, why, steps } = way;
  const came = outcome === null ? state : `${outcome}${reason === null ? '' : ` (${reason})`}`;
  output.print(`${id}  ${kind} in ${conversation}: ${came}`);
  if (why !== null) {
    const asked = why.askedAt === null ? '' : `; asked for at ${timeOf(why.askedAt)}`;
    const since = why.outage?.since ?? null;
    const down = since === null ? '' : `; down since ${timeOf(since)}`;
    output.print(`why  ${why.text}, at ${timeOf(why.at)}${asked}${down}`);
  }
  output.print('');
  for (const { at, what, detail } of steps) {
    output.print(`${at === null ? ''.padEnd(23) : timeOf(at)}  ${what.padEnd(STEP_WIDTH)}  ${detail}`);
  }
}

/** Local time to the millisecond: `2026-11-21 08:41:02.123`. */
function timeOf(at: number): string {
  const minutesWest = new Date(at).getTimezoneOffset();
  return new Date(at - minutesWest * 60_000).toISOString().replace('T', ' ').slice(0, 23);
}
