/**
 * Sends what the outbox holds, in order within a conversation and side by side between them. What is done next is
 * decided by the table in `delivery-policy.ts`; here it is carried out.
 *
 * A row is claimed on disk before it is sent and marked when that has ended, so that a message which a life left in
 * between is known as one whose end nobody saw. One that waits (after a failure, for its platform, for a link, for its
 * budget) keeps only its own conversation back, and is left to the next start when the gateway leaves.
 */
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { newId } from '../messages/ids.ts';
import { parseConversationKey } from '../messages/inbound.ts';
import type { Platform } from '../platforms/platform.ts';
import type { OutboundRow, Store, StoredOutbound } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import { BACKOFF_MS_MAX, backoffMs, OUTBOX_AGE_MS_MAX, type Step } from './delivery-policy.ts';
import type { Ending } from './outbound-attempt.ts';
import { OutboundBudget } from './outbound-budget.ts';
import { type Letter, type Line, Lines, letterOf, QUEUED_PER_CONVERSATION_MAX } from './outbound-line.ts';
import { type Mark, OutboundMarks } from './outbound-marks.ts';
import { outboundRows } from './outbound-rows.ts';
import { discardedError, OutboundSending } from './outbound-sending.ts';
import { OutboundTyping } from './outbound-typing.ts';

/** Conversations that are remembered as not there any more; the oldest are tried once more past it. */
const GONE_REMEMBERED_MAX = 10_000;

const NO_LINK: Ending = { happening: 'link-lost', error: 'its platform has no link' };

