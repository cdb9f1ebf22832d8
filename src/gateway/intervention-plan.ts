/**
 * What a person can still change about a message that has come: whether its replies are sent after all, or not any more,
 * and whether it is answered at all while nothing works on it. Decided from its rows, the same for a running gateway and
 * for a command without one. Pure but for the id of what it says.
 */
import type { NamedThing } from '../messages/found-id.ts';
import { newId } from '../messages/ids.ts';
import * as replies from '../messages/ledger-replies.ts';
import { waitsAtConnection } from '../messages/local.ts';
import type { Phase, StoredMessage, StoredOutbound } from '../store/records.ts';
import type { Life, Store } from '../store/store.ts';
import type { Write } from '../store/write.ts';
import type { Settlement } from './in-hand.ts';

/** What an id stands for, as the store has it. */
export interface Target {
  /** Null for a notice, which answers none. */
  readonly message: StoredMessage | null;
  /** The replies that are meant: all of the message, or the one that was named. */
  readonly outbound: readonly StoredOutbound[];
  /** One reply was named: the message itself is left as it is. */
  readonly isOneReply: boolean;
  /** Who has the message in hand while it is open; of no meaning for one that has settled. */
  readonly hand: Hand;
}

/**
 * Who has an open message in hand: a gateway that runs, a `sluice exec` that runs it itself, or nobody: the process that
 * had it is dead, and what it began may run on until a recovery ends that.
 */
export type Hand =
  | { readonly is: 'gateway' }
  | { readonly is: 'exec'; readonly pid: number }
  | {
      readonly is: 'nobody';
      readonly died: 'gateway' | 'exec';
      readonly recoveredBy: Recoverer;
    };

/**
 * What goes on with the work of a process that is over: the gateway that is asked, within moments; the same, once its
 * store, which failed its start, can be written, and that may take hours; or the next one.
 */
export type Recoverer = 'this-gateway' | 'this-gateway-late' | 'next-start';

/** Who asks what an id stands for. */
export interface Asker {
  /** The life of a gateway, beside which no other lives; null for a command in a home where none does. */
  readonly life: number | null;
  /** True while the process of a `sluice exec` lives, or may. */
  readonly isLiving: (life: Life) => boolean;
  readonly recoveredBy: Recoverer;
}

/** There is nothing to be done; `why` completes "nothing to retry: …". */
export interface Nothing {
  readonly nothing: string;
}

export interface Discards {
  /** The message settles as discarded. */
  readonly settles: StoredMessage | null;
  /** These are not sent any more. */
  readonly outbound: readonly StoredOutbound[];
}

/** Reads what an id stands for; undefined when its rows have gone meanwhile. Rejects with STORE_UNAVAILABLE. */
export async function targetOf(
  store: Pick<Store, 'message' | 'replies' | 'outbound' | 'openLives'>,
  thing: NamedThing,
  asker: Asker,
): Promise<Target | undefined> {
  if (thing.is === 'outbound') {
    const row = await store.outbound(thing.id);
    const message = thing.message === null ? null : ((await store.message(thing.message)) ?? null);
    return row && { message, outbound: [row], isOneReply: true, hand: { is: 'gateway' } };
  }
  const message = await store.message(thing.id);
  if (message === undefined) return undefined;
  const life =
    message.outcome === null && message.life !== asker.life
      ? (await store.openLives()).find(({ id }) => id === message.life)
      : undefined;
  const hand = handOf(message, life, asker);
  return { message, outbound: await store.replies(thing.id), isOneReply: false, hand };
}

/** `life`: that of the message, if it has not ended; not asked for where it is the asker's own. */
function handOf(message: StoredMessage, life: Life | undefined, asker: Asker): Hand {
  if (message.life === asker.life) return { is: 'gateway' };
  if (life?.kind === 'cli' && asker.isLiving(life)) return { is: 'exec', pid: life.pid };
  const died = life?.kind === 'cli' ? 'exec' : 'gateway';
  return { is: 'nobody', died, recoveredBy: asker.recoveredBy };
}

/** What is sent again: what was given up, and what nobody knows of. `running`: also what only waits for its next try. */
export function retriesOf(target: Target, running: boolean): { outbound: StoredOutbound[] } | Nothing {
  const outbound = target.outbound.filter(
    ({ state }) => state === 'dead' || state === 'unknown' || (running && state === 'pending'),
  );
  if (outbound.length > 0) return { outbound };
  if (target.outbound.some(({ state }) => state === 'pending'))
    return { nothing: 'what is not delivered waits for the next start already' };
  if (target.outbound.some(({ state }) => state === 'sending')) return { nothing: 'it is just being sent' };
  return { nothing: standing(target) };
}

