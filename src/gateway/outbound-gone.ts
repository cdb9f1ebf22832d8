/**
 * Conversations that are not there any more, with why nothing is tried there: its platform said so of a message. Known
 * until something comes in from there, or a person wants a message sent there after all.
 */

/** Conversations that are remembered as not there any more; the oldest are tried once more past it. */
const GONE_REMEMBERED_MAX = 10_000;

export class GoneConversations {
  readonly #reasons = new Map<string, string>();

  /** Why nothing is tried there; undefined where it is. */
  reason(conversation: string): string | undefined {
    return this.#reasons.get(conversation);
  }

  has(conversation: string): boolean {
    return this.#reasons.has(conversation);
  }

  /** `error`: what its platform said. Gives the reason. */
  add(conversation: string, error: string): string {
    const reason = `not tried: its conversation is gone (${error})`;
    this.#reasons.set(conversation, reason);
    const [oldest] = this.#reasons.keys();
    if (oldest !== undefined && this.#reasons.size > GONE_REMEMBERED_MAX) this.#reasons.delete(oldest);
    return reason;
  }

  /** It is there. True when it had been gone. */
  remove(conversation: string): boolean {
    return this.#reasons.delete(conversation);
  }
}
