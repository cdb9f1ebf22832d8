/**
 * What the page reads from the gateway, as far as it reads it. The gateway sends it (`GET /v1/inspect`,
 * `POST /v1/messages`); nothing here is checked again, because both sides come out of one build.
 */
import type { Admission, Kind } from '../../machines/events.ts';
import type { StatusReport } from '../../src/gateway/status-report.ts';

export type { Admission, Kind };

/** A moment of the gateway's wall clock: milliseconds since the Unix epoch, or an ISO 8601 text. */
export type Moment = number | string;

/** `GET /v1/status`, and the body of every snapshot. */
export type Status = StatusReport;

export type Turn = Status['inFlight']['turns'][number];

export type Command = Status['inFlight']['commands'][number];

/** How long each stage of a shutdown may take, in milliseconds; null where no supervisor sets a limit. */
export type Deadlines = Status['deadlines'];

/** The events of `GET /v1/inspect`, by their names on the wire; `definition` is not read: the page is built with its own. */
export interface InspectEvents {
  readonly snapshot: { readonly at: Moment; readonly epoch: number; readonly status: Status };
  readonly event: {
    readonly at: Moment;
    readonly event: { readonly type: string; readonly whenBusy?: string };
    readonly admission?: Admission;
  };
  /** One a microstep that was taken, by the transition's id in the chart. */
  readonly edge: { readonly at: Moment; readonly transition: string };
  /** The gateway is about to leave; the stream ends after it. */
  readonly gone: { readonly code: number; readonly meaning: string; readonly reexecute: boolean };
  /** This many events were not sent, because the page was too slow to take them. */
  readonly dropped: { readonly count: number };
}

/** The events that answer `POST /v1/messages`, by their names on the wire. */
export interface MessageEvents {
  /** The decision; once more when a message that waited for its place became held. */
  readonly admission: {
    readonly messageId: string;
    readonly kind: Kind;
    readonly admission: Admission;
    /** The rule that refused it: access, state, limit, arguments or store. */
    readonly reason: string | null;
    /** What the sender is told at once, of a refusal or a hold. */
    readonly text: string | null;
    /** False when it runs although it could not be written down. */
    readonly recorded: boolean;
  };
  readonly delta: { readonly text: string };
  readonly reply: { readonly text: string };
  readonly settled: {
    readonly outcome: string;
    readonly outcomeReason: string | null;
    /** All of them once more, for whoever came late. */
    readonly replies: readonly string[];
  };
}

/** The body of an answer with status 4xx or 5xx. */
export interface Refusal {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string };
}

/** Milliseconds since the Unix epoch. */
export function epochMs(moment: Moment): number {
  return typeof moment === 'number' ? moment : Date.parse(moment);
}
