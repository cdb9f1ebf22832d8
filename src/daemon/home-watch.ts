/**
 * Looks with every heartbeat whether the home is still ours. A home that was deleted or replaced ends the gateway: what
 * it accepts from then on would be written where nobody finds it, and another gateway may run at the path already,
 * whose files are left alone. In a home that is ours, files that others need to find us are put back.
 */
import type { Clock } from '../clock.ts';
import { SluiceError } from '../errors.ts';
import type { HomeLock } from '../process/lock.ts';
import { HEARTBEAT_PERIOD_MS } from '../process/status-file.ts';

export interface HomeWatchOptions {
  readonly clock: Pick<Clock, 'every'>;
  readonly home: string;
  readonly lock: Pick<HomeLock, 'isOurs'>;
  /** Put their file back where it is missing. They must not throw. */
  readonly keep: readonly (() => void)[];
  /** Called once, with HOME_LOST; nothing is looked at or put back from then on. */
  readonly lost: (error: SluiceError) => void;
}

/** Watches until it is disposed or the home is lost. */
export function watchHome({ clock, home, lock, keep, lost }: HomeWatchOptions): Disposable {
  const heartbeat = clock.every(HEARTBEAT_PERIOD_MS, () => {
    if (lock.isOurs()) {
      for (const one of keep) one();
      return;
    }
    heartbeat[Symbol.dispose]();
    lost(
      new SluiceError('HOME_LOST', `the home ${home} was deleted or replaced while the gateway ran in it`),
    );
  });
  return heartbeat;
}
