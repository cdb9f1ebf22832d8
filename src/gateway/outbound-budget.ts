/**
 * How fast a conversation may be written to: a bucket of tokens each, so that a burst leaves at once and a stream is
 * slowed down to what its platform puts up with. A message takes one token and waits for it; what is only shown takes
 * one while plenty are left and is left out otherwise, so that an answer of some parts never waits for it. On a platform
 * that lets hardly any message through nothing is shown at all.
 *
 * A full bucket is as good as none, so it is forgotten: what is kept is bounded by who was written to in the last
 * minutes.
 */
import type { Clock } from '../clock.ts';

/** Messages a minute to one conversation, where its platform names no other number. */
export const CONVERSATION_MESSAGES_PER_MINUTE_MAX = 60;

/** Messages to one conversation that may leave in one burst. */
export const CONVERSATION_BURST_MAX = 20;

/** Messages that may leave in one burst whatever was shown before. */
const BURST_KEPT_MIN = 5;

/** Fewer buckets than this are not worth looking through for full ones. */
const BUCKETS_UNSWEPT_MAX = 1000;

const MINUTE_MS = 60_000;

interface Bucket {
  readonly perMinute: number;
  /** As of `at`, monotonic milliseconds; they have grown since. */
  tokens: number;
  at: number;
}

export class OutboundBudget {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #buckets = new Map<string, Bucket>();
  #sweepAbove = BUCKETS_UNSWEPT_MAX;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** Takes the token of a message and gives 0, or gives the milliseconds until there is one. */
  take(conversation: string, perMinute = CONVERSATION_MESSAGES_PER_MINUTE_MAX): number {
    const bucket = this.#bucket(conversation, perMinute);
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return 0;
    }
    return Math.ceil(((1 - bucket.tokens) * MINUTE_MS) / bucket.perMinute);
  }

  /** Takes a token for something that is only shown, where at least half of them are left then. */
  takeSpare(conversation: string, perMinute = CONVERSATION_MESSAGES_PER_MINUTE_MAX): boolean {
    const bucket = this.#bucket(conversation, perMinute);
    if (bucket.tokens - 1 < Math.max(BURST_KEPT_MIN, capacityOf(bucket) / 2)) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** Conversations that something is remembered of. */
  get size(): number {
    return this.#buckets.size;
  }

  #bucket(conversation: string, perMinute: number): Bucket {
    const now = this.#clock.monotonicMs();
    const known = this.#buckets.get(conversation);
    if (known?.perMinute === perMinute) return refilled(known, now);
    this.#sweep(now);
    const bucket = { perMinute, tokens: 0, at: now };
    bucket.tokens = capacityOf(bucket);
    this.#buckets.set(conversation, bucket);
    return bucket;
  }

  /** Forgets full buckets; looked for again only once there are twice as many as were left. */
  #sweep(now: number): void {
    if (this.#buckets.size < this.#sweepAbove) return;
    for (const [conversation, bucket] of this.#buckets) {
      if (refilled(bucket, now).tokens >= capacityOf(bucket)) this.#buckets.delete(conversation);
    }
    this.#sweepAbove = Math.max(BUCKETS_UNSWEPT_MAX, this.#buckets.size * 2);
  }
}

const capacityOf = ({ perMinute }: Bucket): number =>
  Math.max(1, Math.min(CONVERSATION_BURST_MAX, perMinute));

function refilled(bucket: Bucket, now: number): Bucket {
  const grown = ((now - bucket.at) * bucket.perMinute) / MINUTE_MS;
  bucket.tokens = Math.min(capacityOf(bucket), bucket.tokens + grown);
  bucket.at = now;
  return bucket;
}
