/**
 * What a start finds of lives that are over. A clean stop only makes it shorter: there is one way to start.
 * Whatever such a life left running is ended first; what it had begun is settled as interrupted and its
 * sender told; what it had accepted and not begun is taken up. Nothing is run a second time by itself.
 */
import type { Clock } from '../clock.ts';
import { newId } from '../messages/ids.ts';
import * as replies from '../messages/replies.ts';
import type { Processes } from '../process/exec.ts';
import type { Life, MessageRow, OpenWork, OutboundRow, Store, StoredMessage, Write } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';

/** An exec command that was received and not started runs at the next start if it is younger than this. */
export const COMMAND_AGE_MS_MAX = 60_000;

export interface RecoveryOptions {
  readonly store: Store;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly log: Log;
  readonly life: Life;
  /** True when a process of this identity works in the home; never of our own earlier epochs. */
  readonly isLiving: (life: Life) => boolean;
}

/** What the gateway goes on with. */
export interface Recovered {
  /** To be held again, in order of arrival. */
  readonly held: readonly MessageRow[];
  /** Exec commands to be run now. */
  readonly commands: readonly MessageRow[];
  /** Replies that have not left, in order. */
  readonly outbound: readonly OutboundRow[];
}

export async function recover(options: RecoveryOptions): Promise<Recovered> {
  const { store, processes, clock, log, life } = options;
  const lives = await store.openLives();
  const living = lives.filter((other) => other.id !== life.id && options.isLiving(other));
  const dead = lives.filter((other) => other.id !== life.id && !living.includes(other));
  const open = await store.openWork([...living.map((other) => other.id), life.id]);
  const swept = await processes.sweep(markersOf(open));
  const plan = planOf(open, life, clock.wallMs());
  const ended = dead.map(
    ({ id }): Write => ({ op: 'life.end', id, at: clock.wallMs(), code: null, cause: 'died' }),
  );
  // All or nothing: what failed half way could not be found again, its rows would be this life's own.
  const unit = [...plan.writes, ...ended];
  if (unit.length > 0) await store.commit(unit);
  const outbound = [...open.outbound.filter((row) => row.state === 'pending'), ...plan.settled];
  const counts = {
    deadLives: dead.length,
    interrupted: plan.settled.length,
    held: plan.held.length,
    commands: plan.commands.length,
    outbound: outbound.length,
    processesEnded: swept,
  };
  if (Object.values(counts).some((count) => count > 0)) log.info(counts, 'recovered');
  return { held: plan.held, commands: plan.commands, outbound };
}

/** The environment markers of everything that could still run. */
function markersOf({ turns, commands }: OpenWork): Set<string> {
  return new Set([...turns.map((turn) => turn.id), ...commands.map((command) => command.id)]);
}

export interface Plan {
  readonly writes: Write[];
  readonly held: MessageRow[];
  readonly commands: MessageRow[];
  /** What the senders of those that were settled are told, one each. */
  readonly settled: OutboundRow[];
}

/** Decides for each open message. Pure but for the ids of the replies it makes. */
export function planOf(open: OpenWork, life: Life, now: number): Plan {
  const plan: Plan = { writes: [], held: [], commands: [], settled: [] };
  const turnOf = new Map(open.turns.flatMap((turn) => turn.messageIds.map((id) => [id, turn] as const)));
  const commandOf = new Map(open.commands.map((command) => [command.messageId, command]));
  for (const message of open.messages) {
    const turn = turnOf.get(message.id);
    const command = commandOf.get(message.id);
    if (command !== undefined && command.startedAt === null && message.phase !== 'started') {
      if (now - message.receivedAt < COMMAND_AGE_MS_MAX) plan.commands.push(rowOf(message));
      else settle(plan, message, life, now, 'expired', replies.expiredCommand(command.name), []);
    } else if (command !== undefined) {
      const text = replies.interruptedAtBoot('command', command.name);
      settle(plan, message, life, now, 'interrupted', text, [commandEnd(command.id, now)]);
    } else if (turn !== undefined && message.phase === 'started') {
      const text = replies.interruptedAtBoot('turn', null);
      settle(plan, message, life, now, 'interrupted', text, [turnEnd(turn.id, now)]);
    } else if (message.phase === 'held' || message.phase === 'waiting') {
      plan.held.push(rowOf(message));
      plan.writes.push({ op: 'adopt', id: message.id, phase: 'held', life: life.id });
    } else {
      settle(plan, message, life, now, 'interrupted', replies.interruptedAtBoot('command', null), []);
    }
  }
  return plan;
}

function settle(
  plan: Plan,
  message: StoredMessage,
  life: Life,
  at: number,
  outcome: 'interrupted' | 'expired',
  text: string,
  writes: readonly Write[],
): void {
  const outbound: OutboundRow = {
    id: newId('o', at),
    messageId: message.id,
    platform: message.platform,
    conversation: message.conversation,
    text,
    kind: 'reply',
    createdAt: at,
    life: life.id,
  };
  plan.settled.push(outbound);
  const reason = outcome === 'expired' ? 'too-old' : 'gateway-died';
  plan.writes.push(
    ...writes,
    { op: 'settle', id: message.id, outcome, reason, at },
    { op: 'reply', outbound },
  );
}

/** What it had streamed was in the memory of the life that died. */
const turnEnd = (id: string, at: number): Write => ({
  op: 'turn.end',
  id,
  at,
  outcome: 'interrupted',
  reason: 'gateway-died',
  streamed: '',
});

const commandEnd = (id: string, at: number): Write => ({
  op: 'command.end',
  end: { id, at, outcome: 'interrupted', exitCode: null, signal: null, durationMs: 0, output: '' },
});

/** The row alone, without what settling adds. */
function rowOf({
  outcome: _outcome,
  settledAt: _settledAt,
  recorded: _recorded,
  ...row
}: StoredMessage): MessageRow {
  return row;
}
