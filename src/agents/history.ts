/**
 * What a model is told of the conversation before the question: pure, from what the store remembers. The window counts
 * messages of both sides and begins with one of a person; the oldest are left out first.
 */

/** Most characters of earlier messages that go along with a question. */
const HISTORY_CHARS_MAX = 400_000;

/** A turn that is over: what it was asked, by one message or several, and what it said. */
export interface Exchange {
  readonly texts: readonly string[];
  readonly answer: string;
}

/** Reads the last exchanges of a conversation, oldest first, at most so many, without those of the turn that asks. */
export type ReadHistory = (
  conversation: string,
  turnId: string,
  exchangesMax: number,
) => Promise<readonly Exchange[]>;

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** How many exchanges fill a window of so many messages. */
export const exchangesIn = (messagesMax: number): number => Math.ceil(messagesMax / 2);

/** The last of the exchanges as messages, `messagesMax` at most. */
export function windowOf(exchanges: readonly Exchange[], messagesMax: number): ChatMessage[] {
  const said = exchanges.filter(({ answer }) => answer.trim() !== '');
  const all = said.flatMap(({ texts, answer }): ChatMessage[] => [
    { role: 'user', content: texts.join('\n\n') },
    { role: 'assistant', content: answer },
  ]);
  let from = all.length;
  let chars = 0;
  while (from > 0 && all.length - from < messagesMax) {
    chars += all[from - 1]?.content.length ?? 0;
    if (chars > HISTORY_CHARS_MAX) break;
    from -= 1;
  }
  return all.slice(all[from]?.role === 'assistant' ? from + 1 : from);
}
