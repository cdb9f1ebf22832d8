/**
 * How lives ended that the store was not told of. Each says it in the status file, which every start reads: a life whose
 * store failed as its last word, and one that was killed while it left by what it was doing then. A start hands them on in
 * its own status until a recovery has written them.
 */
import { CUT_OFF_CAUSE, type LastWord } from './gateway/recovery.ts';
import type { Owner, readStatusFile, StatusDocument } from './process/runtime-status.ts';
import type { Life } from './store/store.ts';

/**
 * How a life ended that could not write it into the store. An epoch alone names no life where homes were copied or put
 * together: the same one may have been another process's.
 */
export type UnrecordedEnd = LastWord & Owner;

/** Ends that are handed on in the status; one end more and the oldest counts as a death. */
const ENDS_KEPT_MAX = 16;

/** What the last status in a home tells of ends, as it is read at a start. `now`: wall milliseconds. */
export function endsToldIn(told: ReturnType<typeof readStatusFile>, now: number): readonly UnrecordedEnd[] {
  if (told === undefined) return [];
  const { status, heartbeatAgeMs } = told;
  const ends = Array.isArray(status.ends) ? status.ends.filter(isUnrecordedEnd) : [];
  const own = leftAsAsked(status, Math.round(now - heartbeatAgeMs));
  const isTold = own === undefined || ends.some(({ epoch }) => epoch === own.epoch);
  return lastOf(isTold ? ends : [...ends, own]);
}

/** With one end more. */
export const withEnd = (ends: readonly UnrecordedEnd[], end: UnrecordedEnd): readonly UnrecordedEnd[] =>
  lastOf([...ends, end]);

/** What a life said of its end; undefined for one that said nothing. */
export function lastWordAmong(ends: readonly UnrecordedEnd[], life: Life): LastWord | undefined {
  const end = life.kind === 'daemon' ? ends.find((one) => isOf(one, life)) : undefined;
  return end && { code: end.code, cause: end.cause, at: end.at };
}

const isOf = (end: UnrecordedEnd, { epoch, pid, startTime, bootId }: Life): boolean =>
  end.epoch === epoch && end.pid === pid && end.startTime === startTime && end.bootId === bootId;

/**
 * The end of a life whose status says that it had been asked to stop or restart and had not failed: whatever ended it in
 * the middle of that, its end was wanted. Undefined for one that said its end itself: an exit without that epoch is a later
 * start's, which failed.
 */
function leftAsAsked(status: StatusDocument, at: number): UnrecordedEnd | undefined {
  const { epoch, pid, startTime, bootId, intent, failure, exit } = status;
  const isAsked = (intent === 'stop' || intent === 'restart') && failure === undefined;
  const hasSaid = typeof exit === 'object' && exit !== null && 'epoch' in exit && exit.epoch === epoch;
  const end = { epoch, pid, startTime, bootId, code: null, cause: CUT_OFF_CAUSE, at };
  return isAsked && !hasSaid && isUnrecordedEnd(end) ? end : undefined;
}

const lastOf = (ends: readonly UnrecordedEnd[]): readonly UnrecordedEnd[] => ends.slice(-ENDS_KEPT_MAX);

/** The store takes whole numbers alone, and no start may fail by what a file tells. */
function isUnrecordedEnd(value: unknown): value is UnrecordedEnd {
  if (typeof value !== 'object' || value === null) return false;
  const end: Partial<Record<keyof UnrecordedEnd, unknown>> = value;
  const isCode = end.code === null || Number.isSafeInteger(end.code);
  const areWords = [end.cause, end.startTime, end.bootId].every((word) => typeof word === 'string');
  return isCode && areWords && [end.epoch, end.pid, end.at].every(Number.isSafeInteger);
}
