/**
 * The port to everything that must survive the process. Writes are plain data, grouped in units: a unit is
 * atomic, units of one moment share a commit, and nothing is acknowledged or begun before its unit is
 * committed. What a unit holds is decided by the gateway; a store only applies it.
 *
 * SQLite stands behind it (`sqlite.ts`); the port is asynchronous so that a database server could.
 */

import type { Admission, BusyMode, Kind } from '../../machines/events.ts';
import type { LastExit } from './last-exit.ts';

/** What became of a message; one each, final. */
export type Outcome =
  | 'answered'
  | 'ran'
  | 'done'
  | 'refused'
  | 'failed'
  | 'expired'
  | 'interrupted'
  | 'merged'
  | 'discarded';

/**
 * Where an open message is: `received` (control, or a command that waits for a slot), `held`, `waiting` (a
 * dispatched turn that has not started), `started`, `awaiting-resume` (its turn was interrupted, or it has grown old,
 * and a person shall say whether it is still to be answered); `settled` once it has its outcome.
 */
export type Phase = 'received' | 'held' | 'waiting' | 'started' | 'awaiting-resume' | 'settled';

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

export type { LastExit };

export interface MessageRow {
  readonly id: string;
  readonly platform: string;
  /** Unique within the platform; what a redelivery is recognised by. */
  readonly platformMessageId: string;
  readonly conversation: string;
  readonly sender: string;
  readonly kind: Kind;
  readonly text: string;
  /** For a turn: the agent it is for, and what the conversation does when busy. */
  readonly agent: string | null;
  readonly whenBusy: BusyMode | null;
  readonly receivedAt: number;
  readonly life: number;
  readonly epoch: number | null;
  readonly admission: Admission;
  /** The rule that refused or held it: access, state, limit or arguments. */
  readonly reason: string | null;
  readonly phase: Phase;
}

export interface StoredMessage extends MessageRow {
  readonly outcome: Outcome | null;
  readonly settledAt: number | null;
  /** False when it ran while the store could not be written and was noted afterwards. */
  readonly recorded: boolean;
}

export interface TurnRow {
  readonly id: string;
  readonly conversation: string;
  readonly agent: string;
  readonly life: number;
  readonly startedAt: number;
  /** It may have changed something outside: then nothing repeats it without being asked. */
  readonly effects: boolean;
}

/** A turn that has started and not ended. */
export interface OpenTurn extends TurnRow {
  readonly messageIds: readonly string[];
  /** 1 for the first turn of its first message, and one more for each that resumes it. */
  readonly attempt: number;
  /** What is known of its answer; as much as its last `turn.progress` had. */
  readonly streamed: string;
}

export interface CommandRow {
  readonly id: string;
  readonly messageId: string;
  readonly name: string;
  readonly actor: string;
  /** SHA-256 of the arguments, hexadecimal: recognisable, not readable. */
  readonly argsHash: string;
  readonly life: number;
  readonly receivedAt: number;
}

export interface CommandEnd {
  readonly id: string;
  readonly at: number;
  readonly outcome: 'ran' | 'failed' | 'interrupted' | 'expired';
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly durationMs: number | null;
  /** What it printed, bounded. */
  readonly output: string;
}

export interface OutboundRow {
  readonly id: string;
  /** The message it answers; null for a notice. */
  readonly messageId: string | null;
  readonly platform: string;
  readonly conversation: string;
  readonly text: string;
  readonly kind: 'reply' | 'refusal' | 'notice';
  readonly createdAt: number;
  readonly life: number;
  /** Of a text that is sent in several messages: which one; absent: the first, or the only one. */
  readonly part?: number;
}

/**
 * `sending`: claimed by a life; `unknown`: nobody knows whether it arrived; `dead`: it will not be sent unless a person
 * asks for it. `delivered` and `dead` are final.
 */
export type OutboundState = 'pending' | 'sending' | 'delivered' | 'unknown' | 'dead';

export interface StoredOutbound extends OutboundRow {
  readonly state: OutboundState;
  readonly attempts: number;
  /** Wall milliseconds before which it is not tried again; null: at once. */
  readonly nextAt: number | null;
  /** It was sent again although nobody knows whether the time before arrived. */
  readonly possibleDuplicate: boolean;
  /** Why the last attempt failed. */
  readonly error: string | null;
}

/** One that has not come to its end, as a start finds it. */
export interface OpenOutbound extends StoredOutbound {
  /** Wall milliseconds of its last claim's beginning or end: what `nextAt` is measured from; null: it was never claimed. */
  readonly claimedAt: number | null;
}

/** Something a destination shall be told once in an incident: that the gateway is down for it, or that it is back. */
export interface Notice {
  readonly incident: string;
  readonly platform: string;
  readonly conversation: string;
  readonly kind: 'down' | 'back';
}

export interface StoredNotice extends Notice {
  /** `pending`: promised, not handed to the outbox yet. */
  readonly state: 'pending' | 'sent' | 'given-up';
  readonly createdAt: number;
}

/** A daemon's end that nobody asked for. */
export interface Death {
  readonly life: number;
  /** Wall milliseconds. */
  readonly at: number;
}

