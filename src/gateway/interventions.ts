/**
 * What the owner changes about a message afterwards, while the gateway runs: replies that could not be delivered are
 * sent after all, or given up, and a message that waits to be answered is not answered any more. Whoever waits for it
 * hears its outcome like any other.
 *
 * What is in hand is left alone: a message counts as waiting only while it is known by heart as held, as one that waits
 * for a person's word, or as one whose turn has not begun, and it is taken out there, or kept from beginning, before
 * anything is written, so that nobody takes it up meanwhile.
 */
import { SluiceError } from '../errors.ts';
import type { NamedThing } from '../messages/found-id.ts';
import * as replies from '../messages/ledger-replies.ts';
import type { StoredMessage } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { Delivery } from './delivery.ts';
import type { Held } from './held.ts';
import { type Asker, discarded, discardsOf, type Nothing, retriesOf, targetOf } from './intervention-plan.ts';
import type { Ledger } from './ledger.ts';
import type { Resumes } from './resumes.ts';
import type { Turns } from './turns.ts';

export interface InterventionsOptions {
  readonly store: Pick<Store, 'message' | 'replies' | 'outbound' | 'openLives' | 'writable'>;
  readonly log: Log;
  readonly delivery: Delivery;
  readonly ledger: Ledger;
  readonly held: Held;
  readonly resumes: Resumes;
  readonly turns: Pick<Turns, 'isWaiting' | 'setAside' | 'putBack' | 'release'>;
  /** The number of this life; 0 until the store has given one. */
  readonly life: () => number;
  /** What earlier lives left is found late, because the store could not be written. */
  readonly awaitsRecovery: () => boolean;
  /** The work of this message has left: tells the chart. */
  readonly settled: (messageId: string) => void;
  /** Something is held again that may be taken up by now. */
  readonly heldLate: () => void;
  /** Counters that a status shows have changed. */
  readonly changed: () => void;
}

/** A message that nobody takes up meanwhile. */
interface TakenOut {
  /** It waits again, and it is looked whether it need not any more. */
  readonly putBack: () => void;
  /** It has its end. */
  readonly left: () => void;
}

/** What was changed. */
export interface Intervened {
  /** Null for a notice. */
  readonly messageId: string | null;
  readonly outcome: StoredMessage['outcome'];
  /** The texts it is about, by id. */
  readonly replies: readonly string[];
  /** For the person who asked. */
  readonly text: string;
}

export class Interventions {
  readonly #options: InterventionsOptions;

  constructor(options: InterventionsOptions) {
    this.#options = options;
  }

  /**
   * Sends again what was given up, and at once what waits for its next try. `by`: an actor. Rejects with
   * STORE_UNAVAILABLE.
   */
  async retry(thing: NamedThing, by: string): Promise<Intervened | Nothing> {
    const { store, delivery, log } = this.#options;
    const target = await targetOf(store, thing, this.#asker());
    if (target === undefined) return GONE;
    const plan = retriesOf(target, true);
    if ('nothing' in plan) return plan;
    for (const row of plan.outbound) await delivery.retry(row);
    const ids = plan.outbound.map(({ id }) => id);
    const messageId = target.message?.id ?? null;
    log.info({ message: messageId, outbound: ids, actor: by }, 'replies are sent again');
    return {
      ...{ messageId, outcome: target.message?.outcome ?? null, replies: ids },
      text: replies.retried(ids.length),
    };
  }

  /** Gives up a message that waits, or replies that have not arrived. Rejects with STORE_UNAVAILABLE. */
  async discard(thing: NamedThing, by: string, reason: string | null): Promise<Intervened | Nothing> {
    const { store, delivery, log } = this.#options;
    const target = await targetOf(store, thing, this.#asker());
    if (target === undefined) return GONE;
    const { message } = target;
    const plan = discardsOf(target, message !== null && this.#waits(message));
    if ('nothing' in plan) return plan;
    const who = reason === null ? by : `${by}: ${reason}`;
    if (plan.settles !== null) return this.#settle(plan.settles, by, reason);
    const ended = await Promise.all(plan.outbound.map(({ id }) => delivery.discard(id, who)));
    const ids = plan.outbound.map(({ id }) => id);
    const messageId = message?.id ?? null;
    log.info({ message: messageId, outbound: ids, actor: by }, 'replies are given up');
    const isBeingSent = ended.includes('being-sent');
    return {
      ...{ messageId, outcome: message?.outcome ?? null, replies: ids },
      text: replies.givenUp(ids.length, isBeingSent),
    };
  }

  /** A `sluice exec` beside a gateway counts as living: one that was killed is taken over within moments. */
  #asker(): Asker {
    const { life, awaitsRecovery } = this.#options;
    const recoveredBy = awaitsRecovery() ? 'this-gateway-late' : 'this-gateway';
    return { life: life(), isLiving: () => true, recoveredBy };
  }

  #waits({ id, conversation }: StoredMessage): boolean {
    const { held, resumes, turns } = this.#options;
    return held.has(id) || resumes.has({ id, conversation }) || turns.isWaiting(id);
  }

  /** On disk, or not at all: told of what is in memory alone a death would have it answered. */
  async #settle(message: StoredMessage, by: string, reason: string | null): Promise<Intervened> {
    const { store, ledger, changed } = this.#options;
    const classified = { kind: 'turn', text: message.text } as const;
    const inHand = { row: message, classified, recorded: true };
    const taken = this.#takeOut(message);
    const settled = store.writable
      ? await ledger.settleOnDisk(inHand, discarded(message, by, reason))
      : 'outage';
    if (typeof settled === 'string') {
      taken.putBack();
      throw settled === 'outage'
        ? new SluiceError('STORE_UNAVAILABLE', 'the store cannot be written just now')
        : new SluiceError('INTERNAL', 'the store did not take that a message is given up');
    }
    taken.left();
    changed();
    const { outcome } = settled;
    return { messageId: message.id, outcome, replies: [], text: replies.discardedNow(message.id) };
  }

  #takeOut(message: StoredMessage): TakenOut {
    const { held, resumes, turns, heldLate, settled } = this.#options;
    const { id, conversation } = message;
    if (held.has(id)) {
      const rows = held.rows.filter((row) => row.id === id);
      held.remove(id);
      // It may be work still: a drain that holds it passes over what it does not find held when that is on disk.
      return {
        putBack: () => {
          held.putBack(rows);
          settled(id);
          heldLate();
        },
        left: () => settled(id),
      };
    }
    const unstarted = turns.setAside(id);
    if (unstarted !== undefined) {
      return {
        putBack: () => turns.putBack(unstarted),
        left: () => {
          turns.release(unstarted);
          settled(id);
        },
      };
    }
    resumes.remove(message);
    const taken = { rows: [message], wasQuarantined: false };
    return { putBack: () => resumes.putBack(conversation, taken), left: () => {} };
  }
}

/** Its rows were deleted between two looks: retention took them. */
const GONE: Nothing = { nothing: 'it is not kept any longer' };
