/**
 * What a store did not do. That it cannot be written or read just now is told once, by the watch over it; anything else
 * is a defect that nobody else would hear of.
 */
import { isSluiceError, messageOf } from '../errors.ts';
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
