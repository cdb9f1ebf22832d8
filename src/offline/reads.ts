/** The composition root of a CLI that only asks: what the store of a home knows, whether a gateway runs or not. */
import { SluiceError } from '../errors.ts';
import { type Listed, listDocument, listOptions, type MessageList } from '../gateway/message-list.ts';
import { type MessageWay, wayOf } from '../gateway/message-way.ts';
import { type NamedThing, oneThing } from '../messages/found-id.ts';
import { backupStore, readStore } from '../store/database.ts';
import type { StoredOutbound } from '../store/records.ts';

/** What an id stands for: a message with its whole way, or a notice that answers none. */
export type Looked =
  | { readonly thing: NamedThing; readonly way: MessageWay }
  | { readonly thing: NamedThing; readonly notice: StoredOutbound };

/** What this id stands for, or its beginning. Throws as `readStore` and `oneThing`. */
export function readThing(storePath: string, id: string): Looked {
  return readStore(storePath, (reads) => {
    const thing = oneThing(id, reads.lookup(id));
    const message = thing.is === 'message' ? thing.id : thing.message;
    const trail = message === null ? undefined : reads.trail(message);
    if (trail !== undefined) return { thing, way: wayOf(trail) };
    const notice = thing.is === 'outbound' ? reads.outbound(thing.id) : undefined;
    if (notice !== undefined) return { thing, notice };
    // It went between two looks: retention took it.
    throw new SluiceError('NOT_FOUND', `"${id}" is not kept any longer`);
  });
}

/** The newest messages that fit. Throws as `readStore`. */
export const readMessages = (storePath: string, listed: Listed): MessageList =>
  listDocument(readStore(storePath, (reads) => reads.list(listOptions(listed))));

/** Copies the store to a new file; gives its size in bytes. Rejects as `backupStore`. */
export const copyStore = (storePath: string, to: string, signal: AbortSignal): Promise<number> =>
  backupStore(storePath, to, signal);
