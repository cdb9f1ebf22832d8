/**
 * What a store did not do. That it cannot be written or read just now is told once, by the watch over it; anything else
 * is a defect that nobody else would hear of.
 */
import { isSluiceError, messageOf } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { Write } from '../store/write.ts';
import type { Log } from '../telemetry/log.ts';

/** Logs `error`, unless the store is only unavailable. `what`: what was not done; `about`: whose it is. */
export function logUnlessOutage(
  log: Log,
  error: unknown,
  what: string,
  about: Readonly<Record<string, unknown>> = {},
): void {
  if (isSluiceError(error, 'STORE_UNAVAILABLE')) return;
  log.error({ ...about, error: messageOf(error) }, what);
}

/** How a commit went. `outage`: it may be written later; `refused`: the store is well, and does not take this. */
export type Committed = 'written' | 'outage' | 'refused';

export type Uncommitted = Exclude<Committed, 'written'>;

/**
 * Commits, and gives how that went. A duplicate counts as written; a refusal is logged, as `what`. Never rejects.
 *
 * The answers to the commits of one batch come in their order, and whoever hands something to delivery after its commit does
 * that as many ticks later as any other, so that it leaves in that order, too: in the tick in which this resolves.
 */
export async function tryCommit(
  { store, log }: { readonly store: Pick<Store, 'commit'>; readonly log: Log },
  unit: readonly Write[],
  what: string,
  about: Readonly<Record<string, unknown>> = {},
): Promise<Committed> {
  try {
    await store.commit(unit);
    return 'written';
  } catch (error) {
    if (isSluiceError(error, 'STORE_UNAVAILABLE')) return 'outage';
    log.error({ ...about, error: messageOf(error) }, what);
    return 'refused';
  }
}

/** Completes "… is not known: …" for what was given up because nothing could be written. */
export const outageTooLong = ({ obstacle }: Pick<Store, 'obstacle'>): string =>
  obstacle === 'lock'
    ? 'another program had the store locked for too long'
    : 'the disk could not be written for too long';
