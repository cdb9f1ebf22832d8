/**
 * What the page reads from the gateway, as far as it reads it. The gateway sends it (`GET /v1/inspect`,
 * `POST /v1/messages`); nothing here is checked again, because both sides come out of one build.
 */
import type { Admission, Kind } from '../../machines/events.ts';

export type { Admission, Kind };

/** A moment of the gateway's wall clock: milliseconds since the Unix epoch, or an ISO 8601 text. */
export type Moment = number | string;

export interface Turn {
  readonly id: string;
  readonly conversation: string;
  readonly agent: string;
  readonly startedAt: Moment;
}

export interface Command {
  readonly id: string;
  readonly name: string;
  readonly actor: string;
  readonly startedAt: Moment;
}

/** How long each stage of a shutdown may take, in milliseconds; null where no supervisor sets a limit. */
export interface Deadlines {
  readonly drainMs: number;
  readonly killMs: number;
  readonly exitMs: number;
  readonly supervisorMs: number | null;
}

/** `GET /v1/status`, and the body of every snapshot. */
export interface Status {
  /** The dotted path of the lifecycle chart: `draining.waiting`. */
  readonly state: string;
  readonly epoch: number;
  readonly pid: number;
  readonly version: string;
  readonly startedAt: Moment;
  readonly intent: string | null;
  readonly cause: string | null;
  readonly actor: string | null;
  /** When the running deadline ends what it bounds. */
  readonly deadlineAt: Moment | null;
  readonly accepts: Readonly<Record<Kind, Admission>>;
  readonly degraded: readonly string[];
  readonly warnings: readonly string[];
  readonly held: number;
  readonly inFlight: { readonly turns: readonly Turn[]; readonly commands: readonly Command[] };
  readonly platforms: readonly { readonly name: string; readonly state: string }[];
  readonly supervisor: string;
  readonly lastExit: { readonly code: number; readonly cause: string; readonly at: Moment } | null;
  readonly deadlines: Deadlines;
}

/** The events of `GET /v1/inspect`, by their names on the wire. */
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
