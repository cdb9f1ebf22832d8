/**
 * What can go wrong with a request to a model server, and the shape of a row that tells a person what it means. Pure;
 * the rows themselves stand in `http-status-hints.ts` and `http-network-hints.ts`, and `http-hints.ts` reads them.
 */
import type { ErrorCode } from '../errors.ts';
import type { ErrorBody } from './http-error-body.ts';
import type { Headers } from './http-reset-time.ts';

/** What was seen. */
export type Trouble =
  /** An answer that is none; also an error that a server sends inside its stream, under the status it names. */
  | { readonly kind: 'status'; readonly status: number; readonly body: ErrorBody; readonly headers: Headers }
  /** No answer; the error code of Node or OpenSSL. */
  | { readonly kind: 'network'; readonly code: string }
  /** The stream ended without its end; held something unreadable; ended well, but said nothing. */
  | { readonly kind: 'cut' | 'unreadable' | 'empty' | 'filtered' | 'out-of-tokens' };

/** Whom it happened to. */
export interface Endpoint {
  readonly agent: string;
  readonly model: string;
  /** Without credentials and query. */
  readonly url: string;
  /** The variable that the configuration names for the key, and whether there is anything in it. */
  readonly key: { readonly variable: string | undefined; readonly isSet: boolean };
}

/** What a person is told, and what the gateway makes of it. */
export interface Hint {
  readonly code: ErrorCode;
  /** Completes "No answer: …". */
  readonly cause: string;
  readonly next: string;
  /** When it is worth another try, in wall milliseconds; undefined where nobody said so. */
  readonly retryAtMs: number | undefined;
  readonly backend: boolean;
}

/** A failure with all that a row may look at. */
export interface Case {
  readonly status: number;
  readonly body: ErrorBody;
  readonly headers: Headers;
  /** Of a network error; otherwise empty. */
  readonly network: string;
  readonly kind: Trouble['kind'];
  readonly at: Endpoint;
  /** `agent` or `agents.NAME`: where the configuration has it. */
  readonly section: string;
}

/** What to say of a failure. `what` completes "the agent NAME (MODEL at URL) …". */
export interface Row {
  readonly code: ErrorCode;
  readonly backend: boolean;
  readonly fits: (one: Case) => boolean;
  readonly what: (one: Case) => string;
  /** Absent: to send it again, at the time that the headers give. */
  readonly next?: (one: Case) => string;
}

/** The next step where only the server itself can know. */
export const serverLog = (): string => "Send it again; if it stays, look at that server's log.";

/** The host of an address, with its port. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
