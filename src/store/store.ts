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
 * dispatched turn that has not started), `started`; `settled` once it has its outcome.
 */
export type Phase = 'received' | 'held' | 'waiting' | 'started' | 'settled';

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
  readonly outcome: 'ran' | 'failed' | 'interrupted';
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly durationMs: number;
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
}

export interface StoredOutbound extends OutboundRow {
  readonly state: 'pending' | 'sending' | 'delivered' | 'unknown' | 'dead';
  readonly attempts: number;
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
    }
  | { readonly op: 'turn.start'; readonly turn: TurnRow; readonly messages: readonly string[] }
  | {
      readonly op: 'turn.end';
      readonly id: string;
      readonly at: number;
      readonly outcome: 'answered' | 'failed' | 'interrupted';
      readonly reason: string | null;
      /** What it had streamed, bounded; written at its end, so nothing of a turn whose gateway died. */
      readonly streamed: string;
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
  | { readonly op: 'command.receive'; readonly command: CommandRow }
  | { readonly op: 'command.start'; readonly id: string; readonly at: number }
  | { readonly op: 'command.end'; readonly end: CommandEnd }
  /** `deliveredAt`: it reaches its reader with this very commit, so there is nothing left to send. */
  | { readonly op: 'reply'; readonly outbound: OutboundRow; readonly deliveredAt?: number }
  | { readonly op: 'sending'; readonly id: string; readonly life: number; readonly at: number }
  | { readonly op: 'sent'; readonly id: string; readonly at: number }
  | { readonly op: 'unsent'; readonly id: string; readonly at: number; readonly error: string }
  | { readonly op: 'life.ready'; readonly id: number; readonly at: number }
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
  readonly turns: readonly (TurnRow & { readonly messageIds: readonly string[] })[];
  readonly commands: readonly (CommandRow & { readonly startedAt: number | null })[];
  /** Not delivered, in the order they were made. */
  readonly outbound: readonly StoredOutbound[];
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

  /** The agent that was chosen for a conversation; null when none was. */
  chosenAgent(conversation: string): Promise<string | null>;

  /** The last exchanges of a conversation, oldest first, `exchangesMax` at most, without those of this turn. */
  history(conversation: string, turnId: string, exchangesMax: number): Promise<readonly Exchange[]>;

  /** Waits for what was handed in before, then closes. Idempotent. */
  close(): Promise<void>;
}
