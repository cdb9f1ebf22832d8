/**
 * What happens in a conversation, told to whoever watches it: a message is decided, its turn begins and ends, the
 * agent says something, the message settles, the gateway has something to say. Nothing is kept here: who was away asks
 * the store. A watcher that throws is dropped, and disturbs neither the next one nor what is being told.
 */
import type { Admission } from '../../machines/events.ts';
import { messageOf } from '../errors.ts';
import { awaitingResume } from '../messages/resume-replies.ts';
import type { MessageRow, StoredMessage, StoredOutbound } from '../store/records.ts';
import type { SettledSince, Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { Settled } from './in-hand.ts';

/** What a watcher hears. Times are wall milliseconds. */
export type Heard =
  /** A message was decided; once more when one that waited for its place became held. */
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
  /** The gateway says something that answers no message. */
  | { readonly type: 'notice'; readonly text: string }
  /** A start has settled what dead lives left open: the store has more than was told. */
  | { readonly type: 'recovered' };

export type Watcher = (heard: Heard) => void;

/** What was said while a message had no outcome yet is no part of its answer. */
export const answersOf = (said: readonly StoredOutbound[]): readonly string[] =>
  said.flatMap(({ kind, text }) => (kind === 'notice' ? [] : [text]));

/** What was said of a message that waits for a person's word. */
export const lastNotice = (said: readonly StoredOutbound[]): string =>
  said.findLast(({ kind }) => kind === 'notice')?.text ?? awaitingResume();

export class Conversations {
  readonly #store: Store;
  readonly #log: Log;
  readonly #watchers = new Map<string, Set<Watcher>>();

  constructor(store: Store, log: Log) {
    this.#store = store;
    this.#log = log;
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
    const watchers = this.#watchers.get(conversation);
    for (const watcher of watchers ?? []) {
      try {
        watcher(heard);
      } catch (error) {
        watchers?.delete(watcher);
        this.#log.error({ conversation, error: messageOf(error) }, 'a watcher of a conversation failed');
      }
    }
  }

  recovered(): void {
    for (const conversation of [...this.#watchers.keys()]) this.tell(conversation, { type: 'recovered' });
  }

  /**
   * The newest messages of the conversation that settled with or after the one that `since` names, `messagesMax` at
   * most, oldest first. Rejects with STORE_UNAVAILABLE.
   */
  settledSince(
    conversation: string,
    since: SettledSince,
    messagesMax: number,
  ): Promise<readonly StoredMessage[]> {
    return this.#store.settledSince(conversation, since, messagesMax);
  }

  /** What a settled message was answered, in order. Rejects with STORE_UNAVAILABLE. */
  async replies(messageId: string): Promise<readonly string[]> {
    return answersOf(await this.#store.replies(messageId));
  }

  /**
   * Messages of the conversation that wait for a person's word, in order of arrival, each with what was said of it last.
   * Rejects with STORE_UNAVAILABLE.
   */
  async awaiting(conversation: string): Promise<readonly { message: StoredMessage; text: string }[]> {
    const messages = await this.#store.awaitingResume(conversation);
    return Promise.all(
      messages.map(async (message) => ({ message, text: lastNotice(await this.#store.replies(message.id)) })),
    );
  }
}
