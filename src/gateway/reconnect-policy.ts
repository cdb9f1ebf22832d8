/** How long a platform's link waits between attempts. Pure: chance is given. */

/** After the first failure in a row, at most; doubled with each further one. */
const RECONNECT_WAIT_MS_FIRST = 1000;

/** The longest wait between two attempts of a platform to connect. */
export const RECONNECT_WAIT_MS_MAX = 60_000;

/**
 * Milliseconds until the next attempt, after so many failures in a row (from 1). `chance`: a number in [0, 1). The wait
 * lies between half of what it may be and the whole, so that not all gateways of a server that was away come back to it
 * at the same moment, and none comes back at once.
 */
export function reconnectWaitMs(failures: number, chance: number): number {
  const wholeMs = Math.min(RECONNECT_WAIT_MS_MAX, RECONNECT_WAIT_MS_FIRST * 2 ** (failures - 1));
  return Math.round((wholeMs * (1 + chance)) / 2);
}
