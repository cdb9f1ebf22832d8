/**
 * What a CLI that works without a gateway writes down: itself among the lives, and the message it was started for. A
 * store that cannot be written keeps no command from running; then nothing is recorded, which is said.
 */
import { existsSync } from 'node:fs';
import { systemClock as clock } from '../clock.ts';
import type { HomePaths } from '../config/paths.ts';
import { isSluiceError, messageOf } from '../errors.ts';
import type { Settlement } from '../gateway/in-hand.ts';
import { newId } from '../messages/ids.ts';
import { LOCAL_OWNER, LOCAL_PLATFORM, localConversation } from '../messages/local.ts';
import { processIdentity } from '../process/identity.ts';
import { isBusy } from '../store/errors.ts';
import type { MessageRow } from '../store/records.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import type { Life, Store } from '../store/store.ts';
import type { Write } from '../store/write.ts';

/**
 * How long a store that another process has locked is tried again. Whoever is the first to open it after a kill has its
 * log to read; to run unrecorded meanwhile could be to run twice.
 */
const LOCK_WAIT_MS_MAX = 2000;

/** Between two tries at it. */
const LOCK_RETRY_MS = 50;

const LOCKED = 'another program has the store locked; close it, and the next command is recorded';

export interface RecordingOptions {
  readonly home: string;
  readonly paths: HomePaths;
  readonly version: string;
  readonly output: { note(text: string): void };
}

/** The message of `sluice exec`. */
export interface ExecMessage {
  /** As a chat would send it. */
  readonly text: string;
  readonly id: string;
}

/** This process among the lives, where the store can be written; otherwise nothing is recorded. */
export class Recording implements AsyncDisposable {
  readonly life: Life | undefined;
  readonly #store: Store | undefined;

  private constructor(store: Store | undefined, life: Life | undefined) {
    this.#store = store;
    this.life = life;
  }

  /** `signal` ends the wait for another's lock, after a last try. */
  static async open(options: RecordingOptions, signal: AbortSignal): Promise<Recording> {
    const { home, paths, version, output } = options;
    try {
      const store = await openSqliteStore({
        path: paths.store,
        reservePath: paths.reserve,
        migrate: false,
        clock,
        onProblem: () => {},
      });
      const startedAt = clock.wallMs();
      const start = { ...processIdentity(), kind: 'cli', version, startedAt, epochAbove: 0 } as const;
      return new Recording(store, await onceUnlocked(store, () => store.begin(start), signal));
    } catch (error) {
      const reason = isLocked(error) ? LOCKED : messageOf(error);
      const why = existsSync(paths.store) ? reason : `${home} has no store before its first sluice run`;
      output.note(`not recorded: ${why}`);
      return new Recording(undefined, undefined);
    }
  }

  /** Why the last unit was not written, and what to do. */
  get obstacle(): string {
    return this.#store?.obstacle === 'lock' ? LOCKED : 'the store could not be written';
  }

  /** `signal` ends the wait for another's lock, after a last try. */
  async commit(
    unit: readonly Write[],
    signal?: AbortSignal,
  ): Promise<'committed' | 'duplicate' | 'unrecorded'> {
    const store = this.#store;
    if (store === undefined) return 'unrecorded';
    return onceUnlocked(store, () => store.commit(unit), signal).catch(() => 'unrecorded');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.life !== undefined) {
      await this.commit([{ op: 'life.end', id: this.life.id, at: clock.wallMs(), code: 0, cause: 'done' }]);
    }
    await this.#store?.close();
  }
}

/** Writes, trying again while another process holds the lock; a full disk is not waited for. */
async function onceUnlocked<T>(store: Store, write: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const until = clock.monotonicMs() + LOCK_WAIT_MS_MAX;
  for (;;) {
    const isLast = signal?.aborted === true || clock.monotonicMs() >= until;
    try {
      return await write();
    } catch (error) {
      if (!isLocked(error) || isLast) throw error;
    }
    await clock.delay(LOCK_RETRY_MS, signal);
    await store.probe();
  }
}

const isLocked = (error: unknown): boolean =>
  isSluiceError(error, 'STORE_UNAVAILABLE') && isBusy(error.cause);

/** The row of a message that this life has begun; of none where it is not recorded. */
export function execRow({ text, id }: ExecMessage, life: Life | undefined): MessageRow {
  const at = clock.wallMs();
  return {
    id: newId('m', at),
    platform: LOCAL_PLATFORM,
    platformMessageId: id,
    conversation: localConversation('exec'),
    sender: LOCAL_OWNER,
    kind: 'exec',
    text,
    agent: null,
    whenBusy: null,
    receivedAt: at,
    life: life?.id ?? 0,
    epoch: null,
    admission: 'dispatch',
    reason: null,
    phase: 'started',
  };
}

/** The rows of an outcome whose replies are printed by this process. */
export function settling(
  { id: messageId, platform, conversation, life }: MessageRow,
  settlement: Settlement,
): Write[] {
  const { outcome, reason, replies: texts, writes = [] } = settlement;
  const at = clock.wallMs();
  const printed = texts.map((text): Write => {
    const address = { messageId, platform, conversation } as const;
    const outbound = { id: newId('o', at), ...address, text, kind: 'reply', createdAt: at, life } as const;
    return { op: 'reply', outbound, deliveredAt: at };
  });
  return [...writes, { op: 'settle', id: messageId, outcome, reason, at }, ...printed];
}
