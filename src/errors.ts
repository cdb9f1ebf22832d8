/**
 * The one error class and its catalogue. Code that must tell failures apart compares `code`, never a text;
 * `docs/errors.md` is printed from the catalogue and a test holds the two equal.
 *
 * Each entry: what the message says is filled in where the error is thrown (with the value in it); `hint` is
 * the next step a person can take; `retryable` says whether the same call may succeed later unchanged.
 */
import type { Failure, FailureKind } from '../machines/events.ts';

export const ERRORS = {
  CONFIG_INVALID: {
    hint: 'Correct the named keys, then start again.',
    retryable: false,
  },
  CONFIG_UNREADABLE: { hint: 'Check the path and its permissions.', retryable: false },
  RESTART_NEEDED: { hint: 'Nothing is changed; restart the gateway to apply the file.', retryable: false },
  GATEWAY_LEAVING: { hint: 'The next start reads the file.', retryable: true },
  HOME_OWNED: { hint: 'Stop the other gateway first, or use another --home.', retryable: false },
  HOME_NO_PERMISSION: {
    hint: 'Use a home that this user may write, with --home or SLUICE_HOME.',
    retryable: false,
  },
  HOME_ON_NETWORK: {
    hint: 'Use a home on a disk of this machine, with --home or SLUICE_HOME: locks do not hold over a network.',
    retryable: false,
  },
  NO_WORKING_FOLDER: {
    hint: 'Go to a folder that exists, or give the whole path: --home, --config, SLUICE_HOME and SLUICE_CONFIG take one.',
    retryable: false,
  },
  HOME_LOST: {
    hint: 'Restore the home from a backup, or start anew with an empty one: `sluice run` makes it.',
    retryable: false,
  },
  PORT_UNAVAILABLE: { hint: 'Free the port, or set another with listen.http.', retryable: true },
  STORE_UNAVAILABLE: {
    hint: 'Free disk space, or close the program that has the store locked; the gateway tries again every second.',
    retryable: true,
  },
  STORE_SCHEMA_NEWER: {
    hint: 'Run the newer sluice again, or restore the copy made before the upgrade.',
    retryable: false,
  },
  STORE_SCHEMA_OTHER: {
    hint: 'Start the gateway once with this version: `sluice run` makes the schema and brings it up to date.',
    retryable: false,
  },
  STORE_CORRUPT: {
    hint: 'Move the file away (with its -wal and -shm) and restore a backup, or start with an empty store.',
    retryable: false,
  },
  BACKUP_FAILED: {
    hint: 'Name a file that does not exist yet, in a folder that this user may write and that has room for it.',
    retryable: false,
  },
  MESSAGE_INVALID: { hint: 'Send it as docs/http.md shows it.', retryable: false },
  REQUEST_TOO_LARGE: {
    hint: 'A request may hold 1 MB, a message 256 KB. Send less at once.',
    retryable: false,
  },
  UNAUTHORIZED: {
    hint: 'Open the address that the gateway printed at its start, or send the token of its home as a bearer token.',
    retryable: false,
  },
  FORBIDDEN_ORIGIN: { hint: 'Use the address that the gateway printed at its start.', retryable: false },
  NOT_FOUND: { hint: 'docs/http.md lists what there is.', retryable: false },
  ID_AMBIGUOUS: { hint: 'Type more of it.', retryable: false },
  NOTHING_TO_DO: {
    hint: 'Nothing is changed; `sluice messages show ID` says how it stands.',
    retryable: false,
  },
  METHOD_NOT_ALLOWED: { hint: 'Use a method that the answer names; docs/http.md.', retryable: false },
  TOO_MANY_STREAMS: { hint: 'Close another page or command that follows this gateway.', retryable: true },
  AGENT_REQUEST: { hint: "Check the agent's model and the log of its server.", retryable: false },
  AGENT_KEY: {
    hint: 'Correct the variable that api_key_env names, then restart the gateway.',
    retryable: false,
  },
  AGENT_BALANCE: { hint: "Look at balance and quota in the provider's dashboard.", retryable: false },
  AGENT_NOT_FOUND: { hint: "Correct the agent's model or base_url.", retryable: false },
  AGENT_TOO_LONG: { hint: "Send less text, or lower the agent's history_window.", retryable: false },
  AGENT_RATE_LIMIT: { hint: 'Send it again when the limit is reset.', retryable: true },
  AGENT_OVERLOADED: { hint: 'Send it again in a while.', retryable: true },
  AGENT_SERVER: {
    hint: "Send it again; if it stays, look at the log of the agent's server.",
    retryable: true,
  },
  AGENT_TIMEOUT: { hint: 'Send it again, or ask for less at once.', retryable: true },
  AGENT_UNREACHABLE: { hint: "Start the agent's server, or correct its base_url.", retryable: true },
  AGENT_TLS: {
    hint: "Renew the server's certificate, or name its authority in NODE_EXTRA_CA_CERTS.",
    retryable: false,
  },
  AGENT_NOT_AN_API: { hint: 'Correct base_url; with most servers it ends in /v1.', retryable: false },
  AGENT_ANSWER_BROKEN: {
    hint: "Send it again; if it stays, look at the log of the agent's server.",
    retryable: true,
  },
  AGENT_NO_ANSWER: { hint: 'Send it again, or ask otherwise.', retryable: true },
  AGENT_PROMPT_UNREADABLE: { hint: 'Correct system_prompt_file.', retryable: false },
  GATEWAY_LEFT: {
    hint: 'Send it again, under the same id, when the gateway is back: nothing was done.',
    retryable: true,
  },
  SENDER_GAVE_UP: { hint: 'Nothing was done: send it again, with a later deadline.', retryable: true },
  GATEWAY_DIED: {
    hint: 'Start it with `sluice run`: it ends what is left of its commands and keeps how each ended.',
    retryable: true,
  },
  INTERRUPTED: { hint: '`sluice exec --cancel ID` ends what goes on in the gateway.', retryable: true },
  USAGE: { hint: 'Add --help for what there is.', retryable: false },
  NOT_DONE: { hint: 'It goes on all the same: `sluice status` shows how far it is.', retryable: true },
  NO_GATEWAY: { hint: 'Start one with `sluice run`.', retryable: true },
  NO_ANSWER: { hint: 'Look at `sluice status`; a wedged gateway can be ended by its pid.', retryable: true },
  INTERNAL: { hint: 'This is a defect: please report it with the log lines around it.', retryable: false },
} as const satisfies Record<string, { hint: string; retryable: boolean }>;

