/**
 * What a message is answered whose id came before: the first one's decision, and its outcome once it has one.
 * Nothing is done twice, and nobody waits for ever: what another process has in hand is looked for in the store
 * for a while.
 */
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { waitsAtConnection } from '../messages/local.ts';
import * as replies from '../messages/replies.ts';
import type { LastExit } from '../store/last-exit.ts';
import type { MessageRow, StoredMessage } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import { answersOf, lastNotice } from './conversations.ts';
import type { Held } from './held.ts';
import type { Decided, Progress, ProgressListener, Receipt, Rule, Settled } from './in-hand.ts';
import type { Judge } from './judge.ts';
import type { Ledger } from './ledger.ts';
import { endedAmidWork } from './recovery.ts';
import { logUnlessOutage } from './unexpected.ts';

/** How often the store is asked for the outcome of what another process has in hand, and for how long. */
const ELSEWHERE_PERIOD_MS = 500;
const ELSEWHERE_MS_MAX = 60_000;

/** Messages that are looked for at the same time; of further ones nobody is told more than that they are elsewhere. */
export const SEARCHES_MAX = 1000;

export interface DuplicatesOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly judge: Judge;
  readonly ledger: Ledger;
  readonly held: Pick<Held, 'has'>;
  /** What the running turn of this message has said so far; empty where none runs. */
  readonly saidBy: (messageId: string) => string;
  readonly epoch: () => number;
  /** How the life before this one ended; null when nothing is known of one. */
  readonly lastExit: () => LastExit | null;
  /** When this life began. Wall milliseconds. */
  readonly startedAt: number;
  /** Says a refusal or a notice in a conversation of a platform that has no waiting caller. */
  readonly say: (row: Pick<MessageRow, 'platform' | 'conversation'>, text: string) => void;
}

export class Duplicates implements Disposable {
  readonly #options: DuplicatesOptions;
  /** What is being looked for in the store, by message: one search each, however many ask. */
  readonly #searches = new Map<string, Promise<Settled | 'taken up' | 'not yet'>>();
  readonly #stop = new AbortController();

  constructor(options: DuplicatesOptions) {
    this.#options = options;
  }

  /** The same id again in this life: the first one's decision and, when it comes, its outcome. */
  again(first: Receipt, listener?: ProgressListener): Receipt {
    const { ledger } = this.#options;
    this.#note(first.messageId);
    if (listener !== undefined) {
      const { settled: _, ...decided } = first;
      this.#tell(listener, { type: 'admission', ...decided, duplicate: true });
      if (ledger.waitFor(first.messageId) !== undefined) this.#watch(first.messageId, listener);
      else void first.settled.then((settled) => this.#tellSettled(listener, settled));
    }
    return { ...first, duplicate: true };
  }

  /** The same id as a message of the store. */
  async known(stored: StoredMessage, listener?: ProgressListener): Promise<Receipt> {
    const { ledger, say } = this.#options;
    this.#note(stored.id);
    const decided = decidedOf(stored, this.#options.held.has(stored.id));
    const restarted = this.#restartedBy(stored);
    if (restarted !== undefined && !waitsAtConnection(stored)) say(stored, restarted);
    if (listener !== undefined) this.#tell(listener, { type: 'admission', ...decided });
    if (stored.outcome !== null) {
      const { outcome, reason, recorded } = stored;
      // Not everybody waits for it, and one that cannot be read in full is still the outcome.
      const settled = this.#outcomeOf(stored).catch((error: unknown) => {
        this.#unread(stored.id, error);
        return settledAs(outcome, reason, [], recorded);
      });
      if (listener !== undefined) this.#tellSettled(listener, await settled);
      return { ...decided, settled };
    }
    const ours = ledger.waitFor(stored.id);
    if (ours === undefined) return { ...decided, settled: this.#fromElsewhere(decided, listener) };
    if (listener !== undefined) {
      this.#watch(stored.id, listener);
      if (stored.phase === 'awaiting-resume') {
        this.#tell(listener, { type: 'awaiting', messageId: stored.id, text: await this.#said(stored.id) });
      }
    }
    return { ...decided, settled: ours };
  }

  /** Ends every search: whoever waits is told as past the limit. */
  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  /** From the beginning: what was said before anybody listened comes first, in one piece. */
  #watch(messageId: string, listener: ProgressListener): void {
    const text = this.#options.saidBy(messageId);
    if (text !== '') this.#tell(listener, { type: 'delta', text });
    this.#options.ledger.watch(messageId, listener);
  }

