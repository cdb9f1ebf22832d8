/**
 * `sluice logs --message`: one message's whole way, and why it was not simply taken, with what the log says of it.
 * `sluice messages show` asks the same and tells what was said, not how it went.
 */
import { SluiceError } from '../errors.ts';
import type { MessageWay } from '../gateway/message-way.ts';
import type { Looked } from '../offline/reads.ts';
import { readLogLines } from '../telemetry/log-files.ts';
import { type Context, EXIT, reportReply } from './context.ts';
import { type Asked, askLedger } from './ledger-reads.ts';
import { lineDocument, linePrinter } from './log-lines.ts';
import { momentOf } from './moments.ts';

/** Columns of the longest word for a step. */
const STEP_WIDTH = 12;

export async function messageWay(context: Context, id: string): Promise<number> {
  const asked = await askMessage(context, id);
  if ('refusal' in asked) return reportReply(context, asked.refusal);
  if ('notice' in asked.told) {
    throw new SluiceError('NOT_FOUND', `"${id}" is a notice, which answers no message`, {
      hint: `\`sluice messages show ${id}\` shows it.`,
    });
  }
  const { way } = asked.told;
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

/** What an id stands for, for whoever tells it. Throws NOT_FOUND and ID_AMBIGUOUS. */
export const askMessage = (context: Context, id: string): Promise<Asked<Looked>> =>
  askLedger(
    context,
    (reads, storePath) => reads.readThing(storePath, id),
    `/v1/messages/${encodeURIComponent(id)}`,
    (json) => ('notice' in json ? json : { way: json }) as unknown as Looked,
  );

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
    const asked = why.askedAt === null ? '' : `; asked for at ${momentOf(why.askedAt)}`;
    const since = why.outage?.since ?? null;
    const down = since === null ? '' : `; down since ${momentOf(since)}`;
    output.print(`why  ${why.text}, at ${momentOf(why.at)}${asked}${down}`);
  }
  output.print('');
  for (const { at, what, detail } of steps) {
    output.print(`${at === null ? ''.padEnd(23) : momentOf(at)}  ${what.padEnd(STEP_WIDTH)}  ${detail}`);
  }
}
