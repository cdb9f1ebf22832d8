/**
 * Who starts us again when we exit: it decides the exit codes and whether a restart happens in place.
 *
 * Only what a supervisor sets for *us* counts. Environment variables are inherited by every child, so
 * `INVOCATION_ID` and `NOTIFY_SOCKET` alone mean nothing: a shell opened from a service has both, and a
 * gateway typed there would exit with 75 into nobody's hands.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { Supervisor } from '../../machines/exit.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What `detectSupervisor` judges. */
export interface SupervisorFacts {
  readonly env: Environment;
  readonly pid: number;
  readonly ppid: number;
  /** The short name of the parent's program; absent where it cannot be read. */
  readonly parentName?: string;
  readonly platform: NodeJS.Platform;
  readonly isContainer: boolean;
}

/** Our supervisor and, for the log and `sluice status`, the fact that told. */
export interface SupervisorFinding {
  readonly kind: Supervisor;
  readonly because: string;
  /** What SLUICE_SUPERVISOR says and cannot mean; it counts as not set then. */
  readonly problem?: string;
}

const SUPERVISORS: readonly Supervisor[] = ['systemd', 'launchd', 'supervise', 'container', 'none'];

/** Files that container runtimes place at the root of what they run. */
const CONTAINER_FILES = ['/.dockerenv', '/run/.containerenv'];
/** Variables that container runtimes set: podman, systemd-nspawn and LXC the first, Kubernetes the other. */
const CONTAINER_VARIABLES = ['container', 'KUBERNETES_SERVICE_HOST'];

/** Judges the facts; pure. */
export function detectSupervisor(facts: SupervisorFacts): SupervisorFinding {
  const wanted = facts.env.SLUICE_SUPERVISOR;
  if (!isSet(wanted)) return recognised(facts);
  const kind = SUPERVISORS.find((known) => known === wanted);
  if (kind !== undefined) return { kind, because: `SLUICE_SUPERVISOR=${kind}` };
  const finding = recognised(facts);
  const known = SUPERVISORS.join(', ');
  const problem = `SLUICE_SUPERVISOR=${wanted} is not known and counts as not set (recognised: ${finding.kind}); use one of ${known}`;
  return { ...finding, problem };
}

function recognised(facts: SupervisorFacts): SupervisorFinding {
  return (
    systemd(facts) ??
    launchd(facts) ??
    container(facts) ?? { kind: 'none', because: 'no supervisor set anything for this process' }
  );
}

/** Gathers the facts about this process; reads /proc where there is one. Never throws. */
export function readSupervisorFacts(env: Environment): SupervisorFacts {
  const { pid, ppid, platform } = process;
  const parentName = programName(ppid);
  const isContainer =
    platform === 'linux' &&
    (CONTAINER_FILES.some((path) => existsSync(path)) ||
      CONTAINER_VARIABLES.some((name) => isSet(env[name])));
  return { env, pid, ppid, ...(parentName === undefined ? {} : { parentName }), platform, isContainer };
}

function systemd({ env, pid, parentName }: SupervisorFacts): SupervisorFinding | undefined {
  const mainPid = env.SYSTEMD_EXEC_PID;
  if (isSet(mainPid)) {
    // Another pid: inherited from the service that an ancestor of ours is.
    return mainPid === String(pid) ? { kind: 'systemd', because: 'SYSTEMD_EXEC_PID is our pid' } : undefined;
  }
  if (!isSet(env.NOTIFY_SOCKET) || parentName !== 'systemd') return undefined;
  return { kind: 'systemd', because: 'NOTIFY_SOCKET is set and our parent is systemd' };
}

function launchd({ env, ppid, platform }: SupervisorFacts): SupervisorFinding | undefined {
  const label = env.XPC_SERVICE_NAME;
  if (platform !== 'darwin' || ppid !== 1 || !isSet(label)) return undefined;
  // What a terminal's children inherit: `0`, or the label of the terminal itself.
  if (label === '0' || label.startsWith('application.')) return undefined;
  return { kind: 'launchd', because: `launchd's job ${label}` };
}

function container({ pid, ppid, parentName, isContainer }: SupervisorFacts): SupervisorFinding | undefined {
  if (pid === 1) return { kind: 'container', because: 'we are process 1' };
  // Outside of a container a child of process 1 is an orphan; and where process 1 is systemd, so it is inside.
  if (ppid !== 1 || !isContainer || parentName === 'systemd') return undefined;
  return { kind: 'container', because: 'our parent is process 1 of a container' };
}

function programName(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