export interface DeliveryOptions {
  readonly store: Pick<Store, 'commit' | 'writable' | 'openLives' | 'openWork'>;
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
  readonly #budget: OutboundBudget;
  readonly #sending: OutboundSending;
  readonly #typing: OutboundTyping;
  readonly #lines: Lines;
  /** Conversations that are not there any more, with why nothing is tried. */
  readonly #gone = new Map<string, string>();
  readonly #stop = new AbortController();

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#lines = new Lines(options);
    this.#marks = new OutboundMarks(options);
    this.#budget = new OutboundBudget(options.clock);
    this.#sending = new OutboundSending({ ...options, marks: this.#marks });
    this.#typing = new OutboundTyping({ ...options, budget: this.#budget, stop: this.#stop.signal });
  }

  /**
   * Sends `row` after what was handed in before for its conversation. A row of an earlier life comes with what became of
   * it so far. `stored`: it has a row to be marked.
   */
  deliver(row: OutboundRow | StoredOutbound, stored: boolean): void {
    const line = this.#lines.for(row);
    if (line.letters.some((letter) => letter.row.id === row.id)) return;
    const letter = letterOf(row, stored);
    this.#lines.add(line, letter);
    const gone = this.#gone.get(row.conversation);
    if (gone !== undefined) void this.#sending.keepBack(letter, gone);
    this.#wake(line);
  }

  /**
   * A message that was handed in without a row gets one in the next commit: gives what that row has to say of it besides,
   * and from now on it is marked like any other. `over`: it is not here any more.
   */
  noted(id: string): readonly Mark[] | 'over' {
    const { clock, life } = this.#options;
    const letter = this.#lines.find(id)?.letter;
    if (letter === undefined) return 'over';
    letter.stored = true;
    if (letter.state === 'pending') return [];
    const at = clock.wallMs();
    const claim: Mark = { op: 'sending', id, life: life(), at };
    const error = 'nobody saw whether it had arrived';
    return letter.state === 'sending'
      ? [claim]
      : [claim, { op: 'outbound.end', id, at, state: 'unknown', error }];
  }

  /** Its row could not be written after all. */
  notNoted(id: string): void {
    const letter = this.#lines.find(id)?.letter;
    if (letter !== undefined) letter.stored = false;
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

  /** Shows there that an answer is on its way, or no longer; left out where something waits to be sent. */
  typing(conversation: string, on: boolean): void {
    const name = parseConversationKey(conversation)?.platform ?? '';
    const platform = this.#options.platform(name);
    if (platform === undefined || !this.#options.isUp(name)) return;
    if (this.#lines.get(conversation) !== undefined || this.#gone.has(conversation)) return;
    this.#typing.show(platform, conversation, on);
  }

  /** The platform can send from now on: what waited for that starts at once, also what waited after failures. */
  linkUp(platform: string): void {
    for (const line of this.#lines.of(platform)) {
      line.backoffUntil = 0;
      this.#wake(line);
    }
  }

  /** It cannot any more: nothing is tried until it can. */
  linkDown(platform: string, reason: string): void {
    const conversations = this.#lines.of(platform).length;
    if (conversations === 0) return;
    this.#options.log.warn({ platform, reason, conversations }, 'messages wait: their platform has no link');
  }

  /** Something came in from there: the conversation is there, whatever its platform said before. */
  heardFrom(conversation: string): void {
    if (!this.#gone.delete(conversation)) return;
    const line = this.#lines.get(conversation);
    if (line !== undefined) this.#wake(line);
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
    this.#gone.delete(row.conversation);
    line.backoffUntil = 0;
    this.#wake(line);
  }

  /**
   * `by`, an actor, does not want this message sent any more. `being-sent`: it is just being tried, and discarded should
   * that fail. Rejects with STORE_UNAVAILABLE when a row that nobody has in hand cannot be changed.
   */
  async discard(id: string, by: string): Promise<'discarded' | 'being-sent'> {
    const { clock, store } = this.#options;
    const found = this.#lines.find(id);
    if (found === undefined) {
      const error = discardedError(by);
      await store.commit([{ op: 'outbound.end', id, at: clock.wallMs(), state: 'dead', error }]);
      return 'discarded';
    }
    const { line, letter } = found;
    letter.discardedBy = by;
    if (line.inHand === letter) return 'being-sent';
    this.#lines.remove(line, letter);
    const ending = { happening: 'discarded', error: discardedError(by) } as const;
    await this.#settle(line, letter, ending);
    this.#wake(line);
    return 'discarded';
  }

  /** The store can be written again: what became of messages meanwhile is. Never rejects. */
  catchUp(): Promise<void> {
    return this.#marks.catchUp();
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
    for (const line of this.#lines.all) line.timer?.[Symbol.dispose]();
  }

  #wake(line: Line): void {
    line.looksAgain = true;
    if (line.working !== undefined || this.#stop.signal.aborted) return;
    line.working = this.#work(line).finally(() => {
      line.working = undefined;
      if (line.looksAgain) this.#wake(line);
      else this.#lines.tidy(line);
    });
  }

  async #work(line: Line): Promise<void> {
    line.timer?.[Symbol.dispose]();
    try {
      let waitMs = 0;
      while (waitMs === 0 && !this.#stop.signal.aborted) {
        line.looksAgain = false;
        waitMs = await this.#step(line);
      }
      const rests = Number.isFinite(waitMs) && !this.#stop.signal.aborted;
      if (rests) line.timer = this.#options.clock.timer(waitMs, () => this.#wake(line));
    } catch (error) {
      // A defect: the line rests until something is handed in again, and what is on disk is found by the next start.
      const { conversation } = line;
      this.#options.log.error({ conversation, error: messageOf(error) }, 'sending failed inside the gateway');
    }
  }

  /** Goes on with the first letter. Milliseconds until there is more to do: 0 for at once, Infinity when nothing waits. */
  async #step(line: Line): Promise<number> {
    const letter = line.letters[0];
    if (letter === undefined)
      return line.leftOnDisk > 0 ? await this.#readOn(line) : Number.POSITIVE_INFINITY;
    const platform = this.#options.platform(line.platform);
    const unwanted = this.#sending.unwanted(letter);
    if (unwanted === null) {
      const waitMs = this.#waitMs(line, letter, platform);
      if (waitMs > 0) return Math.min(waitMs, this.#untilOld(letter));
    }
    line.inHand = letter;
    try {
      return await this.#settle(line, letter, unwanted ?? (await this.#tried(line, letter, platform)));
    } finally {
      line.inHand = undefined;
    }
  }

  async #tried(line: Line, letter: Letter, platform: Platform | undefined): Promise<Ending> {
    if (letter.orphaned) return { happening: 'orphaned', error: 'nobody saw whether it had arrived' };
    if (platform === undefined) return NO_LINK;
    const how = { platform, clock: this.#options.clock, stop: this.#stop.signal };
    return await this.#sending.attempt(letter, how, () => this.#hindrance(line));
  }

  /** How long the line is kept back; takes the token of a message that can go. */
  #waitMs(line: Line, letter: Letter, platform: Platform | undefined): number {
    const canGo = this.#options.isUp(line.platform) && !this.#gone.has(line.conversation);
    if (platform === undefined || !canGo) return Number.POSITIVE_INFINITY;
    const waitMs = Math.max(line.backoffUntil, line.waitUntil) - this.#options.clock.monotonicMs();
    if (waitMs > 0 || letter.orphaned || letter.asksFirst) return Math.max(0, waitMs);
    return this.#budget.take(line.conversation, platform.capabilities?.messagesPerMinute);
  }

  /** Then its reader has no use for it: one look more, so that it is said. */
  #untilOld({ since }: Letter): number {
    return Math.max(1, since + OUTBOX_AGE_MS_MAX + 1 - this.#options.clock.wallMs());
  }

  #hindrance({ platform }: Line): Ending | null {
    if (this.#stop.signal.aborted) return { happening: 'leaving', error: 'the gateway is leaving' };
    return this.#options.isUp(platform) ? null : NO_LINK;
  }

  async #settle(line: Line, letter: Letter, ending: Ending): Promise<number> {
    const platform = this.#options.platform(line.platform);
    const step = await this.#sending.settle(letter, ending, platform);
    this.#goOn(line, letter, step, ending);
    return 0;
  }

  #goOn(line: Line, letter: Letter, { next, parks }: Step, { retryAfterMs = 0, error }: Ending): void {
    const { clock, random } = this.#options;
    const now = clock.monotonicMs();
    if (next === 'never') this.#lines.remove(line, letter);
    if (next === 'backoff' || next === 'ask-later')
      line.backoffUntil = now + backoffMs(letter.failures, random());
    if (next === 'named-wait') line.waitUntil = now + Math.min(retryAfterMs, OUTBOX_AGE_MS_MAX);
    if (parks !== true) return;
    this.#park(line, error ?? '');
  }

  /** Nothing more is tried there; each message says why. */
  #park(line: Line, error: string): void {
    const { conversation, letters } = line;
    const reason = `not tried: its conversation is gone (${error})`;
    this.#gone.set(conversation, reason);
    const [oldest] = this.#gone.keys();
    if (oldest !== undefined && this.#gone.size > GONE_REMEMBERED_MAX) this.#gone.delete(oldest);
    for (const letter of letters) void this.#sending.keepBack(letter, reason);
    this.#options.log.warn(
      { conversation },
      'nothing more is sent there until something comes in from there',
    );
  }

  /** The letters that had no room in memory. Milliseconds until it can go on. */
  async #readOn(line: Line): Promise<number> {
    const { store, log } = this.#options;
    const before = line.leftOnDisk;
    try {
      const others = await store.openLives();
      const { outbound } = await store.openWork(others.map(({ id }) => id));
      const rows = outbound.filter(
        ({ id, conversation }) => conversation === line.conversation && !this.#marks.isKept(id),
      );
      const taken = rows.slice(0, QUEUED_PER_CONVERSATION_MAX);
      line.letters.push(...taken.map((row) => letterOf(row, true)));
      // Some may have come while it was read.
      line.leftOnDisk += rows.length - taken.length - before;
      return 0;
    } catch (error) {
      const { conversation } = line;
      log.warn({ conversation, error: messageOf(error) }, 'messages that wait could not be read');
      return BACKOFF_MS_MAX;
    }
  }
}
