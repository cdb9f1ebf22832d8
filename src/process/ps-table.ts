/**
 * The process table of macOS, read with `ps`. It is coarser than `/proc`: times are whole seconds, sessions
 * have no number, an entry is some milliseconds old when it is shown, and the system hides the environment of
 * its own protected programs (`/bin/sh` among them). Process groups therefore carry most of the weight there,
 * and the marker finds what left its group with a program of its own.
 */
import { type ProcessTable, type TableEntry, WORK_ID_NAME } from './process-table.ts';

/** Every process with its environment behind the command line, lines of any width, no headings. */
export const PS_COMMAND: readonly string[] = [
  '/bin/ps',
  ...['-A', '-E', '-ww'],
  ...['pid', 'pgid', 'state', 'lstart', 'command'].flatMap((column) => ['-o', `${column}=`]),
];

/** `runPs` resolves to what `PS_COMMAND` prints in the C locale, or to nothing when it failed. */
export function psTable(runPs: () => Promise<string>): ProcessTable {
  return {
    nowMs: () => Date.now(),
    async visit(each) {
      for (const line of (await runPs()).split('\n')) {
        const entry = parseLine(line);
        if (entry !== undefined && entry.pid > 1 && entry.pid !== process.pid) each(entry);
      }
    },
    visitNow: () => {},
  };
}

/** `  812   810 S+   Mon Nov 16 03:34:10 2026     sleep 100 HOME=/root SLUICE_WORK_ID=c-17` */
const LINE = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\w{3}\s+\w{3}\s+\d+\s+[\d:]+\s+\d{4})\s+(.*)$/;
const MARKER = new RegExp(`(?:^|\\s)${WORK_ID_NAME}=(\\S+)`, 'g');

function parseLine(line: string): TableEntry | undefined {
  const [, pid, groupId, state, started, command] = LINE.exec(line) ?? [];
  if (started === undefined || command === undefined || state?.startsWith('Z')) return undefined;
  return {
    pid: Number(pid),
    groupId: Number(groupId),
    sessionId: Number(groupId),
    startedMs: Date.parse(started),
    // The environment follows the arguments, and an argument may look like the marker: the last one counts.
    workId: [...command.matchAll(MARKER)].at(-1)?.[1],
  };
}
