/**
 * What is left to read after a gateway ended as it should not: one JSON file each, the newest CRASH_REPORTS_MAX of
 * them. It tells what happened and in which state, and the last lines of the log; never a secret and never the text of
 * a message, so that it can be handed to somebody else.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Crash reports that are kept. */
export const CRASH_REPORTS_MAX = 5;

/** Last lines of the log that go into a report. */
export const CRASH_LINES_MAX = 200;

/** The most that the lines of a report may hold together. */
export const CRASH_LINES_CHARS_MAX = 256 * 1024;

/** What a report has of a stack. */
export const STACK_CHARS_MAX = 16 * 1024;

/** What a report may take on the disk: past it lines are left out, the oldest first, then the status. */
export const CRASH_REPORT_BYTES_MAX = 1024 * 1024;

/** Why the gateway ended as it should not: a defect, or a limit of its leaving that had to cut something off. */
export type CrashReason = 'fault' | 'exit-deadline';

export interface Crash {
  readonly reason: CrashReason;
  readonly message: string;
  /** Of what was thrown, where something was. */
  readonly stack: string | null;
  /** Wall milliseconds. */
  readonly at: number;
  /** The last status; null for a gateway that did not get that far. */
  readonly status: unknown;
  readonly versions: Readonly<Record<string, string>>;
  readonly memory: Readonly<Record<string, number>>;
  readonly uptimeMs: number;
  /** Lines of the log, oldest first; the newest are kept. */
  readonly lines: readonly string[];
}

/** A report as it is written. */
export interface CrashDocument extends Omit<Crash, 'at' | 'lines'> {
  /** In UTC. */
  readonly at: string;
  /** Parsed where they are JSON. */
  readonly lines: readonly unknown[];
}

/** Writes a report and gives its path. `clean` takes secrets out of the whole of it. Throws what the disk says. */
export function writeCrashReport(
  folder: string,
  crash: Crash,
  clean: (document: CrashDocument) => unknown,
): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const name = nameAt(crash.at);
  // First, so that on a nearly full disk the oldest makes room for the newest.
  for (const old of reportsIn(folder).slice(0, -(CRASH_REPORTS_MAX - 1))) rmSync(join(folder, old));
  const path = join(folder, name);
  try {
    writeFileSync(path, boundedText(documentOf(crash), clean), { mode: 0o600 });
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
  return path;
}

/** The names of the reports there are, oldest first. */
export function reportsIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /^crash-.*\.json$/.test(name))
    .toSorted();
}

/** The newest report of a life that ran from one moment to another, in wall milliseconds; undefined where there is none. */
export function crashReportOf(folder: string, fromMs: number, toMs: number): string | undefined {
  try {
    const name = reportsIn(folder).findLast((each) => each >= nameAt(fromMs) && each <= nameAt(toMs));
    return name && join(folder, name);
  } catch {
    // A folder that cannot be read, or moments that are none.
    return undefined;
  }
}

/** In the order of names reports are in that of time. */
const nameAt = (at: number): string => `crash-${new Date(at).toISOString().replaceAll(':', '-')}.json`;

/** Lines and status are all that can be long: without them any report fits. */
function boundedText(document: CrashDocument, clean: (document: CrashDocument) => unknown): string {
  const text = `${JSON.stringify(clean(document), null, 2)}\n`;
  const { lines, status } = document;
  if (Buffer.byteLength(text) <= CRASH_REPORT_BYTES_MAX || (lines.length === 0 && status === null))
    return text;
  const less = lines.length === 0 ? { status: null } : { lines: lines.slice(Math.ceil(lines.length / 2)) };
  return boundedText({ ...document, ...less }, clean);
}

function documentOf({ at, stack, lines, ...rest }: Crash): CrashDocument {
  return {
    ...rest,
    at: new Date(at).toISOString(),
    stack: stack?.slice(0, STACK_CHARS_MAX) ?? null,
    lines: newest(lines).map(parsed),
  };
}

function newest(lines: readonly string[]): string[] {
  const kept: string[] = [];
  let chars = 0;
  for (const line of lines.slice(-CRASH_LINES_MAX).toReversed()) {
    chars += line.length;
    if (chars > CRASH_LINES_CHARS_MAX) break;
    kept.unshift(line);
  }
  return kept;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}
