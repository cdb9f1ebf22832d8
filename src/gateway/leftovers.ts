/**
 * Ends what dead lives left running, at a start whose store cannot be written: such work may hold what the store or the
 * next command needs, and a disk can stay full for hours. Its processes are found by the life that their markers name
 * (`process/abandoned.ts`); what can be read of the store names them besides, where no such marker can be seen.
 */
import type { Processes } from '../process/exec.ts';
import type { Life, Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import { markersOf, withoutOurs } from './recovery.ts';
import { logUnlessOutage } from './unexpected.ts';

export interface LeftoversOptions {
  readonly store: Pick<Store, 'openLives' | 'openWork'>;
  readonly processes: Pick<Processes, 'sweep'>;
  readonly log: Log;
  /** The number of this life; undefined: the store has not given it one. */
  readonly ownLife: number | undefined;
  /** True for a life that works in the home beside this one. */
  readonly isLiving: (life: Life) => boolean;
  /** What this life works on may have rows of no life yet: they are not a dead one's. */
  readonly isInHand: (messageId: string) => boolean;
}

/** Never rejects for a store. Changes nothing in it: what becomes of the messages is decided once it can be written. */
export async function endLeftovers(options: LeftoversOptions): Promise<void> {
  const processesEnded = await options.processes.sweep(await workOfDeadLives(options));
  if (processesEnded > 0) options.log.info({ processesEnded }, 'what dead lives had left running was ended');
}

/** By the ids that mark it; none where nothing can be read. */
async function workOfDeadLives(options: LeftoversOptions): Promise<Set<string>> {
  const { store, log, ownLife, isLiving, isInHand } = options;
  try {
    const living = (await store.openLives()).filter(isLiving).map(({ id }) => id);
    const open = await store.openWork(ownLife === undefined ? living : [...living, ownLife]);
    return markersOf(withoutOurs(open, isInHand));
  } catch (error) {
    logUnlessOutage(log, error, 'the work of dead lives could not be read');
    return new Set();
  }
}
