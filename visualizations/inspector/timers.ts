/** The one owner of timers on the page. Each call returns what cancels it. */

export type Cancel = () => void;

/** Calls `fire` once after `delayMs`. */
export function later(delayMs: number, fire: () => void): Cancel {
  const handle = setTimeout(fire, delayMs);
  return () => clearTimeout(handle);
}

/** Calls `fire` every `periodMs`. */
export function every(periodMs: number, fire: () => void): Cancel {
  const handle = setInterval(fire, periodMs);
  return () => clearInterval(handle);
}

/** Resolves after `delayMs`. */
export function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}
