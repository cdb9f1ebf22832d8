/**
 * The one error class and its catalogue. Code that must tell failures apart compares `code`, never a text;
 * `docs/errors.md` is printed from the catalogue and a test holds the two equal.
 *
 * Each entry: what the message says is filled in where the error is thrown (with the value in it); `hint` is
 * the next step a person can take; `retryable` says whether the same call may succeed later unchanged.
 */
export const ERRORS = {
  CONFIG_INVALID: {
    hint: 'Correct the named keys, then check with `sluice config check`.',
    retryable: false,
  },
  CONFIG_UNREADABLE: { hint: 'Check the path and its permissions.', retryable: false },
  HOME_OWNED: { hint: 'Stop the other gateway first, or use another --home.', retryable: false },
  HOME_NO_PERMISSION: {
    hint: 'Use a home that this user may write, with --home or SLUICE_HOME.',
    retryable: false,
  },
  PORT_UNAVAILABLE: { hint: 'Free the port, or set another with listen.http.', retryable: true },
  STORE_UNAVAILABLE: { hint: 'Free disk space; the gateway tries again every second.', retryable: true },
  STORE_SCHEMA_NEWER: {
    hint: 'Run the newer sluice again, or restore the copy made before the upgrade.',
    retryable: false,
  },
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

/** The text of anything thrown, one line, without a stack: for logs and for people. */
export function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.split('\n', 1)[0] ?? '';
}

/** True for a catalogue error of this code. */
export function isSluiceError(thrown: unknown, code?: ErrorCode): thrown is SluiceError {
  return thrown instanceof SluiceError && (code === undefined || thrown.code === code);
}
