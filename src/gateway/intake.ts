/**
 * Where messages come in. For each: look for a duplicate, judge it, give it its place, commit row and decision
 * in one unit, and only then acknowledge it and begin. What cannot be committed is not acknowledged; only
 * exec and control run all the same, unrecorded, because they must work on a full disk.
 */
import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import { newId } from '../messages/ids.ts';
import type { Inbound } from '../messages/inbound.ts';
import * as replies from '../messages/replies.ts';
import type { LastExit, MessageRow, Store, StoredMessage } from '../store/store.ts';
import type { Access } from './access.ts';
import type { Decided, ProgressListener, Receipt, Rule, Settled } from './in-hand.ts';
import type { Judge } from './judge.ts';
import type { Ledger } from './ledger.ts';
import type { Placed, Placing } from './placing.ts';

/** Messages that ran unrecorded and are remembered, so that a redelivery does not run them again. */
const UNRECORDED_IDS_MAX = 1000;

export interface IntakeOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly config: () => Config;
  readonly access: Access;
  readonly judge: Judge;
  readonly ledger: Ledger;
  readonly placing: Placing;
  readonly life: () => number;
  readonly epoch: () => number;
  /** How the life before this one ended; null when nothing is known of one. */
  readonly lastExit: () => LastExit | null;
  /** Says a refusal or a notice in a conversation of a platform that has no waiting caller. */
  readonly say: (row: Pick<MessageRow, 'platform' | 'conversation'>, text: string) => void;
}

export class Intake {
  readonly #options: IntakeOptions;
  /** What is in hand, by platform and platform message id. */
  readonly #receiving = new Map<string, Promise<Receipt>>();
  readonly #unrecorded: string[] = [];
  #underWay = 0;
  #idle: (() => void)[] = [];

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Takes a message in; resolves when its decision is on disk, or could not be put there. */
  async receive(inbound: Inbound, listener?: ProgressListener): Promise<Receipt> {
    const key = `${inbound.platform} ${inbound.platformMessageId}`;
    const before = this.#receiving.get(key);
    if (before !== undefined) return this.#again(await before, listener);
    const receipt = this.#count(this.#first(inbound, listener));
    this.#receiving.set(key, receipt);
    const { settled, recorded, admission } = await receipt.catch((error: unknown) => {
      this.#receiving.delete(key);
      throw error;
    });
    // What is held is found in the store from now on, as what it is by then.
    const kept = admission === 'dispatch' || (recorded && admission !== 'hold');
    if (!kept) this.#receiving.delete(key);
    else void settled.then((outcome) => this.#forget(key, outcome.recorded));
    return receipt;
  }

  /** A turn that waited for its place has become held: the same id again is answered as a held one. */
  nowHeld({ platform, platformMessageId }: MessageRow): void {
    this.#receiving.delete(`${platform} ${platformMessageId}`);
  }

  /** Resolves when no message is between its arrival and its commit. */
  idle(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  async #first(inbound: Inbound, listener?: ProgressListener): Promise<Receipt> {
    const { access, ledger, judge, config, clock, store } = this.#options;
    const role = access.roleOf(inbound.sender);
    if (role === undefined) return this.#stranger(inbound);
    const stored = await store.find(inbound.platform, inbound.platformMessageId).catch(() => undefined);
    if (stored !== undefined) return this.#known(stored, listener);
    const id = newId('m', clock.wallMs());
    const settled = ledger.open(id);
    if (listener !== undefined) ledger.watch(id, listener);
    const asked = { agent: inbound.agent ?? 'default', whenBusy: inbound.whenBusy ?? config().busyInputMode };
    const judged = judge.judge({ id, text: inbound.text, ...asked }, role);
    const kind = judge.classify(inbound.text).kind;
    const row = this.#row(inbound, { id, kind, ...asked });
    const placed = this.#options.placing.place(row, judged, inbound.deadlineAt ?? null);
    return this.#commit(placed, settled, listener);
  }

  async #commit(placed: Placed, settled: Promise<Settled>, listener?: ProgressListener): Promise<Receipt> {
    const { store, ledger, placing } = this.#options;
    const { row } = placed.message;
    const result = await this.#write(placed);
    let final = result === 'unwritable' ? placing.unwritable(placed) : placed;
    if (result === 'duplicate') {
      placing.withdraw(placed);
      const first = await store.find(row.platform, row.platformMessageId).catch(() => undefined);
      if (first !== undefined) {
        ledger.forget(row.id);
        return this.#known(first, listener);
      }
      final = placing.notKept(placed);
    }
    const decided = decidedOf(final);
    ledger.tell(row.id, { type: 'admission', ...decided });
    placing.begin(final);
    return { ...decided, settled };
  }

