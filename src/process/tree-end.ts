/**
 * Ends a tree of processes: TERM, a grace to finish in, KILL, and no return before nobody is left or the
 * limits are reached. A tree that goes by itself within the grace is never sent KILL.
 */
import type { Clock } from '../clock.ts';
import type { TreeSignal } from './process-tree.ts';

/** How long KILL is repeated at most. What survives it hangs in the kernel, and no signal helps. */
const KILL_WINDOW_MS = 150;
/** How often at most: each pass meets what was forked during the one before. */
const KILL_PASSES_MAX = 40;
/** So many passes in a row must find nobody: an `exec` that takes long can hide a process from one. */
const CLEAN_PASSES = 2;
/** Pauses between passes: short at first, since most trees go at once, and longer while they take their grace. */
const PAUSE_MS_MIN = 4;
const PAUSE_MS_MAX = 250;

export interface EndingOptions {
  readonly clock: Clock;
  /** From TERM to KILL. */
  readonly graceMs: number;
  /** Settles when there is no need to wait longer before looking: the leader has gone and its pipes are at their end. */
  readonly gone: Promise<unknown>;
  /** Skips what is left of the grace. */
  readonly hurry: AbortSignal;
  /** Which processes to count: all that were ended, or only those that KILL was needed for. */
  readonly count: 'all' | 'killed';
}

interface Tree {
  /** Signals everyone in it once, and resolves to the pids that were alive. */
  signal(signal: TreeSignal): Promise<ReadonlySet<number>>;
}

/** Resolves to the pids of those that had to be ended, as `count` says. */
export async function endTree(tree: Tree, options: EndingOptions): Promise<ReadonlySet<number>> {
  const { clock, hurry, count } = options;
  const ended = new Set<number>();
  if (hurry.aborted) {
    addAll(ended, await tree.signal(0));
  } else {
    const begunMs = clock.monotonicMs();
    const asked = await tree.signal('SIGTERM');
    if (count === 'all') addAll(ended, asked);
    const left = await leftAfterGrace(tree, options, clock.monotonicMs() - begunMs);
    if (left === undefined) return ended;
    addAll(ended, left);
  }
  await killUntilClean(tree, clock, ended);
  return ended;
}

/**
 * Resolves at the end of the grace to who was there at the last look; undefined as soon as all have gone. A look takes
 * a while on a machine with many processes, `lookMs` at first: the last one is over when the grace is, so that KILL
 * need not wait for it.
 */
async function leftAfterGrace(
  tree: Tree,
  { clock, graceMs, gone, hurry }: EndingOptions,
  lookMs: number,
): Promise<ReadonlySet<number> | undefined> {
  const deadlineMs = clock.monotonicMs() + graceMs;
  const leftMs = () => Math.max(0, deadlineMs - clock.monotonicMs());
  await settlesWithin(Math.max(0, graceMs - lookMs), Promise.race([gone, aborted(hurry)]), clock);
  let cleanLooks = 0;
  for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)) {
    const begunMs = clock.monotonicMs();
    const alive = await tree.signal(0);
    cleanLooks = alive.size === 0 ? cleanLooks + 1 : 0;
    if (cleanLooks === CLEAN_PASSES) return undefined;
    const spareMs = leftMs() - (clock.monotonicMs() - begunMs);
    if (hurry.aborted || spareMs <= 0) {
      await clock.delay(leftMs(), hurry);
      return alive;
    }
    await clock.delay(Math.min(pauseMs, spareMs), hurry);
  }
}

async function killUntilClean(tree: Tree, clock: Clock, ended: Set<number>): Promise<void> {
  const deadlineMs = clock.monotonicMs() + KILL_WINDOW_MS;
  let cleanPasses = 0;
  for (let pass = 0; pass < KILL_PASSES_MAX && clock.monotonicMs() < deadlineMs; pass += 1) {
    const alive = await tree.signal('SIGKILL');
    addAll(ended, alive);
    cleanPasses = alive.size === 0 ? cleanPasses + 1 : 0;
    if (cleanPasses === CLEAN_PASSES) return;
    await clock.delay(PAUSE_MS_MIN);
  }
}

/** True when the promise settled in time; it must not reject. */
export async function settlesWithin(
  limitMs: number,
  promise: Promise<unknown>,
  clock: Clock,
): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  using _timer = clock.timer(limitMs, () => late.resolve(false));
  return await Promise.race([promise.then(() => true), late.promise]);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function addAll(into: Set<number>, pids: ReadonlySet<number>): void {
  for (const pid of pids) into.add(pid);
}