/** `waits`: nothing works on the message, and it waits to be answered. */
export function discardsOf(target: Target, waits: boolean): Discards | Nothing {
  const { message, isOneReply } = target;
  const isOpen = message !== null && message.outcome === null && !isOneReply;
  if (isOpen && waits) return { settles: message, outbound: [] };
  if (isOpen) return { nothing: whyNot(target, message) };
  const outbound = target.outbound.filter(({ state }) => state !== 'delivered' && state !== 'dead');
  if (outbound.length > 0) return { settles: null, outbound };
  return { nothing: standing(target) };
}

/** Of an open message that does not wait: it is left to whoever has it in hand. */
function whyNot(target: Target, { id }: StoredMessage): string {
  const { hand } = target;
  if (hand.is === 'nobody' && hand.recoveredBy === 'this-gateway-late') return standing(target);
  // By heart it is not known as waiting any more: it is between its place there and its turn, or its end.
  if (waitsOnDisk(target)) return 'it is just being changed: ask again in a moment';
  if (hand.is === 'nobody') return standing(target);
  if (hand.is === 'exec') return `${standing(target)} by pid ${hand.pid}, a \`sluice exec\`: end it there`;
  return `${standing(target)}: \`sluice exec --cancel ${id}\` ends what runs`;
}

/** True for a message of a life that is over: it waits to be answered, and nothing works on it. */
export const waitsOnDisk = ({ message }: Target): boolean =>
  message?.phase === 'held' || message?.phase === 'awaiting-resume' || message?.phase === 'waiting';

/** The end of a message that a person gives up. */
export function discarded(message: StoredMessage, by: string, reason: string | null): Settlement {
  const why = `by ${by}${reason === null ? '' : `: ${reason}`}`;
  return { outcome: 'discarded', reason: why, replies: [replies.discarded(message.text, by, reason)] };
}

/** The same as rows, for a store that no gateway has in hand: what is said leaves with the next start. */
export function discardingUnit(message: StoredMessage, end: Settlement, life: number, at: number): Write[] {
  const { id: messageId, platform, conversation } = message;
  const { outcome, reason } = end;
  const said = end.replies.map((text): Write => {
    const address = { messageId, platform, conversation } as const;
    const outbound = { id: newId('o', at), ...address, text, kind: 'reply', createdAt: at, life } as const;
    return { op: 'reply', outbound, ...(waitsAtConnection(message) ? { deliveredAt: at } : {}) };
  });
  return [{ op: 'settle', id: messageId, outcome, reason, at }, ...said];
}

/** Ends a row that no gateway has in hand; one that may have arrived keeps that it may, should it be sent after all. */
export function endingUnit({ id, state }: StoredOutbound, error: string, at: number): Write[] {
  const dead: Write = { op: 'outbound.end', id, at, state: 'dead', error };
  if (state === 'pending') return [dead];
  return [{ op: 'outbound.end', id, at, state: 'unknown', error }, { op: 'outbound.retry', id, at }, dead];
}

/** How a message stands of which nothing can be changed. */
function standing({ message, outbound, isOneReply, hand }: Target): string {
  const isDelivered = outbound.length > 0 && outbound.every(({ state }) => state === 'delivered');
  const isDead = outbound.some(({ state }) => state === 'dead');
  const sent = isDelivered ? 'has been delivered' : isDead ? 'is not sent any more already' : '';
  if (isOneReply || message === null) return `it ${sent}`;
  if (message.outcome === null) return `it ${openStanding(message.phase, hand)}`;
  const its = outbound.length === 0 ? 'it has no reply' : `what was said to it ${sent}`;
  return `it has settled as ${message.outcome}, and ${its}`;
}

function openStanding(phase: Phase, hand: Hand): string {
  if (hand.is !== 'nobody') return PHASES[phase];
  const left = LEFT[phase];
  const who = hand.died === 'gateway' ? 'gateway went down' : '`sluice exec` died';
  const standing = left === undefined ? PHASES[phase] : `${left} when its ${who}`;
  if (hand.recoveredBy === 'this-gateway-late')
    return `${standing}: it is recovered when the store can be written`;
  if (left === undefined) return standing;
  return hand.recoveredBy === 'next-start'
    ? `${standing}: the next start recovers it`
    : `${standing}, and is about to be recovered: ask again in a moment`;
}

/** Phases in which a message was in hand; in the others nothing was to be done for it just then. */
const LEFT: Readonly<Partial<Record<Phase, string>>> = {
  received: 'had not begun',
  started: 'was being worked on',
};

const PHASES: Readonly<Record<Phase, string>> = {
  received: 'waits for a free place',
  held: 'is held, and has no reply yet',
  waiting: 'waits for its turn',
  started: 'is being worked on',
  'awaiting-resume': "waits for a person's word: `/resume` in its conversation",
  settled: 'has settled',
};
