/** The variables that reach no program the gateway starts, not even where a file names them. */

/** What systemd sets for the process it started, and for no child of that. */
export const WITHHELD_NAMES: ReadonlySet<string> = new Set([
  'NOTIFY_SOCKET',
  'WATCHDOG_PID',
  'WATCHDOG_USEC',
  'LISTEN_FDS',
  'LISTEN_PID',
  'LISTEN_FDNAMES',
  'SYSTEMD_EXEC_PID',
  'MANAGERPID',
  'INVOCATION_ID',
  'JOURNAL_STREAM',
]);
