/**
 * Moves lines on: picks the message of a line that is next, waits for what keeps it back, has it taken a step on
 * (`outbound-sending.ts`), and does what the table says of that (`delivery-policy.ts`). One that waits (after a failure,
 * for its platform, for a link, for its budget, for the store) keeps only its own conversation back.
 *
 * While nothing can be claimed, what has a row waits for the store: on disk it is safe. What has none goes before it, for
 * it needs no claim, and it may be the answer of the very command that frees the disk.
 */
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Platform } from '../platforms/platform.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import { BACKOFF_MS_MAX, backoffMs, OUTBOX_AGE_MS_MAX, type Step } from './delivery-policy.ts';
import type { Ending } from './outbound-attempt.ts';
import type { OutboundBudget } from './outbound-budget.ts';
import type { GoneConversations } from './outbound-gone.ts';
import {
  type Letter,
  type Line,
  type Lines,
  letterOf,
  QUEUED_PER_CONVERSATION_MAX,
} from './outbound-line.ts';
import type { OutboundMarks } from './outbound-marks.ts';
import type { OutboundSending } from './outbound-sending.ts';

const NO_LINK: Ending = { happening: 'link-lost', error: 'its platform has no link' };

export interface MovingOptions {
  readonly store: Pick<Store, 'writable' | 'openLives' | 'openWork'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly platform: (name: string) => Platform | undefined;
  readonly isUp: (name: string) => boolean;
  /** A number in [0, 1): spreads the waits. */
  readonly random: () => number;
  readonly lines: Lines;
  readonly marks: OutboundMarks;
  readonly budget: OutboundBudget;
  readonly sending: OutboundSending;
  readonly gone: GoneConversations;
  /** Aborted when the gateway leaves: from then on nothing moves. */
  readonly stop: AbortSignal;
}

export class OutboundMoving {
  readonly #options: MovingOptions;

  constructor(options: MovingOptions) {
    this.#options = options;
  }

