/**
 * Sends what the outbox holds, in order within a conversation and side by side between them. A row is
 * claimed before it is sent and marked when it has left; what could not be sent stays pending and is tried
 * again, at last by the next start. A platform is asked for nothing before it can send.
 */
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { newId } from '../messages/ids.ts';
import type { Platform } from '../platforms/platform.ts';
import type { OutboundRow, Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import { logUnlessOutage } from './unexpected.ts';

/** Waits between attempts at one message within a life; after the last it is left to the next start. */
const RETRY_WAITS_MS: readonly number[] = [1000, 5000, 15_000];

/** How long one attempt may take. */
const SEND_MS_MAX = 30_000;

export interface DeliveryOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly life: () => number;
  readonly platform: (name: string) => Platform | undefined;
  /** Resolves with true once this platform can send, with false when it will not in this life. */
  readonly canSend: (name: string) => Promise<boolean>;
}

export class Delivery {
  readonly #options: DeliveryOptions;
  /** The tail of each conversation's chain. */
  readonly #tails = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();
  readonly #stopped = new Promise<false>((resolve) => {
    this.#stop.signal.addEventListener('abort', () => resolve(false));
  });

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Sends `row` after what was handed in before for its conversation. `stored`: it has a row to be marked. */
  deliver(row: OutboundRow, stored: boolean): void {
    const before = this.#tails.get(row.conversation) ?? Promise.resolve();
    const tail = before
      .then(() => this.#attempts(row, stored))
      .catch((error: unknown) => {
        this.#options.log.error({ outbound: row.id, error: messageOf(error) }, 'a message was not sent');
      });
    this.#tails.set(row.conversation, tail);
    void tail.then(() => {
      if (this.#tails.get(row.conversation) === tail) this.#tails.delete(row.conversation);
    });
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
    this.deliver(row, false);
  }

  /** Resolves when everything handed in so far was sent, or given up for this life. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values());
  }

  /** Ends waits and attempts; what was not sent stays pending for the next start. */
  stop(): void {
    this.#stop.abort();
  }

  async #attempts(row: OutboundRow, stored: boolean): Promise<void> {
    const { platform, canSend, clock, log } = this.#options;
    const to = platform(row.platform);
    if (to === undefined) return;
    if (!(await Promise.race([canSend(row.platform), this.#stopped]))) {
      log.warn(
        { outbound: row.id, platform: row.platform },
        'a message is left to the next start: it has no link',
      );
      return;
    }
    for (const waitMs of [...RETRY_WAITS_MS, null]) {
      if (this.#stop.signal.aborted) return;
      const error = await this.#attempt(to, row, stored);
      if (error === null) return;
      log.warn({ outbound: row.id, platform: row.platform, error }, 'a message could not be sent');
      if (waitMs === null) return;
      await clock.delay(waitMs, this.#stop.signal);
    }
  }

  async #attempt(to: Platform, row: OutboundRow, stored: boolean): Promise<string | null> {
    const { clock, life } = this.#options;
    const mark = (write: Parameters<Store['commit']>[0][number]) => this.#mark(stored, write);
    await mark({ op: 'sending', id: row.id, life: life(), at: clock.wallMs() });
    const limit = new AbortController();
    using _ = clock.timer(SEND_MS_MAX, () => limit.abort());
    try {
      await to.send(row, AbortSignal.any([limit.signal, this.#stop.signal]));
    } catch (error) {
      await mark({ op: 'unsent', id: row.id, at: clock.wallMs(), error: messageOf(error) });
      return messageOf(error);
    }
    await mark({ op: 'sent', id: row.id, at: clock.wallMs() });
    return null;
  }

  /** A mark that cannot be written is left out: sending does not depend on a writable store. */
  async #mark(stored: boolean, write: Parameters<Store['commit']>[0][number]): Promise<void> {
    if (!stored) return;
    const { store, log } = this.#options;
    await store.commit([write]).catch((error: unknown) => {
      logUnlessOutage(log, error, 'what became of a reply was not written');
    });
  }
}
