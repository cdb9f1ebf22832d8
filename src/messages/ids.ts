/**
 * Ids of messages, turns, commands and outbound messages: a letter for what it is, the time, a counter and
 * chance. Within a process those of a kind sort in the order in which they were made, also over a clock that is set
 * back: an index on them grows at its end, and what came first is told by them.
 */
import { randomInt } from 'node:crypto';

/** Values of three base-36 digits: of an id's counter, and of its chance. */
const COUNTER_MAX = 36 ** 3;
const CHANCE_MAX = 36 ** 3;
let counter = randomInt(COUNTER_MAX);
let latestMs = 0;
/** In base 36: ids come many to a millisecond, and writing it out costs more than the rest of one. */
let latestText = '0';

/** `m_mi9x2k4a0f3b7c`: kind, then base 36 of wall milliseconds, a counter, and chance. */
export function newId(kind: 'm' | 't' | 'c' | 'o' | 'r', wallMs: number): string {
  counter = (counter + 1) % COUNTER_MAX;
  // A counter that begins anew within one moment would sort before those of that moment.
  const atMs = Math.max(latestMs + (counter === 0 ? 1 : 0), wallMs);
  if (atMs !== latestMs) {
    latestMs = atMs;
    latestText = atMs.toString(36);
  }
  const chance = randomInt(CHANCE_MAX);
  return `${kind}_${latestText}${counter.toString(36).padStart(3, '0')}${chance.toString(36).padStart(3, '0')}`;
}
