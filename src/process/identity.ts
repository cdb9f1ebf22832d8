/**
 * Which process is meant: a pid alone is recycled, so an identity is pid, start time and boot.
 *
 * Invariants: the same process gives the same identity for as long as it runs, over an in-place restart too
 * (`execve` keeps pid and start time, so lives are told apart by their epoch, never by this). A zombie is
 * dead: it holds no lock and runs no code. Start time and boot id are opaque words, compared for equality
 * only.
 *
 * A pid means something within its pid namespace only, and two containers of one host share the boot id. So
 * on Linux the boot id carries the namespace: an identity from another container, or from a copied volume,
 * is dead here even when a process of ours has its pid and was started in the same tick. What runs in
 * another namespace on the same home cannot be seen; the lock tells of it, not this file.
 */
import { readFileSync, readlinkSync } from 'node:fs';

/** One process of one boot of one machine. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Linux: clock ticks since boot. macOS: a date in UTC, to the second. */
  readonly startTime: string;
  /** Changes with every boot; on Linux with the pid namespace, too. */
  readonly bootId: string;
}

/** What the system says about a pid. */
export interface StatEntry {
  readonly startTime: string;
  readonly zombie: boolean;
}

/** Fields of /proc/PID/stat that follow the command's name: state is the file's 3rd, start time its 22nd. */
const STAT_STATE = 0;
const STAT_START_TIME = 19;
/** `ps` and `sysctl` answer in milliseconds; a machine on which they do not is out of order. */
const MACOS_QUERY_TIMEOUT_MS = 2_000;

let bootIdOfThisBoot: string | undefined;

/** This process. Throws when the system hides it, as a Linux without /proc does. */
export function processIdentity(): ProcessIdentity {
  const { pid } = process;
  const entry = lookUp(pid);
  if (entry === undefined) throw new Error(`cannot read the start time of this process (pid ${pid})`);
  return { pid, startTime: entry.startTime, bootId: bootId() };
}

/** True while a process with this pid, start time and boot id exists and is no zombie. Never throws. */
export function isAlive(identity: ProcessIdentity): boolean {
  try {
    if (identity.bootId !== bootId()) return false;
    const entry = lookUp(identity.pid);
    return entry !== undefined && !entry.zombie && entry.startTime === identity.startTime;
  } catch {
    // Nothing can be said about any process here; the lock still decides who may run.
    return false;
  }
}

/** False for a process of this boot in another pid namespace: from here it cannot be seen whether it lives. */
export function isVisible(identity: ProcessIdentity): boolean {
  const [boot] = bootId().split(' ');
  return identity.bootId === bootId() || identity.bootId.split(' ')[0] !== boot;
}

/**
 * Reads the text of /proc/PID/stat. The second field is the command's name in parentheses and may itself hold
 * spaces, parentheses and newlines, so the fields are counted from the last `)`.
 */
export function parseProcStat(text: string): StatEntry | undefined {
  const nameEnd = text.lastIndexOf(')');
  if (nameEnd === -1) return undefined;
  const fields = text
    .slice(nameEnd + 1)
    .trim()
    .split(/\s+/);
  const state = fields[STAT_STATE];
  const startTime = fields[STAT_START_TIME];
  if (state === undefined || startTime === undefined || !/^\d+$/.test(startTime)) return undefined;
  return { startTime, zombie: state === 'Z' || state === 'X' || state === 'x' };
}

/** Reads the line of `ps -o state=,lstart= -p PID`: a word of flags, then a date of five words. */
export function parsePsLine(text: string): StatEntry | undefined {
  const [state, ...date] = text.trim().split(/\s+/);
  if (state === undefined || date.length !== 5) return undefined;
  return { startTime: date.join(' '), zombie: state.startsWith('Z') };
}

function lookUp(pid: number): StatEntry | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  try {
    return process.platform === 'darwin'
      ? parsePsLine(queryMacos('ps', ['-o', 'state=,lstart=', '-p', String(pid)]))
      : parseProcStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    // ENOENT, ESRCH when it ended between open and read, status 1 of `ps`: all say that there is none.
    return undefined;
  }
}

function bootId(): string {
  bootIdOfThisBoot ??= process.platform === 'darwin' ? macosBootId() : linuxBootId();
  return bootIdOfThisBoot;
}

function linuxBootId(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  try {
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    // A kernel without namespaces has one only.
    return boot;
  }
}

function macosBootId(): string {
  return queryMacos('sysctl', ['-n', 'kern.bootsessionuuid']).trim();
}

/** macOS has no /proc. Synchronous: identities are needed before there is an event loop to speak of. */
function queryMacos(program: string, args: readonly string[]): string {
  return process.getBuiltinModule('node:child_process').execFileSync(program, args, {
    encoding: 'utf8',
    env: { PATH: '/bin:/usr/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: MACOS_QUERY_TIMEOUT_MS,
  });
}
