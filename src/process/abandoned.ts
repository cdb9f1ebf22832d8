/**
 * Finds work whose gateway died without a word, by the processes alone: also what no store knows, because its disk was
 * full when the work began.
 *
 * A process belongs to such work when the life that its marker names is over, was a life of this home, and the process
 * still writes to a pipe of that life. A service that a command started and that let go of its outputs does not: it was
 * meant to stay. What lives in another container of this machine cannot be judged and is left alone.
 */
import { readlinkSync } from 'node:fs';
import { isAlive, isVisible, type ProcessIdentity } from './identity.ts';
import type { ProcessTable, TableEntry } from './process-table.ts';

/** The value of the marker `SLUICE_LIFE`: who starts work, and for which home. Holds no white space. */
export function lifeMarker(home: string, { pid, startTime, bootId }: ProcessIdentity): string {
  return [home, String(pid), startTime, bootId].map(encodeURIComponent).join(',');
}

/** The markers of the work that dead lives of this home left running. Linux; elsewhere there is nothing to see it by. */
export async function abandonedWork(home: string, table: ProcessTable): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const isOver = new Map<string, boolean>();
  const meet = ({ pid, workId, life }: TableEntry) => {
    if (workId === undefined || life === undefined || found.has(workId)) return;
    const over = isOver.get(life) ?? isOverIn(home, life);
    isOver.set(life, over);
    if (over && writesToGateway(pid)) found.add(workId);
  };
  await table.visit(meet, 'listed');
  return found;
}

/**
 * True for work that is none of this home's: a life of another home has it, which lives, or cannot be seen. Where this home
 * is a copy of that one, their stores name the same work.
 */
export function isElsewhere(home: string, marker: string): boolean {
  const life = lifeIn(marker);
  return life !== undefined && life.home !== home && (!isVisible(life) || isAlive(life));
}

function isOverIn(home: string, marker: string): boolean {
  const life = lifeIn(marker);
  return life?.home === home && isVisible(life) && !isAlive(life);
}

function lifeIn(marker: string): (ProcessIdentity & { readonly home: string | undefined }) | undefined {
  const [home, pid, startTime, bootId] = marker.split(',').map(decoded);
  if (startTime === undefined || bootId === undefined) return undefined;
  return { home, pid: Number(pid), startTime, bootId };
}

/** Whatever stands there: any process can set the variable. */
function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/** Node hands its children sockets as outputs; files, terminals and `/dev/null` are not ours. */
function writesToGateway(pid: number): boolean {
  return [1, 2].some((descriptor) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${descriptor}`).startsWith('socket:');
    } catch {
      return false;
    }
  });
}
