/**
 * `sluice messages retry` and `discard`: by the gateway that runs, which does it at once, or in the store where none
 * does. A gateway that lives and cannot be reached has the rows in hand: then nothing is changed behind its back.
 */
import { systemClock as clock } from '../../clock.ts';
import { SluiceError } from '../../errors.ts';
import { type Context, EXIT, report, reportReply } from '../context.ts';
import { isAbsence, ownerOf, UNREACHABLE_MS_MAX } from '../departure.ts';
import { requireStore } from '../ledger-reads.ts';

export interface ChangeFlags {
  readonly reason?: string;
}

/** Between two attempts to reach it. */
const RECONNECT_MS = 200;

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
  const { changeOffline } = await import('../../offline-changes.ts');
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
      return await context.control.request('POST', path, reason === undefined ? {} : { reason });
    } catch (error) {
      if (!isAbsence(error)) throw error;
      if (!isOwned()) return undefined;
    }
    if (clock.monotonicMs() >= giveUpAt) {
      throw new SluiceError('NO_ANSWER', 'a gateway lives here and cannot be reached: nothing is changed');
    }
    await clock.delay(RECONNECT_MS);
  }
}
