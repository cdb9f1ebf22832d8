/**
 * What is kept, as plain data: a message and its way, turns, commands, what goes out, notices, and what the deaths of
 * lives left to know. Times are wall milliseconds. What of it changes how is `write.ts`; who is asked for it, `store.ts`.
 */

import type { Admission, BusyMode, Kind } from '../../machines/events.ts';

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
  /** The life that has it in hand: the one that received it, or that has taken it up since. */
  readonly life: number;
  /** That of the daemon that received it; null where a command line did. */
  readonly epoch: number | null;
  readonly admission: Admission;
  /** The rule that refused or held it; later why it waits for a word, or had the outcome that it has. */
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

/** One event of the lifecycle chart and what it came to; `event` and `context` are JSON texts of our own. */
export interface JournalRow {
  readonly epoch: number;
  readonly number: number;
  readonly at: number;
  readonly event: string;
  readonly state: string;
  readonly context: string;
}
