/**
 * The port to everything that must survive the process. Writes are plain data (`write.ts`), grouped in units: a unit is
 * atomic, units of one moment share a commit, and nothing is acknowledged or begun before its unit is
 * committed. What a unit holds is decided by the gateway; a store only applies it. What is kept is in `records.ts`.
 *
 * SQLite stands behind it (`sqlite.ts`); the port is asynchronous so that a database server could.
 */

import type { LastExit } from './last-exit.ts';
import type {
  CommandRow,
  CrashedSession,
  Death,
  JournalRow,
  OpenOutbound,
  OpenTurn,
  Outcome,
  SafeModeMark,
  StoredMessage,
  StoredNotice,
  StoredOutbound,
} from './records.ts';
import type { Write } from './write.ts';

/** One process that works in the home. Times are wall milliseconds. */
export interface LifeStart {
  readonly kind: 'daemon' | 'cli';
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
  readonly version: string;
  readonly startedAt: number;
  /** The epoch must come out greater than this one (what `status.json` knows). Daemons only. */
  readonly epochAbove: number;
}

export interface Life {
  readonly id: number;
  readonly kind: 'daemon' | 'cli';
  /** Null for a CLI that ran a command. */
  readonly epoch: number | null;
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
}

export interface ListOptions {
  /** The newest so many. */
  readonly limit: number;
  readonly outcome?: Outcome;
  /** Only open ones, or only those with an outcome. */
  readonly state?: 'open' | 'settled';
  /** Only messages that have a reply which is `dead` or `unknown`. */
  readonly undelivered?: boolean;
}

/** A message with what was said to it, as a list of messages shows it. */
export interface ListedMessage extends StoredMessage {
  readonly replies: readonly StoredOutbound[];
}

/** What dead lives left open, in order of arrival. */
export interface OpenWork {
  readonly messages: readonly StoredMessage[];
  /** Started and not ended. */
  readonly turns: readonly OpenTurn[];
  readonly commands: readonly (CommandRow & { readonly startedAt: number | null })[];
  /** Not delivered, in the order they were made. */
  readonly outbound: readonly OpenOutbound[];
}

/** A turn that is over and said something: the texts it was asked, and what it said. */
export interface Exchange {
  readonly texts: readonly string[];
  readonly answer: string;
}

/** A place in the order in which the messages of a conversation settled. */
export interface SettledSince {
  /** Wall milliseconds. */
  readonly settledAt: number;
  /** The message that settled then; one that is not known, or empty: everything of that millisecond comes after. */
  readonly messageId: string;
}

export interface Store {
  /** False from a failed commit until `probe` succeeds. */
  readonly writable: boolean;
  /**
   * What keeps it from being written, or did the last time: the lock of another program, or else its disk. Of no meaning
   * while nothing ever failed.
   */
  readonly obstacle: 'lock' | 'disk';

  /**
   * Applies a unit, all or nothing, and resolves once it is on disk. Rejects with STORE_UNAVAILABLE, at once
   * while the store is not writable; then nothing of it was applied.
   */
  commit(unit: readonly Write[]): Promise<'committed' | 'duplicate'>;

  /**
   * Adds a journal row to the next commit; a row alone may wait some milliseconds for one. Never fails: rows
   * that could not be written are counted, and the next row that is written carries the count.
   */
  journal(row: JournalRow): void;

  /** Tries whether the store can be written (again), reopening it if it must. Never rejects. */
  probe(): Promise<boolean>;

  /** Registers this process; gives its number and, for a daemon, its epoch. */
  begin(start: LifeStart): Promise<Life>;
  /** Lives that have not ended, this one left out. */
  openLives(): Promise<readonly Life[]>;
  /** How the last daemon before this epoch left; undefined when there was none. */
  lastExit(epoch: number): Promise<LastExit | undefined>;

  /** The message a platform delivered under this id, if it is known. */
  find(platform: string, platformMessageId: string): Promise<StoredMessage | undefined>;
  message(id: string): Promise<StoredMessage | undefined>;
  /** The texts of a message's replies, in order. */
  replies(messageId: string): Promise<readonly StoredOutbound[]>;
  /**
   * The newest messages of a conversation that settled at `since` or later, with the one that it names, `messagesMax` at
   * most, in the order in which they settled; of one millisecond in order of arrival.
   */
  settledSince(
    conversation: string,
    since: SettledSince,
    messagesMax: number,
  ): Promise<readonly StoredMessage[]>;
  /** How the command of a message left; null where none ran to an end of its own. */
  exitCode(messageId: string): Promise<number | null>;
  /** Everything open that belongs to none of the `living` lives: they still work on theirs. */
  openWork(living: readonly number[]): Promise<OpenWork>;

  /** Daemons that died or failed since, the last first. Planned ends are no deaths. */
  deaths(sinceMs: number): Promise<readonly Death[]>;
  /** What the last life that was in safe mode says of it; undefined when none was. */
  safeMode(): Promise<SafeModeMark | undefined>;
  /** Conversations that were in flight at a death and have not been calm since. */
  crashedSessions(): Promise<readonly CrashedSession[]>;
  /** Messages of a conversation that wait for a person to say whether they are still to be answered, in order of arrival. */
  awaitingResume(conversation: string): Promise<readonly StoredMessage[]>;

  /** Every notice of an incident. */
  noticesOf(incident: string): Promise<readonly StoredNotice[]>;
  /** Promised and not handed on, oldest first, `noticesMax` at most. */
  pendingNotices(noticesMax: number): Promise<readonly StoredNotice[]>;

  /** The newest messages that fit, newest first. */
  list(options: ListOptions): Promise<readonly ListedMessage[]>;
  outbound(id: string): Promise<StoredOutbound | undefined>;

  /**
   * Deletes what was settled before `beforeMs`, oldest first, `rowsMax` messages at most, with all that belongs to them,
   * and of the journal, the notices and what was sent unasked what is older; never anything open, nor a message with a
   * reply that may still be sent (a `dead` one goes with its message). Gives how many rows went: 0 when nothing is left
   * to delete. Lives are kept, for epochs only grow.
   */
  prune(beforeMs: number, rowsMax: number): Promise<number>;
  /**
   * Copies everything that was committed before to a new file, mode 0600, beside the writes that go on; gives its size in
   * bytes. Rejects with BACKUP_FAILED, as when `path` exists or its folder does not; then nothing of it is left.
   */
  backup(path: string): Promise<number>;

  /** The agent that was chosen for a conversation; null when none was. */
  chosenAgent(conversation: string): Promise<string | null>;

  /** The last exchanges of a conversation, oldest first, `exchangesMax` at most, without those of this turn. */
  history(conversation: string, turnId: string, exchangesMax: number): Promise<readonly Exchange[]>;

  /** Waits for what was handed in before, then closes. Idempotent. */
  close(): Promise<void>;
}
