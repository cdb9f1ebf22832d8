/**
 * Where messages come in. For each: look for a duplicate, judge it, give it its place, commit row and decision
 * in one unit, and only then acknowledge it and begin. What cannot be committed is not acknowledged; only
 * exec and control run all the same, unrecorded, because they must work on a full disk.
 *
 * A turn that is dispatched, and not late, is not looked for beforehand: its insert finds a duplicate, and then its place is
 * taken back. Everything else leaves something behind before its commit (a notice, a place among the held), so
 * a duplicate of it must not get that far.
 */
import type { Kind } from '../../machines/events.ts';
import type { Config } from '../config/schema.ts';
import { SluiceError } from '../errors.ts';
import type { Role } from '../messages/commands.ts';
import { newId } from '../messages/ids.ts';
import type { Inbound } from '../messages/inbound.ts';
import * as replies from '../messages/replies.ts';
import type { MessageRow, StoredMessage } from '../store/records.ts';
import type { Access } from './access.ts';
import { DEFAULT_AGENT } from './agent-choice.ts';
import type { Conversations } from './conversations.ts';
import { Duplicates, type DuplicatesOptions, settledAs } from './duplicates.ts';
import type { Decided, ProgressListener, Receipt } from './in-hand.ts';
import type { Judgeable, Judged } from './judge.ts';
import type { Placed, Placing, Unplaced } from './placing.ts';
import { logUnlessOutage } from './unexpected.ts';

/** Messages that ran unrecorded and are remembered, so that a redelivery does not run them again. */
const UNRECORDED_IDS_MAX = 1000;

/** A message as it came, with the agent and the busy mode it is for. */
type Arrived = Unplaced & Judgeable;

export interface IntakeOptions extends DuplicatesOptions {
  readonly config: () => Config;
  readonly access: Access;
  readonly placing: Placing;
  readonly conversations: Conversations;
  readonly life: () => number;
  /** The agent that a message is for. */
  readonly agentFor: (inbound: Inbound) => string | Promise<string>;
}