  /** What is refused for the store's sake is never written: its sender may send it again under the same id. */
  async #write(placed: Placed): Promise<'committed' | 'duplicate' | 'unwritable'> {
    if (placed.rule === 'store') return 'unwritable';
    try {
      return await this.#options.store.commit(placed.unit);
    } catch {
      return 'unwritable';
    }
  }

  #row(
    inbound: Inbound,
    decided: Pick<MessageRow, 'id' | 'kind' | 'agent' | 'whenBusy'>,
  ): Omit<MessageRow, 'admission' | 'reason' | 'phase'> {
    const { platform, platformMessageId, conversation, sender, text, receivedAt } = inbound;
    const { life, epoch } = this.#options;
    return {
      ...decided,
      ...{ platform, platformMessageId, conversation, sender, text, receivedAt },
      life: life(),
      epoch: epoch(),
    };
  }

  /** One line, once in a while, and no row. */
  #stranger(inbound: Inbound): Receipt {
    const told = this.#options.access.tellsStranger(inbound.sender);
    if (told) this.#options.say(inbound, replies.stranger());
    const reply = told ? [replies.stranger()] : [];
    return {
      messageId: '',
      kind: this.#options.judge.classify(inbound.text).kind,
      admission: 'refuse',
      reason: 'access',
      text: replies.stranger(),
      duplicate: false,
      recorded: false,
      settled: Promise.resolve(settledAs('refused', 'access', reply, false)),
    };
  }

  /** The same id again in this life: the first one's decision and, when it comes, its outcome. */
  #again(first: Receipt, listener?: ProgressListener): Receipt {
    const { ledger } = this.#options;
    if (listener !== undefined) {
      const { settled: _, ...decided } = first;
      listener({ type: 'admission', ...decided, duplicate: true });
      if (ledger.waitFor(first.messageId) !== undefined) ledger.watch(first.messageId, listener);
      else void first.settled.then((settled) => tellSettled(listener, settled));
    }
    return { ...first, duplicate: true };
  }

  /** The same id as a message of the store: nothing is done twice. */
  async #known(stored: StoredMessage, listener?: ProgressListener): Promise<Receipt> {
    const { ledger } = this.#options;
    const settled =
      stored.outcome === null
        ? (ledger.waitFor(stored.id) ?? ledger.open(stored.id))
        : this.#outcomeOf(stored);
    const decided: Decided = {
      messageId: stored.id,
      kind: stored.kind,
      admission: admissionNow(stored),
      reason: admissionNow(stored) === 'refuse' ? ((stored.reason ?? 'state') as Rule) : null,
      text: admissionNow(stored) === 'hold' ? replies.held(false) : null,
      duplicate: true,
      recorded: stored.recorded,
    };
    const restarted = this.#restartedBy(stored);
    if (restarted !== undefined && stored.platform !== 'local') this.#options.say(stored, restarted);
    if (listener !== undefined) {
      listener({ type: 'admission', ...decided });
      if (stored.outcome === null) ledger.watch(stored.id, listener);
      else tellSettled(listener, await settled);
    }
    return { ...decided, settled };
  }

  async #outcomeOf(stored: StoredMessage): Promise<Settled> {
    const texts = (await this.#options.store.replies(stored.id)).map((reply) => reply.text);
    const restarted = this.#restartedBy(stored);
    if (restarted !== undefined) texts.push(restarted);
    return settledAs(stored.outcome ?? 'failed', stored.reason, texts, stored.recorded);
  }

  /** What is added for whoever asked for the restart that ended the life before: it has happened. */
  #restartedBy({ text, outcome, epoch }: StoredMessage): string | undefined {
    const { clock, judge, lastExit } = this.#options;
    const exit = lastExit();
    if (exit === null || exit.at === null || exit.cause !== 'restart') return undefined;
    const asked = outcome === 'done' && epoch === this.#options.epoch() - 1 && judge.asksRestart(text);
    return asked ? replies.restartedAgo(clock.wallMs() - exit.at) : undefined;
  }

  /** A settled message is found in the store from now on; one without a row is remembered here, bounded. */
  #forget(key: string, recorded: boolean): void {
    if (recorded) {
      this.#receiving.delete(key);
      return;
    }
    this.#unrecorded.push(key);
    const oldest = this.#unrecorded.length > UNRECORDED_IDS_MAX ? this.#unrecorded.shift() : undefined;
    if (oldest !== undefined) this.#receiving.delete(oldest);
  }

  async #count<T>(work: Promise<T>): Promise<T> {
    this.#underWay += 1;
    try {
      return await work;
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) for (const idle of this.#idle.splice(0)) idle();
    }
  }
}

const settledAs = (
  outcome: Settled['outcome'],
  reason: string | null,
  texts: readonly string[],
  recorded: boolean,
): Settled => ({ outcome, reason, replies: texts, recorded, exitCode: null });

function tellSettled(listener: ProgressListener, settled: Settled): void {
  for (const text of settled.replies) listener({ type: 'reply', text });
  listener({ type: 'settled', ...settled });
}

/** A message that was held is one that was dispatched once it has been taken up. */
function admissionNow({ admission, phase, outcome }: StoredMessage): Decided['admission'] {
  if (outcome === null && phase === 'held') return 'hold';
  if (outcome === 'refused') return 'refuse';
  return admission === 'hold' ? 'dispatch' : admission;
}

function decidedOf({ message, rule, text }: Placed): Decided {
  const { id, kind, admission } = message.row;
  return { messageId: id, kind, admission, reason: rule, text, duplicate: false, recorded: message.recorded };
}
