/**
 * `sluice messages retry` and `discard`: by the gateway that runs, which does it at once, or in the store where none
 * does. A gateway that lives and cannot be reached has the rows in hand: then nothing is changed behind its back, nor by it
 * behind the back of whoever asked: it is told until when it may begin.
 */
import { systemClock as clock } from '../../clock.ts';
import { isSluiceError, SluiceError } from '../../errors.ts';
import { lineAt } from '../command-line.ts';
import { type Context, EXIT, report, reportReply } from '../context.ts';
import { isAbsence, ownerOf, UNREACHABLE_MS_MAX } from '../departure.ts';
import { requireStore } from '../ledger-reads.ts';

export interface ChangeFlags {
  readonly reason?: string;
}

/** Between two attempts to reach it. */
const RECONNECT_MS = 200;

/** Until when a gateway may begin it; the rest of what its answer may take is for the answer of one that began in time. */
const BEGIN_MS_MAX = 3000;

/** How long its answer may take. */
const CHANGE_MS_MAX = 5000;

export async function changeMessage(
  context: Context,
  verb: 'retry' | 'discard',
  id: string,
  { reason }: ChangeFlags,
): Promise<number> {
  const { output, json, paths, version } = context;
  const reply = await viaGateway(context, verb, id, reason);
  if (reply !== undefined && reply.status >= 300) return reportReply(context, reply.json);
  if (reply !== undefined) {
    if (json) output.json(reply.json);
    else output.print(String(reply.json.text));
    return EXIT.done;
  }
  requireStore(context);
  const { changeOffline } = await import('../../offline/changes.ts');
  const changed = await changeOffline({ paths, version }, { verb, id, reason: reason ?? null });
  if ('nothing' in changed) {
    return report(context, new SluiceError('NOTHING_TO_DO', `nothing to ${verb}: ${changed.nothing}`));
  }
  output.note('no gateway is running: written to the store');
  if (json) output.json(changed);
  else output.print(changed.text);
  return EXIT.done;
}

/** Its reply; undefined where no gateway lives. Throws NO_ANSWER where one does and cannot be reached. */
async function viaGateway(context: Context, verb: string, id: string, reason: string | undefined) {
  const isOwned = ownerOf(context);
  const giveUpAt = clock.monotonicMs() + UNREACHABLE_MS_MAX;
  for (;;) {
    try {
      const path = `/v1/messages/${encodeURIComponent(id)}/${verb}`;
      const deadlineAt = clock.wallMs() + BEGIN_MS_MAX;
      const body = { deadlineAt, ...(reason === undefined ? {} : { reason }) };
      return await context.control.request('POST', path, body, CHANGE_MS_MAX);
    } catch (error) {
      if (isSluiceError(error, 'NO_ANSWER') && !isAbsence(error)) throw silent(context, id, error);
      if (!isAbsence(error)) throw error;
      if (!isOwned()) return undefined;
    }
    if (clock.monotonicMs() >= giveUpAt) {
      throw new SluiceError('NO_ANSWER', 'a gateway lives here and cannot be reached: nothing is changed');
    }
    await clock.delay(RECONNECT_MS);
  }
}

/** What began in time may be done yet; a silent gateway begins nothing any more. */
const silent = (context: Context, id: string, { message, cause }: SluiceError): SluiceError =>
  new SluiceError('NO_ANSWER', `${message}: nothing is changed, unless it had begun by then`, {
    hint: `How it stands: ${lineAt(context, ['messages', 'show', id])}`,
    cause,
  });
