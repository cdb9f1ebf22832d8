/**
 * How a command asks what has become of messages. The store is asked itself: that works beside a gateway that runs, one
 * that is wedged and none at all, and says what is on disk, which is all that any of them would say. The gateway is asked
 * where this process cannot read the file, as when another version has made it.
 */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { homeDenial } from '../config/paths.ts';
import { isSluiceError, SluiceError } from '../errors.ts';
import type { Context } from './context.ts';

type Reads = typeof import('../offline/reads.ts');

/** An answer, or what the gateway answered instead. */
export type Asked<T> = { readonly told: T } | { readonly refusal: Record<string, unknown> };

/** Throws where this home has no store yet: nothing is to be made by asking. */
export function requireStore({ paths }: Pick<Context, 'paths'>): void {
  const denied = homeDenial(dirname(paths.store));
  if (denied !== undefined) throw denied;
  if (existsSync(paths.store)) return;
  throw new SluiceError('STORE_SCHEMA_OTHER', `${paths.store} does not exist yet`);
}

/** Of what the store says of an id, or of itself, nothing changes by asking the gateway. */
const FINAL = ['NOT_FOUND', 'ID_AMBIGUOUS'] as const;

/** `told` makes the same of the gateway's answer to `path`. Throws what the store said where no gateway can say more. */
export async function askLedger<T>(
  { control, paths }: Context,
  read: (reads: Reads, storePath: string) => T,
  path: string,
  told: (json: Record<string, unknown>) => T,
): Promise<Asked<T>> {
  const reads = await import('../offline/reads.ts');
  try {
    return { told: read(reads, paths.store) };
  } catch (error) {
    if (!isSluiceError(error) || FINAL.some((code) => error.code === code)) throw error;
    const reply = await control.request('GET', path).catch(() => undefined);
    if (reply === undefined) throw error;
    return reply.status === 200 ? { told: told(reply.json) } : { refusal: reply.json };
  }
}