/** What a life says of safe mode: it started in it, or has left it since. */
export interface SafeModeMark {
  readonly life: number;
  readonly mode: 'on' | 'left';
}

/** A conversation that was in flight when a life died. */
export interface CrashedSession {
  readonly conversation: string;
  /** In how many deaths, one after the other. */
  readonly crashes: number;
  /** No turn of it runs until a person says so. */
  readonly quarantined: boolean;
}

/** A message with what was said to it, as a list of messages shows it. */
export interface ListedMessage extends StoredMessage {
  readonly replies: readonly StoredOutbound[];
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

/** One event of the lifecycle chart and what it came to; `event` and `context` are JSON texts of our own. */
export interface JournalRow {
  readonly epoch: number;
  readonly number: number;
  readonly at: number;
  readonly event: string;
  readonly state: string;
  readonly context: string;
}

/**
 * One change. `receive` that meets a known (platform, platformMessageId) makes its whole unit a duplicate:
 * nothing of it is applied. `settle` keeps the first outcome: a settled message is never changed.
 */
export type Write =
  | { readonly op: 'receive'; readonly message: MessageRow }
  | { readonly op: 'phase'; readonly id: string; readonly phase: Phase; readonly reason?: string }
  /** Takes over an open message of a dead life. */
  | { readonly op: 'adopt'; readonly id: string; readonly phase: Phase; readonly life: number }
  | {
      readonly op: 'settle';
      readonly id: string;
      readonly outcome: Outcome;
      readonly reason: string | null;
      readonly at: number;
      readonly recorded?: false;
      /** The message whose turn answers this one too; with the outcome `merged`. */
      readonly mergedInto?: string;
    }
  | { readonly op: 'turn.start'; readonly turn: TurnRow; readonly messages: readonly string[] }
  /** What a running turn has streamed so far, all of it. */
  | { readonly op: 'turn.progress'; readonly id: string; readonly streamed: string }
  | {
      readonly op: 'turn.end';
      readonly id: string;
      readonly at: number;
      readonly outcome: 'answered' | 'failed' | 'interrupted';
      readonly reason: string | null;
      /** What it had streamed, bounded; absent: what its last `turn.progress` wrote. */
      readonly streamed?: string;
      /** What the agent says it used, JSON; absent: it did not say. */
      readonly usage?: string;
    }
  /** The agent that a conversation talks to from now on; null: the configuration says which. */
  | {
      readonly op: 'session.agent';
      readonly conversation: string;
      readonly agent: string | null;
      readonly at: number;
    }
  /** It was in flight when a life died: one more than before. */
  | { readonly op: 'session.crashed'; readonly conversation: string; readonly at: number }
  /** No turn of it runs until `session.calm`. */
  | { readonly op: 'session.quarantine'; readonly conversation: string; readonly at: number }
  /** A turn of it has ended well, or a person has released it: its crashes are forgotten. */
  | { readonly op: 'session.calm'; readonly conversation: string; readonly at: number }
  | { readonly op: 'command.receive'; readonly command: CommandRow }
  | { readonly op: 'command.start'; readonly id: string; readonly at: number }
  | { readonly op: 'command.end'; readonly end: CommandEnd }
  /** `deliveredAt`: it reaches its reader with this very commit, so there is nothing left to send. */
  | { readonly op: 'reply'; readonly outbound: OutboundRow; readonly deliveredAt?: number }
  | { readonly op: 'sending'; readonly id: string; readonly life: number; readonly at: number }
  /** `platformSentId`: what the platform calls the message that arrived. */
  | { readonly op: 'sent'; readonly id: string; readonly at: number; readonly platformSentId?: string }
  /**
   * It did not leave, or is kept back, and why. `nextAt`: not before; absent: at once. `deferred`: it was claimed and not
   * tried after all, so that its claim is no attempt.
   */
  | {
      readonly op: 'unsent';
      readonly id: string;
      readonly at: number;
      readonly error: string;
      readonly nextAt?: number;
      readonly deferred?: true;
    }
  /** Nobody knows whether it arrived (`unknown`), or it is given up (`dead`). */
  | {
      readonly op: 'outbound.end';
      readonly id: string;
      readonly at: number;
      readonly state: 'unknown' | 'dead';
      readonly error: string;
    }
  /**
   * A person wants it sent after all: a dead or unknown one is pending again, its attempts are kept, and its `nextAt` says
   * since when it is wanted.
   */
  | { readonly op: 'outbound.retry'; readonly id: string; readonly at: number }
  /** Promises a notice; nothing when this destination has that of this incident already, whatever became of it. */
  | { readonly op: 'notice'; readonly notice: Notice; readonly at: number }
  /** The promise is kept (its text is in the outbox, in the same unit), or will not be. */
  | { readonly op: 'notice.end'; readonly notice: Notice; readonly state: 'sent' | 'given-up' }
  | { readonly op: 'life.ready'; readonly id: number; readonly at: number }
  /** This life is in safe mode from its start on, or has left it: then the deaths before it make no other life safe. */
  | { readonly op: 'life.safe-mode'; readonly id: number; readonly mode: SafeModeMark['mode'] }
  | {
      readonly op: 'life.end';
      readonly id: number;
      readonly at: number;
      readonly code: number | null;
      readonly cause: string;
    };

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