  /** For whoever asks for a message's whole way: a redelivery leaves no row. */
  #note(message: string): void {
    if (message !== '') this.#options.log.info({ message }, 'a message came again: nothing is done twice');
  }

  /**
   * The outcome of what another process has in hand, or what a start has still to take up. Past the limit whoever
   * waits is told as of a held message: it settles later, and the same id asks again.
   */
  async #fromElsewhere(decided: Decided, listener?: ProgressListener): Promise<Settled> {
    const { messageId } = decided;
    let search = this.#searches.get(messageId);
    if (search === undefined && this.#searches.size < SEARCHES_MAX) {
      search = this.#search(messageId).finally(() => this.#searches.delete(messageId));
      this.#searches.set(messageId, search);
    }
    const found = (await search) ?? 'not yet';
    if (found === 'taken up') {
      const stored = await this.#options.store.message(messageId).catch(() => undefined);
      if (stored !== undefined) return (await this.known(stored, listener)).settled;
    } else if (found !== 'not yet') {
      if (listener !== undefined) this.#tellSettled(listener, found);
      return found;
    }
    const told = { ...decided, admission: 'hold', text: replies.elsewhere() } as const;
    if (listener !== undefined) this.#tell(listener, { type: 'admission', ...told });
    return new Promise(() => {});
  }

  /** `taken up`: this life has it by now. */
  async #search(messageId: string): Promise<Settled | 'taken up' | 'not yet'> {
    const { clock, ledger, store } = this.#options;
    const { signal } = this.#stop;
    for (let waitedMs = 0; waitedMs < ELSEWHERE_MS_MAX; waitedMs += ELSEWHERE_PERIOD_MS) {
      await clock.delay(ELSEWHERE_PERIOD_MS, signal);
      if (signal.aborted) break;
      if (ledger.waitFor(messageId) !== undefined) return 'taken up';
      try {
        const stored = await store.message(messageId);
        if (stored !== undefined && stored.outcome !== null) return await this.#outcomeOf(stored);
      } catch (error) {
        // It is asked again: the search has an end of its own.
        this.#unread(messageId, error);
      }
    }
    return 'not yet';
  }

  async #outcomeOf(stored: StoredMessage): Promise<Settled> {
    const texts = [...answersOf(await this.#options.store.replies(stored.id))];
    const restarted = this.#restartedBy(stored);
    if (restarted !== undefined) texts.push(restarted);
    const settled = settledAs(stored.outcome ?? 'failed', stored.reason, texts, stored.recorded);
    return { ...settled, exitCode: await this.#options.store.exitCode(stored.id) };
  }

  /** What was said last of a message that waits for a person's word. */
  async #said(messageId: string): Promise<string> {
    try {
      return lastNotice(await this.#options.store.replies(messageId));
    } catch (error) {
      this.#unread(messageId, error);
      return lastNotice([]);
    }
  }

  #unread(message: string, error: unknown): void {
    logUnlessOutage(this.#options.log, error, 'the outcome of a message could not be read', { message });
  }

  #tellSettled(listener: ProgressListener, settled: Settled): void {
    for (const text of settled.replies) this.#tell(listener, { type: 'reply', text });
    this.#tell(listener, { type: 'settled', ...settled });
  }

  /** A reader's trouble is none of the message's. */
  #tell(listener: ProgressListener, progress: Progress): void {
    try {
      listener(progress);
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'a watcher of a message failed');
    }
  }

  /** What is added for whoever asked the life before for a restart: it has happened, or that life was cut off first. */
  #restartedBy({ text, outcome, epoch }: StoredMessage): string | undefined {
    const { clock, judge, lastExit, startedAt } = this.#options;
    const exit = lastExit();
    if (exit === null || outcome !== 'done' || epoch !== this.#options.epoch() - 1) return undefined;
    if (!judge.asksRestart(text)) return undefined;
    const now = clock.wallMs();
    if (exit.cause === 'restart' && exit.at !== null) return replies.restartedAgo(now - exit.at);
    return endedAmidWork(exit) ? replies.wentDownSince(now - startedAt) : undefined;
  }
}

export const settledAs = (
  outcome: Settled['outcome'],
  reason: string | null,
  texts: readonly string[],
  recorded: boolean,
): Settled => ({ outcome, reason, replies: texts, recorded, exitCode: null });

/** What whoever sends it again is told of the first one's decision; `isHeld`: by this life. */
export function decidedOf(stored: StoredMessage, isHeld: boolean): Decided {
  const admission = isHeld ? 'hold' : admissionNow(stored);
  return {
    messageId: stored.id,
    kind: stored.kind,
    admission,
    reason: admission === 'refuse' ? ((stored.reason ?? 'state') as Rule) : null,
    text: admission === 'hold' ? replies.held(null) : null,
    duplicate: true,
    recorded: stored.recorded,
  };
}

/** By its row, which a full disk may have left behind. A message that was held is one that was dispatched once it has been taken up. */
function admissionNow({ admission, phase, outcome }: StoredMessage): Decided['admission'] {
  if (outcome === null && phase === 'held') return 'hold';
  if (outcome === 'refused') return 'refuse';
  return admission === 'hold' ? 'dispatch' : admission;
}
