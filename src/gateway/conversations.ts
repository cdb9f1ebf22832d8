/**
 * What happens in a conversation, told to whoever watches it: a message is decided, its turn begins and ends, the
 * agent says something, the message settles. Nothing is kept here: who was away asks the store.
 */
import type { Admission } from '../../machines/events.ts';
import type { MessageRow, Store, StoredMessage, StoredOutbound } from '../store/store.ts';
import type { Settled } from './in-hand.ts';

/** What a watcher hears. Times are wall milliseconds. */
export type Heard =
  | { readonly type: 'message'; readonly message: MessageRow; readonly admission: Admission }
  | { readonly type: 'typing'; readonly on: boolean; readonly turn: string; readonly agent: string }
  /** `offset`: how many characters of the answer came before. */
  | {
      readonly type: 'delta';
      readonly message: MessageRow;
      readonly text: string;
      readonly offset: number;
    }
  | {
      readonly type: 'settled';
      readonly message: MessageRow;
      readonly settled: Settled;
      readonly settledAt: number;
    }
  /** A start has settled what dead lives left open: the store has more than was told. */
  | { readonly type: 'recovered' };

export type Watcher = (heard: Heard) => void;

export class Conversations {
  readonly #store: Store;
  readonly #watchers = new Map<string, Set<Watcher>>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Calls `watcher` with what happens in the conversation of this key, until disposed. */
  watch(conversation: string, watcher: Watcher): Disposable {
    const watchers = this.#watchers.get(conversation) ?? new Set();
    this.#watchers.set(conversation, watchers);
    watchers.add(watcher);
    return {
      [Symbol.dispose]: () => {
        watchers.delete(watcher);
        if (watchers.size === 0 && this.#watchers.get(conversation) === watchers) {
          this.#watchers.delete(conversation);
        }
      },
    };
  }

  tell(conversation: string, heard: Heard): void {
    for (const watcher of this.#watchers.get(conversation) ?? []) watcher(heard);
  }

  recovered(): void {
    for (const conversation of [...this.#watchers.keys()]) this.tell(conversation, { type: 'recovered' });
  }

  /**
   * The newest messages of the conversation that settled at `sinceMs` or later, `messagesMax` at most, oldest first.
   * Rejects with STORE_UNAVAILABLE.
   */
  settledSince(
    conversation: string,
    sinceMs: number,
    messagesMax: number,
  ): Promise<readonly StoredMessage[]> {
    return this.#store.settledSince(conversation, sinceMs, messagesMax);
  }

  /** The replies of a settled message, in order. Rejects with STORE_UNAVAILABLE. */
  replies(messageId: string): Promise<readonly StoredOutbound[]> {
    return this.#store.replies(messageId);
  }
}
