/**
 * Looks for processes that a test started, independently of the code under test: read from `/proc` by marker,
 * or by number. A zombie counts as dead here.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** The pids of living processes whose marker `SLUICE_WORK_ID` is one of these. */
export function survivors(...workIds: readonly string[]): number[] {
  const markers = new Set(workIds.map((workId) => `SLUICE_WORK_ID=${workId}`));
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) =>
      fileOf(pid, 'environ')
        .split('\0')
        .some((variable) => markers.has(variable)),
    )
    .map(Number);
}

/** The letter of the process's state, such as S or Z; undefined when there is no such process. */
export function stateOf(pid: number): string | undefined {
  return fieldsOf(fileOf(String(pid), 'stat'))[0] || undefined;
}

export function isAlive(pid: number): boolean {
  const state = stateOf(pid);
  return state !== undefined && state !== 'Z';
}

/** The pids of zombies among the children of this process. */
export function zombieChildren(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => fieldsOf(fileOf(pid, 'stat')).slice(0, 2).join(' ') === `Z ${process.pid}`)
    .map(Number);
}

/** Group and session of a living process. */
export function belonging(pid: number): { group: number; session: number } {
  const fields = fieldsOf(fileOf(String(pid), 'stat'));
  return { group: Number(fields[2]), session: Number(fields[3]) };
}

/** Every process of a tree, also those without the marker: all those in the session of the leader. */
export function inSession(session: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && belonging(Number(name)).session === session)
    .map(Number)
    .filter(isAlive);
}

/** The fields behind the name: state, parent, group, session. */
const fieldsOf = (stat: string) => stat.slice(stat.lastIndexOf(')') + 2).split(' ');

function fileOf(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
}
