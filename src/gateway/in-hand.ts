/** The words the gateway's parts share about a message they have in hand. */
import type { Admission, Kind } from '../../machines/events.ts';
import type { Classified } from '../messages/classify.ts';
import type { MessageRow, Outcome } from '../store/records.ts';
import type { Write } from '../store/write.ts';

/** A message between its admission and its outcome. */
export interface InHand {
  readonly row: MessageRow;
  /** What it is in the end: a dispatched alias is already what it points to. */
  readonly classified: Classified;
  /** False when it runs although its row could not be written. */
  recorded: boolean;
}

/** True when a person of `platform` may mean this message by `id`: ours, or the one that they or their platform gave it. */
export const isNamed = ({ row }: InHand, id: string, platform?: string): boolean =>
  row.id === id || (row.platform === platform && row.platformMessageId === id);

/** What a handler made of a message. */
export interface Settlement {
  readonly outcome: Outcome;
  /** Why, for anything but the ordinary outcome of its kind. */
  readonly reason: string | null;
  readonly replies: readonly string[];
  /** Rows that belong into the same commit. */
  readonly writes?: readonly Write[];
  /** With the outcome `merged`: the message whose turn answers this one too. */
  readonly mergedInto?: string;
  /** Of an exec command: how it ended. */
  readonly exitCode?: number | null;
}

/**
 * What a handler made of a message that has no outcome yet: it goes on by itself when turns are taken again (`held`), or
 * when a person says so.
 */
export interface Suspension {
  readonly phase: 'held' | 'awaiting-resume';
  readonly reason: string;
  /** What whoever waits is told meanwhile. */
  readonly replies: readonly string[];
  /** Nothing of it is written but `writes`: the turn stays open, and the next start decides, and tells its conversation. */
  readonly leftToNextStart?: true;
  /** Rows that belong into the same commit. */
  readonly writes?: readonly Write[];
}

/** A settled message, as whoever waited for it learns it. */
export interface Settled {
  readonly outcome: Outcome;
  readonly reason: string | null;
  readonly replies: readonly string[];
  readonly recorded: boolean;
  readonly exitCode: number | null;
}

/** What happens to a message that somebody watches. */
export type Progress =
  /** The decision; once more when a turn that waited for its place became held. */
  | ({ readonly type: 'admission' } & Decided)
  | { readonly type: 'delta'; readonly text: string }
  | { readonly type: 'reply'; readonly text: string }
  /** It has no outcome until a person says whether it shall have one; nobody need wait for that. */
  | { readonly type: 'awaiting'; readonly messageId: string; readonly text: string }
  | ({ readonly type: 'settled' } & Settled);

export type ProgressListener = (progress: Progress) => void;

/** The rule that refused a message. */
export type Rule = 'access' | 'state' | 'limit' | 'arguments' | 'store';

/** What the intake made of a message: known once its row is on disk, or could not be put there. */
export interface Decided {
  /** Empty for a stranger's message, which is not stored. */
  readonly messageId: string;
  readonly kind: Kind;
  readonly admission: Admission;
  /** The rule, when it was refused. */
  readonly reason: Rule | null;
  /** What the sender is told at once: a refusal's or a hold's text. */
  readonly text: string | null;
  /** True when the same id came before: nothing is done twice. */
  readonly duplicate: boolean;
  readonly recorded: boolean;
}

export interface Receipt extends Decided {
  /** Resolves with the outcome; for a held message that may take until after a restart. */
  readonly settled: Promise<Settled>;
}
