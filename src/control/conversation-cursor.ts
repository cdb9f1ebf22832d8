/**
 * How far a client of a conversation has got, as the ids of its events say it: a place in the order in which messages
 * settled, which the store knows too, so that it holds in a later life. Pure.
 */

/** How far a client has got: after this message, or after so many of its replies. */
export interface Cursor {
  /** Wall milliseconds. */
  readonly settledAt: number;
  /** Empty: everything at that time is still to come. */
  readonly messageId: string;
  /** Replies that have been sent; null when the message is done. */
  readonly replies: number | null;
}

/** Before everything that ever settled. */
export const BEGINNING: Cursor = { settledAt: 0, messageId: '', replies: null };

/** `1763712345678.m_mi9x2k4a0f3b7c`, and for a reply its number behind that. */
export function cursorId({ settledAt, messageId, replies }: Cursor): string {
  return [settledAt, messageId, replies].filter((part) => part !== null && part !== '').join('.');
}

/** Undefined for what is no id of ours: its client begins like a new one. */
export function parseCursor(id: string | undefined): Cursor | undefined {
  const groups = /^(?<at>\d{1,15})(?:\.(?<message>\w{1,64})(?:\.(?<replies>\d{1,6}))?)?$/.exec(
    id ?? '',
  )?.groups;
  if (groups === undefined) return undefined;
  const { at, message = '', replies } = groups;
  return {
    settledAt: Number(at),
    messageId: message,
    replies: replies === undefined ? null : Number(replies),
  };
}