export type ErrorCode = keyof typeof ERRORS;

/** Carries a catalogue code, a message with the value in it, and the next step. `cause` keeps the origin. */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; hint?: string } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'SluiceError';
    this.code = code;
    this.hint = options.hint ?? ERRORS[code].hint;
    this.retryable = ERRORS[code].retryable;
  }
}

/** How a start that failed with this error leaves. */
const FAILURES: Partial<Readonly<Record<ErrorCode, FailureKind>>> = {
  CONFIG_INVALID: 'config-invalid',
  CONFIG_UNREADABLE: 'config-invalid',
  NO_WORKING_FOLDER: 'config-invalid',
  HOME_OWNED: 'home-owned',
  HOME_LOST: 'home-lost',
  HOME_NO_PERMISSION: 'no-permission',
  HOME_ON_NETWORK: 'no-permission',
  PORT_UNAVAILABLE: 'unavailable',
  STORE_UNAVAILABLE: 'unavailable',
  STORE_CORRUPT: 'store-corrupt',
  STORE_SCHEMA_NEWER: 'schema-newer',
};

/** The failure that the lifecycle chart is told; what is in no catalogue is an internal fault. */
export function failureOf(thrown: unknown): Failure {
  const kind = (thrown instanceof SluiceError ? FAILURES[thrown.code] : undefined) ?? 'fault';
  return { kind, message: messageOf(thrown) };
}

/** The text of anything thrown, one line, without a stack: for logs and for people. */
export function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.split('\n', 1)[0] ?? '';
}

/** The system's word for what went wrong, such as `ENOENT`; undefined for anything thrown that has none. */
export function systemCodeOf(thrown: unknown): unknown {
  return thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
}

/** True for a catalogue error of this code. */
export function isSluiceError(thrown: unknown, code?: ErrorCode): thrown is SluiceError {
  return thrown instanceof SluiceError && (code === undefined || thrown.code === code);
}
