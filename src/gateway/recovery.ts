/**
 * What a start finds of lives that are over. A clean stop only makes it shorter: there is one way to start.
 * Whatever such a life left running is ended first; then it is decided for each open message (`recovery-plan.ts`), and
 * the decisions are one commit. Nothing that may have changed something is run a second time by itself.
 */
import { INTERRUPTED_CODE } from '../../machines/exit.ts';
import type { Clock } from '../clock.ts';
import type { Processes } from '../process/exec.ts';
import type {
  CrashedSession,
  Death,
  MessageRow,
  OutboundRow,
  SafeModeMark,
  StoredOutbound,
} from '../store/records.ts';
import type { Life, OpenWork, Store } from '../store/store.ts';
import type { Write } from '../store/write.ts';
import type { Log } from '../telemetry/log.ts';
import { crashIncident, type SafeModeRules, startsInSafeMode } from './crash-chain.ts';
import { planOf } from './recovery-plan.ts';
import type { ResumeRules } from './resume-policy.ts';

/** How far back deaths are looked for, at most; safe mode and incidents are about hours. */
const DEATHS_WITHIN_MS = 24 * 3_600_000;

export interface RecoveryOptions {
  readonly store: Store;
  readonly processes: Pick<Processes, 'sweep'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly life: Life;
  /** True for a life that works in the home beside this one. */
  readonly isLiving: (life: Life) => boolean;
  /** How a life ended that could not write it into the store; undefined for one that was killed. */
  readonly lastWordOf?: (life: Life) => LastWord | undefined;
  /** Found late, what this life works on may have rows of no life yet: they are not a dead one's. */
  readonly isInHand?: (messageId: string) => boolean;
  readonly resume: ResumeRules;
  /** Null: it is off. */
  readonly safeMode: SafeModeRules | null;
  /** The longest text of one message of a platform; undefined: any. */
  readonly textCharsMax: (platform: string) => number | undefined;
}

/** The cause of an end that came while the life was leaving as it had been asked to, from whoever would not wait. */
export const CUT_OFF_CAUSE = 'cut-off';

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
  /** All that was open, by its ids, in order of arrival. */
  readonly arrived: readonly string[];
  /** The gateway died so often of late that it shall start without turns, or has not left safe mode since. */
  readonly crashLoop: boolean;
}

export async function recover(options: RecoveryOptions): Promise<Recovered> {
  const { store, processes, clock, log, life, safeMode } = options;
  const lives = await store.openLives();
  const living = lives.filter((other) => other.id !== life.id && options.isLiving(other));
  const dead = lives.filter((other) => other.id !== life.id && !living.includes(other));
  const open = withoutOurs(
    await store.openWork([...living.map((other) => other.id), life.id]),
    options.isInHand,
  );
  const swept = await processes.sweep(markersOf(open));

  const now = clock.wallMs();
  const ends = new Map(dead.map((other) => [other.id, options.lastWordOf?.(other) ?? killed(now)]));
  const { deaths, cutOffLives, isNew } = await endsUntilNow(options, dead, ends, open);
  const mark = await store.safeMode();
  const crashLoop = safeMode !== null && startsInSafeMode({ deaths, mark, rules: safeMode, now });
  const incident = isNew ? crashIncident(deaths, safeMode?.quietMs ?? QUIET_MS) : undefined;
  const plan = planOf(open, {
    life,
    now,
    resume: options.resume,
    cutOffLives,
    deaths: new Set(deaths.map((death) => death.life)),
    deadClis: new Set(dead.filter(({ kind }) => kind === 'cli').map(({ id }) => id)),
    sessions: isNew ? await crashedSessions(store) : new Map(),
    incident: incident === undefined ? null : { name: incident, told: await store.noticesOf(incident) },
    quiet: crashLoop,
    textCharsMax: options.textCharsMax,
  });

  const ended = dead.map(({ id }): Write => ({ op: 'life.end', id, ...(ends.get(id) ?? killed(now)) }));
  // All or nothing: what failed half way could not be found again, its rows would be this life's own.
  const unit = [...plan.writes, ...ended, ...safeModeMark(life, crashLoop, mark)];
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

/** What this life says of safe mode; where that is switched off, what an earlier life was in is over. */
function safeModeMark({ id }: Life, isOn: boolean, before: SafeModeMark | undefined): Write[] {
  if (isOn) return [{ op: 'life.safe-mode', id, mode: 'on' }];
  return before?.mode === 'on' ? [{ op: 'life.safe-mode', id, mode: 'left' }] : [];
}

/** Without safe mode: how long without a death ends an incident. */
const QUIET_MS = 120_000;

const killed = (at: number): LastWord => ({ code: null, cause: 'died', at });

/** A death is an end that nobody asked for: a kill, or a defect. */
const isDeath = ({ cause }: Pick<LastWord, 'cause'>): boolean => cause === 'died' || cause === 'fault';

/** What the life worked on was cut off with it, whether that was a death or somebody would not wait for its end. */
export const endedAmidWork = (end: Pick<LastWord, 'cause' | 'code'>): boolean =>
  isDeath(end) || end.cause === CUT_OFF_CAUSE || end.code === INTERRUPTED_CODE;

/**
 * The deaths of late, also of lives that died before their own recovery; which lives have cut off what they worked on; and
 * whether there is a death that no start has gone on from yet. A life that ended by a defect may have said so in the store,
 * but what it cut off is open like after a kill.
 */
async function endsUntilNow(
  { store, clock, life }: RecoveryOptions,
  dead: readonly Life[],
  ends: ReadonlyMap<number, LastWord>,
  { turns }: OpenWork,
): Promise<{ deaths: readonly Death[]; cutOffLives: ReadonlySet<number>; isNew: boolean }> {
  const now = clock.wallMs();
  const known = await store.deaths(now - DEATHS_WITHIN_MS);
  const failed = new Set(known.map((death) => death.life));
  const before = await store.lastExit(life.epoch ?? 0);
  const endOf = ({ id }: Life) => ends.get(id) ?? killed(now);
  const died = dead.filter((other) => other.kind === 'daemon' && isDeath(endOf(other)));
  const cutOff = dead.filter((other) => endedAmidWork(endOf(other)));
  return {
    deaths: [...known, ...died.map((other) => ({ life: other.id, at: endOf(other).at }))],
    cutOffLives: new Set([...failed, ...cutOff.map(({ id }) => id)]),
    isNew: died.length > 0 || before?.cause === 'fault' || turns.some((turn) => failed.has(turn.life)),
  };
}

async function crashedSessions(store: Store): Promise<Map<string, CrashedSession>> {
  const sessions = await store.crashedSessions();
  return new Map(sessions.map((session) => [session.conversation, session]));
}

/** What dead lives left of `open`: rows of a life that could not register yet look like theirs, and are in hand. */
export function withoutOurs(
  open: OpenWork,
  isInHand: (messageId: string) => boolean = () => false,
): OpenWork {
  return {
    messages: open.messages.filter(({ id }) => !isInHand(id)),
    turns: open.turns.filter(({ messageIds }) => !messageIds.some(isInHand)),
    commands: open.commands.filter(({ messageId }) => !isInHand(messageId)),
    outbound: open.outbound,
  };
}

/** The environment markers of everything that could still run. */
export function markersOf({ turns, commands }: OpenWork): Set<string> {
  return new Set([...turns.map((turn) => turn.id), ...commands.map((command) => command.id)]);
}
