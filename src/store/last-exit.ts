/** How a life ended, apart from the port: the page reads it, too. */

/** `code` is null where it left no process with one: killed, or gone on in place. `at`: wall ms; null where unknown. */
export interface LastExit {
  readonly code: number | null;
  readonly cause: string;
  readonly at: number | null;
}
