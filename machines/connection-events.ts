/**
 * The words of the chart of a platform's link: its states as a status shows them, its events, and what it keeps in
 * context. Types only, so that whoever shows a link need not import the chart.
 */

/**
 * What a link is doing. `backing-off`: it failed or was lost, and is tried again after a wait; `parked`: the platform
 * refuses us, and it is tried again when a person has changed something. Both have a reason.
 */
export type LinkState = 'connecting' | 'connected' | 'backing-off' | 'parked';

export interface ConnectionContext {
  /** The number of the last attempt. */
  readonly serial: number;
  /** Attempts that failed, and links that were lost, since a link was last stable. */
  readonly failures: number;
  /** Why there is no link; null while there is one, and before the first attempt has ended. A line for people. */
  readonly reason: string | null;
  /** No further attempt follows. */
  readonly isStopping: boolean;
}

/** Each `serial` is that of the attempt which is spoken of. */
export type ConnectionEvent =
  | { readonly type: 'connect.succeeded'; readonly serial: number }
  | { readonly type: 'connect.failed'; readonly serial: number; readonly reason: string }
  /** The attempt has had its time. */
  | { readonly type: 'attempt.expired'; readonly serial: number; readonly reason: string }
  | { readonly type: 'link.lost'; readonly serial: number; readonly reason: string }
  /** The platform refuses us: said of an attempt, or of a link that was there. */
  | { readonly type: 'auth.failed'; readonly serial: number; readonly reason: string }
  /** A message was handed in through what this attempt has opened. */
  | { readonly type: 'message.arrived'; readonly serial: number }
  /** The wait after this attempt, or after the loss of its link, is over. */
  | { readonly type: 'retry.due'; readonly serial: number }
  /** Its link has held long enough to count as stable. */
  | { readonly type: 'stable.due'; readonly serial: number }
  /** What a parked one waited for has been done: it has other keys, from a person. */
  | { readonly type: 'retry.requested' }
  /** The gateway takes nothing more in. */
  | { readonly type: 'stop' };
