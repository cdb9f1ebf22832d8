/**
 * What a start finds of lives that are over. A clean stop only makes it shorter: there is one way to start.
 * Whatever such a life left running is ended first; then it is decided for each open message (`recovery-plan.ts`), and
 * the decisions are one commit. Nothing that may have changed something is run a second time by itself.
 */
import type { Clock } from '../clock.ts';
import type { Processes } from '../process/exec.ts';
import type {
  CrashedSession,
  Life,
  MessageRow,
  OpenWork,
  OutboundRow,
  Store,
  StoredOutbound,
  Write,
} from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import { crashIncident, isCrashLoop, type SafeModeRules } from './crash-chain.ts';
import { planOf } from './recovery-plan.ts';
import type { ResumeRules } from './resume-policy.ts';

/** How far back deaths are looked for, at most; safe mode and incidents are about hours. */
const DEATHS_WITHIN_MS = 24 * 3_600_000;

export interface RecoveryOptions {
  readonly store: Store;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly log: Log;
  readonly life: Life;
  /** True when a process of this identity works in the home; never of our own earlier epochs. */
  readonly isLiving: (life: Life) => boolean;
  /** How a life ended in order that could not write it into the store; undefined for one that died. */
  readonly leftInOrder?: (life: Life) => LastWord | undefined;
  readonly resume: ResumeRules;
  /** Null: it is off. */
  readonly safeMode: SafeModeRules | null;
  /** The longest text of one message of a platform; undefined: any. */
  readonly textCharsMax: (platform: string) => number | undefined;
}

/** What a life said of its end. */
export interface LastWord {
  readonly code: number | null;
  readonly cause: string;
  /** Wall milliseconds. */
  readonly at: number;
}

/** What the gateway goes on with. */
export interface Recovered {
  /** To be held again: those that go on with an interrupted turn first, each in order of arrival. */
  readonly held: readonly MessageRow[];
  /** Messages that wait for a person's word. */
  readonly awaiting: readonly MessageRow[];
  /** Exec commands to be run now. */
  readonly commands: readonly MessageRow[];
  /** What has not left, in order. */
  readonly outbound: readonly (StoredOutbound | OutboundRow)[];
  /** Conversations that no turn runs in until a person says so. */
  readonly quarantined: readonly string[];
  /** Conversations whose crashes are forgotten as soon as a turn of theirs ends well. */
  readonly crashed: readonly string[];
  /** The gateway died so often of late that it shall start without turns. */
  readonly crashLoop: boolean;
}

export async function recover(options: RecoveryOptions): Promise<Recovered> {
  const { store, processes, clock, log, life, safeMode } = options;
  const lives = await store.openLives();
  const living = lives.filter((other) => other.id !== life.id && options.isLiving(other));
  const dead = lives.filter((other) => other.id !== life.id && !living.includes(other));
  const open = await store.openWork([...living.map((other) => other.id), life.id]);
  const swept = await processes.sweep(markersOf(open));

  const now = clock.wallMs();
  // Those that died before their own recovery count as well.
  const left = new Map(dead.map((other) => [other.id, options.leftInOrder?.(other)]));
  const died = dead.filter(({ id, kind }) => kind === 'daemon' && left.get(id) === undefined).map(() => now);
  const deaths = [...(await store.deaths(now - DEATHS_WITHIN_MS)), ...died];
  const crashLoop = safeMode !== null && isCrashLoop(deaths, safeMode, now);
  const incident = died.length > 0 ? crashIncident(deaths, safeMode?.quietMs ?? QUIET_MS) : undefined;
  const told = incident === undefined ? [] : await store.noticesOf(incident);
  const plan = planOf(open, {
    life,
    now,
    resume: options.resume,
    deadLives: new Set(dead.filter(({ id }) => left.get(id) === undefined).map(({ id }) => id)),
    sessions: died.length > 0 ? await crashedSessions(store) : new Map(),
    incident: incident === undefined ? null : { name: incident, told: new Set(told.map(placeOf)) },
    quiet: crashLoop,
    textCharsMax: options.textCharsMax,
  });

  const ended = dead.map(({ id }): Write => {
    const { at, code, cause } = left.get(id) ?? { at: now, code: null, cause: 'died' };
    return { op: 'life.end', id, at, code, cause };
  });
  // All or nothing: what failed half way could not be found again, its rows would be this life's own.
  const unit = [...plan.writes, ...ended];
  if (unit.length > 0) await store.commit(unit);
  const { writes: _, ...found } = plan;
  const sessions = await crashedSessions(store);
  const counts = {
    deadLives: dead.length,
    interrupted: plan.interrupted,
    held: found.held.length,
    awaiting: found.awaiting.length,
    commands: found.commands.length,
    outbound: found.outbound.length,
    processesEnded: swept,
  };
  if (Object.values(counts).some((count) => count > 0)) log.info(counts, 'recovered');
  const crashed = [...sessions.values()];
  return {
    ...found,
    crashLoop,
    crashed: crashed.map(({ conversation }) => conversation),
    quarantined: crashed.filter((session) => session.quarantined).map(({ conversation }) => conversation),
  };
}

/** Without safe mode: how long without a death ends an incident. */
const QUIET_MS = 120_000;

/** A destination of a notice, as one word. */
const placeOf = ({ platform, conversation }: { platform: string; conversation: string }): string =>
  `${platform} ${conversation}`;

async function crashedSessions(store: Store): Promise<Map<string, CrashedSession>> {
  const sessions = await store.crashedSessions();
  return new Map(sessions.map((session) => [session.conversation, session]));
}

/** The environment markers of everything that could still run. */
function markersOf({ turns, commands }: OpenWork): Set<string> {
  return new Set([...turns.map((turn) => turn.id), ...commands.map((command) => command.id)]);
}
