/**
 * How the stand-in chat server takes what it is asked to send: well, or in one of the ways in which servers do not. For
 * everybody or for one conversation, for good or for so many messages.
 */
import type { SendTrouble } from '../../../src/platforms/platform.ts';

export type Behaviour =
  /** It did not leave. */
  | { readonly how: 'fail'; readonly reason?: string }
  /** The connection is cut before the answer; the message had arrived, unless `lost`. */
  | { readonly how: 'cut'; readonly lost?: true }
  /** It wants to be left alone by this conversation for so long, once: what comes earlier is told how much is left. */
  | { readonly how: 'wait'; readonly ms: number }
  /** It takes plain text alone. */
  | { readonly how: 'format' }
  /** There is no such conversation. */
  | { readonly how: 'gone' }
  /** It takes its time. */
  | { readonly how: 'delay'; readonly ms: number };

export interface BehaviourScope {
  /** Its key; absent: every conversation. */
  readonly conversation?: string;
  /** For so many messages; absent: until another behaviour is set. */
  readonly times?: number;
}

/** What becomes of one message. */
export interface Treatment {
  readonly delayMs: number;
  readonly arrives: boolean;
  /** Null: it is answered well. */
  readonly trouble: {
    readonly trouble: SendTrouble;
    readonly reason: string;
    readonly retryAfterMs?: number;
  } | null;
  /** Its conversation wants to be left alone, for so long still. */
  readonly tooEarlyByMs?: number;
}

const WELL: Treatment = { delayMs: 0, arrives: true, trouble: null };

interface Standing {
  readonly behaviour: Behaviour;
  left: number;
}

const EVERYWHERE = '';

export class Behaviours {
  readonly #set = new Map<string, Standing>();
  /** By conversation: until when it wants to be left alone, milliseconds of `performance.now`. */
  readonly #quietUntil = new Map<string, number>();

  /** From now on; undefined: well again. */
  set(behaviour: Behaviour | undefined, { conversation = EVERYWHERE, times }: BehaviourScope = {}): void {
    if (behaviour === undefined) this.#set.delete(conversation);
    else {
      const left = times ?? (behaviour.how === 'wait' ? 1 : Number.POSITIVE_INFINITY);
      this.#set.set(conversation, { behaviour, left });
    }
  }

  /** What becomes of the next message to this conversation. */
  next(conversation: string, isPlain: boolean): Treatment {
    const leftMs = (this.#quietUntil.get(conversation) ?? 0) - performance.now();
    if (leftMs > 0) return { ...refused('wait', 'too early', Math.ceil(leftMs)), tooEarlyByMs: leftMs };
    const set = this.#set.get(conversation) ?? this.#set.get(EVERYWHERE);
    if (set === undefined || set.left <= 0) return WELL;
    if (set.behaviour.how === 'format' && isPlain) return WELL;
    set.left -= 1;
    return this.#treatment(set.behaviour, conversation);
  }

  #treatment(behaviour: Behaviour, conversation: string): Treatment {
    switch (behaviour.how) {
      case 'fail':
        return refused('not-sent', behaviour.reason ?? 'the server is out of order');
      case 'cut':
        return {
          ...refused('unknown', 'the connection was cut before the answer'),
          arrives: behaviour.lost !== true,
        };
      case 'wait':
        this.#quietUntil.set(conversation, performance.now() + behaviour.ms);
        return refused('wait', 'too many messages', behaviour.ms);
      case 'format':
        return refused('format', 'the formatting is not valid');
      case 'gone':
        return refused('gone', 'there is no such conversation');
      case 'delay':
        return { ...WELL, delayMs: behaviour.ms };
    }
  }
}

function refused(trouble: SendTrouble, reason: string, retryAfterMs?: number): Treatment {
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  return { delayMs: 0, arrives: false, trouble: { trouble, reason, ...wait } };
}
