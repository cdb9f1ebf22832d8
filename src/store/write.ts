/**
 * The changes that a store applies, as plain data. A unit is a list of them, atomic; what it holds is decided by the
 * gateway, and a store only carries it out.
 */

import type {
  CommandEnd,
  CommandRow,
  MessageRow,
  Notice,
  OutboundRow,
  Outcome,
  Phase,
  SafeModeMark,
  TurnRow,
} from './records.ts';

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
