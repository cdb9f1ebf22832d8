/**
 * Shows in a conversation that an answer is on its way: from its begin to its end, again and again, for platforms forget
 * it by themselves. The first to be left out: only while there is plenty of the conversation's budget and no message
 * waits, one call at a time. What was left out, or has failed, is tried again when it is due anyway, or when the
 * conversation has just become free for it.
 */
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { parseConversationKey } from '../messages/inbound.ts';
import type { Platform } from '../platforms/platform.ts';
import type { Log } from '../telemetry/log.ts';
import type { OutboundBudget } from './outbound-budget.ts';

/** How long a platform may take to show that an answer is on its way. */
const TYPING_MS_MAX = 5000;

/** How often it is shown anew while the answer is on its way: what was shown fades after five seconds and more. */
export const TYPING_AGAIN_MS = 4000;

export interface TypingOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly budget: OutboundBudget;
  /** The platform that something can be shown on in this conversation now; undefined where nothing can. */
  readonly mayShow: (conversation: string) => Platform | undefined;
  readonly stop: AbortSignal;
}

/** A conversation that something is shown in. */
interface Shown {
  readonly again: Disposable;
  /** An answer is on its way. */
  isWanted: boolean;
  /** It was shown, so that its end is worth showing. */
  isOn: boolean;
  /** A call is under way; when it is over it is looked at what is wanted by then. */
  isBusy: boolean;
}

export class OutboundTyping implements Disposable {
  readonly #options: TypingOptions;
  readonly #shown = new Map<string, Shown>();

  constructor(options: TypingOptions) {
    this.#options = options;
  }

  /** An answer is on its way there. */
  begin(conversation: string): void {
    const { clock, stop } = this.#options;
    const before = this.#shown.get(conversation);
    if (before !== undefined) before.isWanted = true;
    if (before !== undefined || stop.aborted) return;
    const again = clock.every(TYPING_AGAIN_MS, () => this.#show(conversation, shown, true));
    const shown: Shown = { again, isWanted: true, isOn: false, isBusy: false };
    this.#shown.set(conversation, shown);
    this.#show(conversation, shown, true);
  }

  /** Something can be shown there from now on: no message waits any more, or its platform has a link again. */
  free(conversation: string): void {
    const shown = this.#shown.get(conversation);
    if (shown?.isWanted === true) this.#show(conversation, shown, true);
  }

  /** The same for all conversations of a platform. */
  freeOn(platform: string): void {
    for (const conversation of this.#shown.keys()) {
      if (parseConversationKey(conversation)?.platform === platform) this.free(conversation);
    }
  }

  /** It is no longer. */
  end(conversation: string): void {
    const shown = this.#shown.get(conversation);
    if (shown === undefined) return;
    shown.isWanted = false;
    if (!shown.isBusy) this.#end(conversation, shown);
  }

  [Symbol.dispose](): void {
    for (const { again } of this.#shown.values()) again[Symbol.dispose]();
    this.#shown.clear();
  }

  /** What was shown is taken back, where that can be; else it fades by itself. */
  #end(conversation: string, shown: Shown): void {
    if (shown.isOn && this.#show(conversation, shown, false)) return;
    shown.again[Symbol.dispose]();
    if (this.#shown.get(conversation) === shown) this.#shown.delete(conversation);
  }

  /** False when it is left out. */
  #show(conversation: string, shown: Shown, on: boolean): boolean {
    const { budget, mayShow, stop } = this.#options;
    if (shown.isBusy || stop.aborted) return false;
    const platform = mayShow(conversation);
    if (platform?.typing === undefined) return false;
    if (!budget.takeSpare(conversation, platform.capabilities?.messagesPerMinute)) return false;
    shown.isOn = on;
    shown.isBusy = true;
    void this.#call(platform, conversation, on).then(() => {
      shown.isBusy = false;
      if (!shown.isWanted) this.#end(conversation, shown);
      else if (!on) this.#show(conversation, shown, true);
    });
    return true;
  }

  /** Never rejects, and comes to an end whatever the platform does. */
  async #call(platform: Platform, conversation: string, on: boolean): Promise<void> {
    const { clock, log, stop } = this.#options;
    const limit = new AbortController();
    const over = Promise.withResolvers<void>();
    using _ = clock.timer(TYPING_MS_MAX, () => {
      limit.abort();
      over.resolve();
    });
    try {
      const shown = platform.typing?.(conversation, on, AbortSignal.any([limit.signal, stop]));
      await Promise.race([shown, over.promise]);
    } catch (error) {
      log.debug({ conversation, error: messageOf(error) }, 'typing could not be shown');
    }
  }
}
