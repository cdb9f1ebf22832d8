/** The words of a plan: who writes what and when, what goes wrong, and how a life ends. */
import type { Behaviour } from '../support/stand-in/behaviour.ts';

/** What a person writes. `slow` and `long` keep the agent busy, `stream` writes its answer in pieces. */
export type Word = 'say' | 'slow' | 'long' | 'stream' | 'note' | 'slow-note' | 'n' | 'status' | 'ps' | 'odd';

export interface Line {
  readonly id: string;
  readonly word: Word;
  readonly conversation: string;
  readonly whenBusy?: 'queue';
  /** Written on the chat platform, or handed in at the control socket as `sluice send` does. */
  readonly through: 'platform' | 'socket';
  /** Milliseconds after the link stands; absent: before the life begins. */
  readonly atMs?: number;
}

export type Trouble =
  | {
      readonly what: 'behaviour';
      readonly behaviour: Behaviour;
      readonly conversation?: string;
      readonly times: number;
    }
  | { readonly what: 'link cut' }
  | { readonly what: 'SIGSTOP and SIGCONT'; readonly forMs: number }
  | { readonly what: 'database locked'; readonly forMs: number }
  | { readonly what: 'disk full'; readonly forMs: number };

export interface Timed<T> {
  readonly atMs: number;
  readonly one: T;
}

/** What a life is asked, and how it is ended. */
export type Request = 'SIGTERM' | 'SIGUSR1' | 'hurry' | 'drain';

export type End =
  /** Killed so long after it was spawned, or after its link stands. */
  | { readonly how: 'kill'; readonly from: 'spawn' | 'link'; readonly afterMs: number }
  /** Kills itself at the n-th hit of a point; from outside where it does not come there. */
  | { readonly how: 'point'; readonly point: string; readonly hit: number }
  /** Leaves by itself, after it was asked. */
  | { readonly how: 'leaves' };

export interface Round {
  readonly number: number;
  readonly lines: readonly Line[];
  /** A command that a CLI runs in a process of its own; it begins before the life does. */
  readonly beside?: { readonly id: string };
  readonly server: { readonly sendsOnce?: true; readonly reconcile?: true };
  readonly troubles: readonly Timed<Trouble>[];
  readonly requests: readonly Timed<Request>[];
  readonly clock?: { readonly offByMs: number; readonly jumpsAfterMs: number; readonly jumpMs: number };
  readonly end: End;
  /** Whoever was told to does: by conversation. */
  readonly resumes: readonly string[];
}

export interface Chapter {
  readonly seed: string;
  readonly number: number;
  readonly resume: 'auto' | 'ask' | 'always' | 'never';
  /** Its home is on a disk of its own, which can be filled; where none can be mounted, that alone is left out. */
  readonly smallDisk: boolean;
  /** Its chat server recognises what comes again, in all of it: a server does not forget how. */
  readonly sendsOnce: boolean;
  /** The clocks of its lives are off; then its server names no waits, which are kept by the wall clock. */
  readonly clocksOff: boolean;
  readonly rounds: readonly Round[];
}

/** Whose agent, by the configuration: one that has effects outside, or one that has none. */
export const CONVERSATIONS = {
  withEffects: ['ann', 'bob', 'cyd', 'dan'],
  without: ['eve', 'fay', 'gus', 'hal'],
};

/** By the names under which they write. */
export const EVERYBODY = [...CONVERSATIONS.withEffects, ...CONVERSATIONS.without];
