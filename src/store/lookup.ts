/**
 * What a person means by an id, typed or pasted from wherever the gateway showed one: a message by our id or by its
 * platform's, the turn or the command that worked on it, or one of the texts that went out. Its beginning is enough
 * where nothing else begins so. Each question goes by an index, so that none reads the table.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { FoundId } from '../messages/found-id.ts';
import { nearest } from '../messages/near.ts';
import { inOneView, many, one } from './statements.ts';

/** Ids that are named when several begin so, or none does and some are near. */
const NAMED_MAX = 5;

/** Ids that are compared with one that is none, of each table. */
const COMPARED_MAX = 200;

/** A beginning shorter than this is shared by too many to be looked through for a typo. */
const NEAR_PREFIX_CHARS_MIN = 2;

/** Ids from one text to another, both as SQLite orders them: the shortest first, so an exact one before what it begins. */
export const LOOKUP_QUERIES = {
  messagesFrom: 'SELECT id, id AS message FROM inbox WHERE id >= ? AND id < ? ORDER BY id LIMIT ?',
  platformIdsFrom: `SELECT platform_message_id AS id, id AS message FROM inbox
    WHERE platform = ? AND platform_message_id >= ? AND platform_message_id < ? ORDER BY platform_message_id LIMIT ?`,
  outboundFrom: `SELECT id, message_id AS message, id AS outbound FROM outbox
    WHERE id >= ? AND id < ? ORDER BY id LIMIT ?`,
  turnsFrom: `SELECT id, (SELECT message_id FROM turn_messages WHERE turn_id = id ORDER BY position LIMIT 1) AS message
    FROM turns WHERE id >= ? AND id < ? ORDER BY id LIMIT ?`,
  commandsFrom: 'SELECT id, message_id AS message FROM commands WHERE id >= ? AND id < ? ORDER BY id LIMIT ?',
  platformsFrom: 'SELECT min(platform) AS platform FROM inbox WHERE platform > ?',
} as const;

export interface Lookup {
  /** What this id stands for, or its beginning. */
  lookup(id: string): FoundId;
}

interface Candidate {
  readonly id: string;
  readonly message: string | null;
  readonly outbound?: string;
}

type Row = Record<string, unknown>;

const toCandidate = ({ id, message, outbound }: Row): Candidate => ({
  id: String(id),
  message: message === null ? null : String(message),
  ...(outbound === undefined ? {} : { outbound: String(outbound) }),
});

export function prepareLookup(db: DatabaseSync): Lookup {
  const messages = many(db, LOOKUP_QUERIES.messagesFrom, toCandidate);
  const platformIds = many(db, LOOKUP_QUERIES.platformIdsFrom, toCandidate);
  const outbound = many(db, LOOKUP_QUERIES.outboundFrom, toCandidate);
  const turns = many(db, LOOKUP_QUERIES.turnsFrom, toCandidate);
  const commands = many(db, LOOKUP_QUERIES.commandsFrom, toCandidate);
  const platformAfter = one(db, LOOKUP_QUERIES.platformsFrom, ({ platform }) => platform?.toString() ?? null);

  const ofPlatforms = (from: string, to: string, rowsMax: number): Candidate[] => {
    const found: Candidate[] = [];
    for (let name = platformAfter('') ?? null; name !== null; name = platformAfter(name) ?? null)
      found.push(...platformIds(name, from, to, rowsMax));
    return found;
  };

  /** Everything that begins so: ours first, then as platforms call it, each table in its order. */
  const beginning = (prefix: string, rowsMax: number): Candidate[] => {
    const to = `${prefix}\u{10ffff}`;
    return [messages, ofPlatforms, outbound, turns, commands].flatMap((from) => from(prefix, to, rowsMax));
  };

  return {
    lookup: (id) =>
      inOneView(db, () => {
        const candidates = beginning(id, NAMED_MAX);
        const meant = candidates.find((candidate) => candidate.id === id);
        if (meant !== undefined) return foundOf(meant);
        const distinct = distinctOf(candidates);
        const [only, another] = distinct;
        if (only === undefined) return { is: 'none', near: nearTo(id, beginning) };
        if (another === undefined) return foundOf(only);
        return { is: 'several', ids: distinct.slice(0, NAMED_MAX).map((each) => each.id) };
      }),
  };
}

/** One of each thing, by the id that comes first: our own before the one that its platform gave it. */
function distinctOf(candidates: readonly Candidate[]): Candidate[] {
  const first = new Map<string, Candidate>();
  for (const each of candidates) {
    const thing = each.outbound ?? each.message ?? each.id;
    if (!first.has(thing)) first.set(thing, each);
  }
  return [...first.values()];
}

/** A turn belongs to a message, and so does a command. */
function foundOf({ id, message, outbound }: Candidate): FoundId {
  if (outbound !== undefined) return { is: 'outbound', id: outbound, message };
  return { is: 'message', id: message ?? id };
}

/** The first half of an id is its kind and the hour or so in which it was made; a typo in there is not found. */
function nearTo(id: string, beginning: (prefix: string, rowsMax: number) => Candidate[]): string[] {
  const prefix = id.slice(0, Math.floor(id.length / 2));
  if (prefix.length < NEAR_PREFIX_CHARS_MIN) return [];
  const known = beginning(prefix, COMPARED_MAX).map((candidate) => candidate.id);
  return nearest(id, [...new Set(known)], NAMED_MAX);
}
