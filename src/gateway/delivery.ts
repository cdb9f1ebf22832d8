/**
 * Sends what the outbox holds, in order within a conversation and side by side between them: this is what the rest of the
 * gateway asks for. How a line moves on stands in `outbound-moving.ts`.
 *
 * A row is claimed on disk before it is sent and marked when that has ended, so that a message which a life left in
 * between is known as one whose end nobody saw. What waits is left to the next start when the gateway leaves.
 */
import type { Clock } from '../clock.ts';
import { SluiceError } from '../errors.ts';
import { newId } from '../messages/ids.ts';
import { parseConversationKey } from '../messages/inbound.ts';
import type { Platform } from '../platforms/platform.ts';
import type { OutboundRow, StoredOutbound } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { OpenState } from './delivery-policy.ts';
import { OutboundBudget } from './outbound-budget.ts';
import { GoneConversations } from './outbound-gone.ts';
import { Lines, letterOf } from './outbound-line.ts';
import { type Mark, OutboundMarks } from './outbound-marks.ts';
import { OutboundMoving } from './outbound-moving.ts';
import { outboundRows } from './outbound-rows.ts';
import { deadMarks, discardedError, OutboundSending } from './outbound-sending.ts';
import { marksSoFar, type SoFar, soFarOf } from './outbound-so-far.ts';
import { OutboundTyping } from './outbound-typing.ts';
import { UnarrivedMessages } from './outbound-unarrived.ts';