export class Intake implements Disposable {
  readonly #options: IntakeOptions;
  /** What is in hand, by platform and platform message id. */
  readonly #receiving = new Map<string, Promise<Receipt>>();
  readonly #duplicates: Duplicates;
  readonly #unrecorded: string[] = [];
  #underWay = 0;
  #idle: (() => void)[] = [];

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#duplicates = new Duplicates(options);
  }

  /**
   * Takes a message in; resolves when its decision is on disk, or could not be put there. Rejects with GATEWAY_LEFT, and
   * with SENDER_GAVE_UP past its deadline.
   */
  receive(inbound: Inbound, listener?: ProgressListener): Promise<Receipt> {
    const key = `${inbound.platform} ${inbound.platformMessageId}`;
    const before = this.#receiving.get(key);
    if (before !== undefined) return before.then((first) => this.#duplicates.again(first, listener));
    const receipt = this.#take(key, inbound, listener);
    this.#receiving.set(key, receipt);
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

  /** Ends looking for what other processes have in hand. */
  [Symbol.dispose](): void {
    this.#duplicates[Symbol.dispose]();
  }

  /** Counts the message as under way until it is decided, and keeps its receipt for the same id again. */
  async #take(key: string, inbound: Inbound, listener?: ProgressListener): Promise<Receipt> {
    this.#underWay += 1;
    try {
      const receipt = await this.#first(inbound, listener);
      const { settled, recorded, admission, duplicate } = receipt;
      // What is held, or was found in the store, is found there from now on, as what it is by then.
      const kept = !duplicate && (admission === 'dispatch' || (recorded && admission !== 'hold'));
      if (!kept) this.#receiving.delete(key);
      else void settled.then((outcome) => this.#forget(key, outcome.recorded));
      return receipt;
    } catch (error) {
      this.#receiving.delete(key);
      throw error;
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) for (const idle of this.#idle.splice(0)) idle();
    }
  }

  async #first(inbound: Inbound, listener?: ProgressListener): Promise<Receipt> {
    const { access, judge, clock } = this.#options;
    const role = access.roleOf(inbound.sender);
    if (role === undefined) return this.#stranger(inbound);
    const { kind } = judge.classify(inbound.text);
    const id = newId('m', clock.wallMs());
    const agent = mayBeTurn(kind) ? this.#options.agentFor(inbound) : DEFAULT_AGENT;
    const row = this.#row(inbound, id, kind, typeof agent === 'string' ? agent : await agent);
    // What is late is not judged: what is dispatched counts as work from then on.
    if (kind !== 'turn' || this.#isLate(inbound)) return this.#unlessKnown(inbound, row, role, listener);
    const judged = this.#judged(row, role);
    return judged.admission === 'dispatch'
      ? this.#decide(inbound, row, judged, listener)
      : this.#unlessKnown(inbound, row, role, listener);
  }

  /** A turn comes here judged already; it is judged again, because by then the state may be another one. */
  async #unlessKnown(
    inbound: Inbound,
    row: Arrived,
    role: Role,
    listener?: ProgressListener,
  ): Promise<Receipt> {
    const stored = await this.#find(row);
    if (stored !== undefined) return this.#duplicates.known(stored, listener);
    if (this.#isLate(inbound)) throw this.#gaveUp(inbound);
    return this.#decide(inbound, row, this.#judged(row, role), listener);
  }

  /** Throws GATEWAY_LEFT once the chart has ended: nothing has a row then, and the same id is good for another try. */
  #judged(row: Arrived, role: Role): Judged {
    const judged = this.#options.judge.judge(row, role);
    if (judged === undefined) throw new SluiceError('GATEWAY_LEFT', replies.left());
    return judged;
  }

  /** Nothing of it is kept: its sender may have run it itself by now, and claims the id by that. */
  #isLate({ deadlineAt }: Inbound): boolean {
    return deadlineAt !== undefined && this.#options.clock.wallMs() >= deadlineAt;
  }

  #gaveUp({ platformMessageId }: Inbound): SluiceError {
    this.#options.log.info({ platformMessageId }, 'a message came past its deadline: nothing of it is done');
    return new SluiceError('SENDER_GAVE_UP', replies.tooLateToRun());
  }

  async #decide(
    inbound: Inbound,
    row: Arrived,
    judged: Judged,
    listener?: ProgressListener,
  ): Promise<Receipt> {
    const { ledger, placing, conversations } = this.#options;
    const settled = ledger.open(row.id);
    if (listener !== undefined) ledger.watch(row.id, listener);
    const placed = placing.place(row, judged);
    const result = await this.#write(placed);
    let final = placed;
    if (result !== 'committed') {
      const first = await this.#find(row);
      if (first !== undefined) {
        placing.withdraw(placed);
        ledger.forget(row.id);
        return this.#duplicates.known(first, listener);
      }
      if (placed.place.as === 'exec' && this.#isLate(inbound)) {
        placing.withdraw(placed);
        ledger.forget(row.id);
        throw this.#gaveUp(inbound);
      }
      final = result === 'unwritable' ? placing.unwritable(placed) : placing.notKept(placed);
    }
    const decided = decidedOf(final);
    ledger.tell(row.id, { ...decided, type: 'admission' });
    const { row: message } = final.message;
    conversations.tell(message.conversation, { type: 'message', message, admission: decided.admission });
    placing.begin(final);
    return { ...decided, settled };
  }

  /** What the store knows of this id; nothing when it cannot be asked. */
  #find({ platform, platformMessageId }: Arrived): Promise<StoredMessage | undefined> {
    const { store, log } = this.#options;
    return store.find(platform, platformMessageId).catch((error: unknown) => {
      logUnlessOutage(log, error, 'a message could not be looked for', { platform, platformMessageId });
      return undefined;
    });
  }

  /** What is refused for the store's sake is never written: its sender may send it again under the same id. */
  async #write(placed: Placed): Promise<'committed' | 'duplicate' | 'unwritable'> {
    if (placed.rule === 'store') return 'unwritable';
    try {
      return await this.#options.store.commit(placed.unit);
    } catch (error) {
      const { id: message } = placed.message.row;
      logUnlessOutage(this.#options.log, error, 'a message was not written', { message });
      return 'unwritable';
    }
  }

  #row(inbound: Inbound, id: string, kind: Kind, agent: string): Arrived {
    const { platform, platformMessageId, conversation, sender, text, receivedAt } = inbound;
    const { life, epoch, config } = this.#options;
    return {
      id,
      platform,
      platformMessageId,
      conversation,
      sender,
      kind,
      text,
      agent,
      whenBusy: inbound.whenBusy ?? config().busyInputMode,
      receivedAt,
      life: life(),
      epoch: epoch(),
      ...(inbound.only === undefined ? {} : { only: inbound.only }),
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
}

function decidedOf({ message, rule, text }: Placed): Decided {
  const { id, kind, admission } = message.row;
  return { messageId: id, kind, admission, reason: rule, text, duplicate: false, recorded: message.recorded };
}

/** Commands touch no agent, and wait for nothing that is read for one. */
const mayBeTurn = (kind: Kind): boolean => kind === 'turn' || kind === 'alias';
