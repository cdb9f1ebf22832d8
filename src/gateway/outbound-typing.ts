/**
 * Shows in a conversation that an answer is on its way, or no longer. The first to be left out: only while there is
 * plenty of the conversation's budget, one at a time, and never retried.
 */
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Platform } from '../platforms/platform.ts';
import type { Log } from '../telemetry/log.ts';
import type { OutboundBudget } from './outbound-budget.ts';

/** How long a platform may take to show that an answer is on its way. */
const TYPING_MS_MAX = 5000;

export interface TypingOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly budget: OutboundBudget;
  readonly stop: AbortSignal;
}

export class OutboundTyping {
  readonly #options: TypingOptions;
  readonly #showing = new Set<string>();

  constructor(options: TypingOptions) {
    this.#options = options;
  }

  show(platform: Platform, conversation: string, on: boolean): void {
    const { budget, stop } = this.#options;
    if (platform.typing === undefined || this.#showing.has(conversation) || stop.aborted) return;
    if (budget.takeSpare(conversation, platform.capabilities?.messagesPerMinute)) {
      void this.#show(platform, conversation, on);
    }
  }

  async #show(platform: Platform, conversation: string, on: boolean): Promise<void> {
    const { clock, log, stop } = this.#options;
    this.#showing.add(conversation);
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
    } finally {
      this.#showing.delete(conversation);
    }
  }
}
