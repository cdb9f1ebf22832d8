/** The ledger as a list: what `sluice messages list` and `GET /v1/messages` tell of each message. Pure. */

import type { MessageRow, Outcome, StoredOutbound } from '../store/records.ts';
import type { ListedMessage, ListOptions } from '../store/store.ts';

/** Messages that a list has unless it is told otherwise. */
export const LISTED_DEFAULT = 20;

/** The longest list of messages that is made. */
export const LISTED_MAX = 1000;

/** Characters of a message that a list tells; the whole text is told of one message alone. */
export const LISTED_TEXT_CHARS_MAX = 16_000;

type ToldOfRow =
  | ('id' | 'platform' | 'platformMessageId' | 'conversation' | 'sender' | 'kind' | 'receivedAt' | 'epoch')
  | ('admission' | 'phase' | 'reason');

export interface ToldMessage extends Pick<MessageRow, ToldOfRow> {
  readonly text: string;
  /** The text is longer than a list tells. */
  readonly textCut: boolean;
  readonly state: 'open' | 'settled';
  readonly outcome: Outcome | null;
  readonly settledAt: number | null;
  readonly recorded: boolean;
  readonly replies: readonly Pick<
    StoredOutbound,
    'id' | 'state' | 'attempts' | 'possibleDuplicate' | 'nextAt' | 'error'
  >[];
}

/** The document of both. */
export interface MessageList {
  /** Newest first. */
  readonly messages: readonly ToldMessage[];
}

/** What a list is asked for; absent: the newest of all. */
export type Listed = Omit<ListOptions, 'limit'> & { readonly limit?: number | undefined };

export const listOptions = ({ limit = LISTED_DEFAULT, ...which }: Listed): ListOptions => ({
  ...which,
  limit: Math.min(limit, LISTED_MAX),
});

export const listDocument = (messages: readonly ListedMessage[]): MessageList => ({
  messages: messages.map(toldMessage),
});

function toldMessage(message: ListedMessage): ToldMessage {
  const { id, platform, platformMessageId, conversation, sender, kind, receivedAt, epoch } = message;
  const { admission, phase, outcome, reason, settledAt, recorded, replies, text } = message;
  const textCut = text.length > LISTED_TEXT_CHARS_MAX;
  return {
    ...{ id, platform, platformMessageId, conversation, sender, kind },
    ...{ text: textCut ? text.slice(0, LISTED_TEXT_CHARS_MAX) : text, textCut, receivedAt, epoch, admission },
    ...{ state: outcome === null ? 'open' : 'settled', phase, outcome, reason, settledAt, recorded },
    replies: replies.map(({ id: reply, state, attempts, possibleDuplicate, nextAt, error }) => ({
      ...{ id: reply, state, attempts, possibleDuplicate, nextAt, error },
    })),
  };
}
