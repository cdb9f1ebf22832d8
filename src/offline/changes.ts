/**
 * The composition root of a CLI that changes what has come, in a home where no gateway runs: replies that could not be
 * delivered wait for the next start again, or are given up, and a message that waits to be answered is not any more. By
 * the same rules as in a gateway, as a life of its own; whoever calls has made sure that nobody has the rows in hand.
 */
import { systemClock as clock } from '../clock.ts';
import type { HomePaths } from '../config/paths.ts';
import { SluiceError } from '../errors.ts';
import {
  discarded,
  discardingUnit,
  discardsOf,
  endingUnit,
  type Nothing,
  retriesOf,
  type Target,
  targetOf,
  waitsOnDisk,
} from '../gateway/intervention-plan.ts';
import type { Intervened } from '../gateway/interventions.ts';
import { oneThing } from '../messages/found-id.ts';
import * as replies from '../messages/ledger-replies.ts';
import { LOCAL_OWNER } from '../messages/local.ts';
import { isAlive, isVisible, processIdentity } from '../process/identity.ts';
import { openSqliteStore, type SqliteStore } from '../store/sqlite.ts';
import type { Life } from '../store/store.ts';
import type { Write } from '../store/write.ts';

/** What is asked, of the message or the reply that `id` stands for. */
export interface Change {
  readonly verb: 'retry' | 'discard';
  readonly id: string;
  /** Of a discard: why. */
  readonly reason: string | null;
}

export interface OfflineHome {
  readonly paths: Pick<HomePaths, 'store' | 'reserve'>;
  readonly version: string;
}

/** Rejects as `openSqliteStore` and `oneThing`, and with STORE_UNAVAILABLE. */
export async function changeOffline(
  { paths, version }: OfflineHome,
  change: Change,
): Promise<Intervened | Nothing> {
  const store = await openSqliteStore({
    ...{ path: paths.store, reservePath: paths.reserve },
    ...{ migrate: false, clock, onProblem: () => {} },
  });
  try {
    const thing = oneThing(change.id, await store.lookup(change.id));
    // One of another container cannot be seen, and may work.
    const isLiving = (life: Life) => isAlive(life) || !isVisible(life);
    const target = await targetOf(store, thing, { life: null, isLiving, recoveredBy: 'next-start' });
    if (target === undefined) throw new SluiceError('NOT_FOUND', `"${change.id}" is not kept any longer`);
    const planned = plan(target, change);
    if ('nothing' in planned) return planned;
    await commitAsLife(store, version, planned.unit);
    return planned.done;
  } finally {
    await store.close();
  }
}

interface Planned {
  readonly unit: (life: number, at: number) => Write[];
  readonly done: Intervened;
}

function plan(target: Target, { verb, reason }: Change): Planned | Nothing {
  const messageId = target.message?.id ?? null;
  const outcome = target.message?.outcome ?? null;
  const about = (outbound: readonly { id: string }[], text: string): Intervened => ({
    ...{ messageId, outcome, replies: outbound.map(({ id }) => id), text },
  });
  if (verb === 'retry') {
    const retries = retriesOf(target, false);
    if ('nothing' in retries) return retries;
    const { outbound } = retries;
    return {
      unit: (_, at) => outbound.map(({ id }) => ({ op: 'outbound.retry', id, at })),
      done: about(outbound, replies.retriedLater(outbound.length)),
    };
  }
  const discards = discardsOf(target, waitsOnDisk(target));
  if ('nothing' in discards) return discards;
  const { settles, outbound } = discards;
  if (settles !== null) {
    const end = discarded(settles, LOCAL_OWNER, reason);
    return {
      unit: (life, at) => discardingUnit(settles, end, life, at),
      done: { ...about([], replies.discardedNow(settles.id)), outcome: end.outcome },
    };
  }
  const error = `discarded by ${LOCAL_OWNER}${reason === null ? '' : `: ${reason}`}`;
  return {
    unit: (_, at) => outbound.flatMap((row) => endingUnit(row, error, at)),
    done: about(outbound, replies.givenUp(outbound.length, false)),
  };
}

/** One unit by a life that begins and ends with it, so that a start finds nothing of it open. */
async function commitAsLife(store: SqliteStore, version: string, unit: Planned['unit']): Promise<void> {
  const at = clock.wallMs();
  const life = await store.begin({
    ...processIdentity(),
    ...{ kind: 'cli', version, startedAt: at, epochAbove: 0 },
  });
  const end: Write = { op: 'life.end', id: life.id, at: clock.wallMs(), code: 0, cause: 'done' };
  await store.commit([...unit(life.id, at), end]);
}