export interface DeliveryOptions {
  readonly store: Pick<Store, 'commit' | 'writable' | 'obstacle' | 'openLives' | 'openWork'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly life: () => number;
  readonly platform: (name: string) => Platform | undefined;
  /** Whether this platform can be asked to send now; a change is said to `linkUp` and `linkDown`. */
  readonly isUp: (name: string) => boolean;
  /** A number in [0, 1): spreads the waits. */
  readonly random: () => number;
}

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #marks: OutboundMarks;
  readonly #sending: OutboundSending;
  readonly #typing: OutboundTyping;
  readonly #lines: Lines;
  readonly #moving: OutboundMoving;
  readonly #gone = new GoneConversations();
  readonly #unarrived = new UnarrivedMessages();
  readonly #stop = new AbortController();

  constructor(options: DeliveryOptions) {
    this.#options = options;
    const unarrived = this.#unarrived;
    const emptied = (conversation: string) => this.#typing.free(conversation);
    this.#lines = new Lines({ ...options, unarrived, emptied });
    const marks = new OutboundMarks(options);
    const budget = new OutboundBudget(options.clock);
    const sending = new OutboundSending({ ...options, marks, unarrived });
    this.#marks = marks;
    this.#sending = sending;
    const stop = this.#stop.signal;
    const parts = { lines: this.#lines, marks, budget, sending, gone: this.#gone, stop };
    this.#moving = new OutboundMoving({ ...options, ...parts });
    const mayShow = (conversation: string) => this.#mayShow(conversation);
    this.#typing = new OutboundTyping({ ...options, mayShow, budget, stop });
  }

  /**
   * Sends `row` after what was handed in before for its conversation. A row of an earlier life comes with what became of
   * it so far. `stored`: it has a row to be marked.
   */
  deliver(row: OutboundRow | StoredOutbound, stored: boolean): void {
    const line = this.#lines.for(row);
    if (line.letters.some((letter) => letter.row.id === row.id)) return;
    this.#unarrived.forget(row.id);
    const letter = letterOf(row, stored);
    this.#lines.add(line, letter);
    const gone = this.#gone.reason(row.conversation);
    if (gone !== undefined) void this.#sending.keepBack(letter, gone);
    this.#moving.wake(line);
  }

  /**
   * What earlier lives left, in order: it goes before all that was handed in since, for a start whose store could not be
   * written finds it late.
   */
  recovered(rows: readonly (OutboundRow | StoredOutbound)[]): void {
    const left = rows.filter(({ id }) => this.#lines.find(id) === undefined);
    const since = this.#lines.all.map((line) => ({ line, letters: line.letters.splice(0) }));
    for (const row of left) this.deliver(row, true);
    for (const { line, letters } of since) {
      this.#lines.putBehind(line, letters);
      this.#moving.wake(line);
    }
  }

  /**
   * A message that was handed in without a row gets one in the next commit: gives what that row has to say of it besides,
   * and from now on it is marked like any other. `never-taken`: there was no room for it; it can be delivered by its row.
   */
  noted(id: string): readonly Mark[] | 'delivered' | 'never-taken' {
    const end = this.#unarrived.get(id);
    if (end?.as === 'never-taken') return 'never-taken';
    if (end?.as === 'dead')
      return [...this.#marksSoFar(id, end.was), ...deadMarks(id, { ...end, was: end.was.state })];
    const letter = this.#lines.find(id)?.letter;
    if (letter === undefined || letter.arrived) return 'delivered';
    letter.stored = true;
    return this.#marksSoFar(id, soFarOf(letter));
  }

  #marksSoFar(id: string, soFar: SoFar): Mark[] {
    const { clock, life } = this.#options;
    return marksSoFar(id, soFar, { life: life(), at: clock.wallMs() });
  }

  /** Its row could not be written after all: it goes without. */
  notNoted(id: string): void {
    const found = this.#lines.find(id);
    if (found === undefined) return;
    found.letter.stored = false;
    this.#moving.wake(found.line);
  }

  /** Says something that answers no stored message; it has no row. */
  say({ platform, conversation }: Pick<OutboundRow, 'platform' | 'conversation'>, text: string): void {
    const { clock, life } = this.#options;
    const at = clock.wallMs();
    const row: OutboundRow = {
      ...{ id: newId('o', at), messageId: null, platform, conversation, text, kind: 'notice' },
      createdAt: at,
      life: life(),
    };
    for (const part of outboundRows(row, this.textCharsMax(platform))) this.deliver(part, false);
  }

  /** The longest text of one message of a platform, in UTF-16 code units; undefined: any. */
  textCharsMax(platform: string): number | undefined {
    return this.#options.platform(platform)?.capabilities?.textCharsMax;
  }

  /** Shows there that an answer is on its way until it is called with `false`; where its platform can show that. */
  typing(conversation: string, on: boolean): void {
    if (on) this.#typing.begin(conversation);
    else this.#typing.end(conversation);
  }

  /** The platform can send from now on: what waited for that starts at once, also what waited after failures. */
  linkUp(platform: string): void {
    for (const line of this.#lines.of(platform)) {
      line.backoffUntil = 0;
      this.#moving.wake(line);
    }
    this.#typing.freeOn(platform);
  }

  /** It cannot any more: nothing is tried until it can. */
  linkDown(platform: string, reason: string): void {
    const conversations = this.#lines.of(platform).length;
    if (conversations === 0) return;
    this.#options.log.warn({ platform, reason, conversations }, 'messages wait: their platform has no link');
  }

  /** Something came in from there: the conversation is there, whatever its platform said before. */
  heardFrom(conversation: string): void {
    if (!this.#gone.remove(conversation)) return;
    const line = this.#lines.get(conversation);
    if (line !== undefined) this.#moving.wake(line);
  }

  /**
   * A person wants this message sent after all: it is the last of its conversation then, and as young as if it were new.
   * Rejects with STORE_UNAVAILABLE when that cannot be written.
   */
  async retry(row: StoredOutbound): Promise<void> {
    const { clock, store } = this.#options;
    const at = clock.wallMs();
    if (this.#lines.find(row.id) === undefined)
      await store.commit([{ op: 'outbound.retry', id: row.id, at }]);
    const line = this.#lines.for(row);
    const waiting = line.letters.find((letter) => letter.row.id === row.id);
    if (waiting !== undefined) {
      waiting.discardedBy = null;
      waiting.since = at;
    } else if (row.state === 'dead' || row.state === 'unknown') {
      const possibleDuplicate = row.possibleDuplicate || row.state === 'unknown';
      const again = letterOf({ ...row, state: 'pending', nextAt: null, possibleDuplicate }, true);
      this.#lines.add(line, { ...again, since: at });
    }
    this.#gone.remove(row.conversation);
    line.backoffUntil = 0;
    this.#moving.wake(line);
  }

  /**
   * `by`, an actor, does not want this message sent any more. `being-sent`: it is just being tried, and discarded should
   * that fail. Rejects with STORE_UNAVAILABLE when that cannot be written, for a death would have it sent after all; then
   * it waits as before.
   */
  async discard(id: string, by: string): Promise<'discarded' | 'being-sent'> {
    const error = discardedError(by);
    const found = this.#lines.find(id);
    if (found === undefined) {
      await this.#giveUpOnDisk(id, 'pending', error);
      return 'discarded';
    }
    const { line, letter } = found;
    if (line.inHand === letter) {
      letter.discardedBy = by;
      return 'being-sent';
    }
    letter.isBeingDiscarded = true;
    try {
      if (letter.stored) await this.#giveUpOnDisk(id, letter.state, error);
      // Its row says so by now: there is nothing left to mark.
      letter.stored = false;
      this.#lines.remove(line, letter);
      await this.#moving.settle(line, letter, { happening: 'discarded', error });
    } finally {
      letter.isBeingDiscarded = false;
      this.#moving.wake(line);
    }
    return 'discarded';
  }

  async #giveUpOnDisk(id: string, was: OpenState, error: string): Promise<void> {
    const at = this.#options.clock.wallMs();
    if (await this.#marks.claim(...deadMarks(id, { was, error, at }))) return;
    throw new SluiceError('STORE_UNAVAILABLE', 'the store cannot be written just now');
  }

  /** The store can be written again: what became of messages meanwhile is, and what waited for it goes. Never rejects. */
  async catchUp(): Promise<void> {
    await this.#marks.catchUp();
    for (const line of this.#lines.all) {
      line.claimUntil = 0;
      this.#moving.wake(line);
    }
  }

  /**
   * Resolves when nothing is being sent and nothing could be sent now. What waits is on disk: it is left to the next
   * start, so that no platform that is away keeps the gateway from leaving.
   */
  async idle(): Promise<void> {
    for (;;) {
      const working = this.#lines.all.flatMap((line) => line.working ?? []);
      if (working.length === 0) return;
      await Promise.all(working);
    }
  }

  /** Ends waits and attempts; what was not sent stays for the next start. */
  stop(): void {
    this.#stop.abort();
    this.#typing[Symbol.dispose]();
    for (const line of this.#lines.all) line.timer?.[Symbol.dispose]();
  }

  /** The platform of a conversation that something can be shown in: not where a message waits, which goes first. */
  #mayShow(conversation: string): Platform | undefined {
    const name = parseConversationKey(conversation)?.platform ?? '';
    if (!this.#options.isUp(name) || this.#gone.has(conversation)) return undefined;
    return this.#lines.get(conversation) === undefined ? this.#options.platform(name) : undefined;
  }
}
