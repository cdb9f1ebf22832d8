/** What the gateway under test is told by its test: through its environment, so that an in-place restart knows it, too. */
import type { PlantedBug } from './planted-bugs.ts';

/** The variable that holds it, as JSON. */
export const ORDERS = 'SLUICE_CRASH_ORDERS';

export interface Orders {
  /** Where the process notes what it does, one JSON document a line. */
  readonly trace: string;
  /** It kills itself when it comes to this point for the n-th time, from 1. */
  readonly die?: { readonly point: string; readonly hit: number };
  /** How far its wall clock is off, and how much farther it jumps so many milliseconds after the start. */
  readonly clock?: { readonly offByMs: number; readonly jumpsAfterMs: number; readonly jumpMs: number };
  readonly planted?: PlantedBug;
}

/** Undefined for a process that nobody has told anything. */
export function ordersIn(env: NodeJS.ProcessEnv): Orders | undefined {
  const text = env[ORDERS];
  return text === undefined ? undefined : (JSON.parse(text) as Orders);
}