  /** Something of this line has changed: it goes on, or looks once more when it is at work. */
  wake(line: Line): void {
    line.looksAgain = true;
    if (line.working !== undefined || this.#options.stop.aborted) return;
    line.working = this.#work(line).finally(() => {
      line.working = undefined;
      if (line.looksAgain) this.wake(line);
      else this.#options.lines.tidy(line);
    });
  }

  /** Brings a letter to what its ending comes to, and its line with it. Gives 0: there may be more to do at once. */
  async settle(line: Line, letter: Letter, ending: Ending): Promise<0> {
    const platform = this.#options.platform(line.platform);
    const step = await this.#options.sending.settle(letter, ending, platform);
    this.#goOn(line, letter, step, ending);
    return 0;
  }

  async #work(line: Line): Promise<void> {
    const { stop, clock, log } = this.#options;
    line.timer?.[Symbol.dispose]();
    try {
      let waitMs = 0;
      while (waitMs === 0 && !stop.aborted) {
        line.looksAgain = false;
        waitMs = await this.#step(line);
      }
      const rests = Number.isFinite(waitMs) && !stop.aborted;
      if (rests) line.timer = clock.timer(waitMs, () => this.wake(line));
    } catch (error) {
      // A defect: the line rests until something is handed in again, and what is on disk is found by the next start.
      const { conversation } = line;
      log.error({ conversation, error: messageOf(error) }, 'sending failed inside the gateway');
    }
  }

  /** Goes on with the next letter. Milliseconds until there is more to do: 0 for at once, Infinity when nothing waits. */
  async #step(line: Line): Promise<number> {
    const letter = this.#next(line);
    if (letter === undefined)
      return line.leftOnDisk > 0 ? await this.#readOn(line) : Number.POSITIVE_INFINITY;
    // Whoever gives it up wakes the line.
    if (letter.isBeingDiscarded) return Number.POSITIVE_INFINITY;
    const platform = this.#options.platform(line.platform);
    const unwanted = this.#options.sending.unwanted(letter);
    if (unwanted === null) {
      const waitMs = this.#waitMs(line, letter, platform);
      if (waitMs > 0) return Math.min(waitMs, this.#untilOld(letter));
    }
    line.inHand = letter;
    try {
      return await this.settle(line, letter, unwanted ?? (await this.#tried(line, letter, platform)));
    } finally {
      line.inHand = undefined;
    }
  }

  /** The first; while nothing can be claimed, the first that needs no claim. */
  #next({ letters, claimUntil }: Line): Letter | undefined {
    const { store, clock } = this.#options;
    const [first] = letters;
    if (store.writable && claimUntil <= clock.monotonicMs()) return first;
    return letters.find(({ stored }) => !stored) ?? first;
  }

  async #tried(line: Line, letter: Letter, platform: Platform | undefined): Promise<Ending> {
    const { clock, stop, sending } = this.#options;
    if (letter.orphaned) return { happening: 'orphaned', error: 'nobody saw whether it had arrived' };
    if (platform === undefined) return NO_LINK;
    return await sending.attempt(letter, { platform, clock, stop }, () => this.#hindrance(line));
  }

  /** How long the line is kept back; takes the token of a message that can go. */
  #waitMs(line: Line, letter: Letter, platform: Platform | undefined): number {
    const { store, clock, isUp, gone, budget } = this.#options;
    const { conversation, backoffUntil, waitUntil, claimUntil } = line;
    const canGo = isUp(line.platform) && !gone.has(conversation) && (store.writable || !letter.stored);
    if (platform === undefined || !canGo) return Number.POSITIVE_INFINITY;
    const until = Math.max(backoffUntil, waitUntil, letter.stored ? claimUntil : 0);
    const waitMs = until - clock.monotonicMs();
    if (waitMs > 0 || letter.orphaned || letter.asksFirst) return Math.max(0, waitMs);
    return budget.take(conversation, platform.capabilities?.messagesPerMinute);
  }

  /** Then its reader has no use for it: one look more, so that it is said. */
  #untilOld({ since }: Letter): number {
    return Math.max(1, since + OUTBOX_AGE_MS_MAX + 1 - this.#options.clock.wallMs());
  }

  #hindrance({ platform }: Line): Ending | null {
    const { stop, isUp } = this.#options;
    if (stop.aborted) return { happening: 'leaving', error: 'the gateway is leaving' };
    return isUp(platform) ? null : NO_LINK;
  }

  #goOn(line: Line, letter: Letter, { next, parks }: Step, { retryAfterMs = 0, error }: Ending): void {
    const { clock, random, lines } = this.#options;
    const now = clock.monotonicMs();
    if (next === 'never') lines.remove(line, letter);
    if (next === 'backoff' || next === 'ask-later')
      line.backoffUntil = now + backoffMs(letter.failures, random());
    if (next === 'named-wait') line.waitUntil = now + Math.min(retryAfterMs, OUTBOX_AGE_MS_MAX);
    // A store that is well and refuses it tells nobody when it will not.
    if (next === 'store') line.claimUntil = now + BACKOFF_MS_MAX;
    if (parks === true) this.#park(line, error ?? '');
  }

  /** Nothing more is tried there; each message says why. */
  #park({ conversation, letters }: Line, error: string): void {
    const { gone, sending, log } = this.#options;
    const reason = gone.add(conversation, error);
    for (const letter of letters) void sending.keepBack(letter, reason);
    log.warn({ conversation }, 'nothing more is sent there until something comes in from there');
  }

  /** The letters that had no room in memory. Milliseconds until it can go on. */
  async #readOn(line: Line): Promise<number> {
    const { store, log, marks } = this.#options;
    const before = line.leftOnDisk;
    try {
      const others = await store.openLives();
      const { outbound } = await store.openWork(others.map(({ id }) => id));
      const rows = outbound.filter(
        ({ id, conversation }) => conversation === line.conversation && !marks.isKept(id),
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
