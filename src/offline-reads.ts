/** The composition root of a CLI that only asks: what the store of a home knows, whether a gateway runs or not. */
import { type MessageWay, wayOf } from './gateway/message-way.ts';
import { readStore } from './store/sqlite.ts';

/** The way of the message of this id, ours or its platform's. Throws as `readStore`. */
export function readMessageWay(storePath: string, id: string): MessageWay | undefined {
  const trail = readStore(storePath, (reads) => reads.trail(id));
  return trail && wayOf(trail);
}
