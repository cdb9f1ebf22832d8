/**
 * Everything the store knows of one message, read together: its row, what worked on it, what it was answered, and what
 * the journal of the chart says around its decision. For a person who asks what became of it; nothing is decided here.
 *
 * The journal is kept by number, not by message: rows are looked for near the moments at which something happened to
 * the message. A wall clock that was set back in between hides them; the message's own rows do not depend on it.
 */

import type { LastExit } from './last-exit.ts';
import type { CommandRow, JournalRow, StoredMessage, StoredOutbound, TurnRow } from './records.ts';
import type { Life } from './store.ts';

/** How far around a moment the journal is looked through. */
const BEFORE_MS = 1000;
const AFTER_MS = 2000;

/** Journal rows that are looked through for one moment. */
export const TRAIL_JOURNAL_ROWS_MAX = 20_000;

/** Turns, commands and replies of one message that are told, the first of each. */
export const TRAIL_ROWS_MAX = 100;

export interface TrailTurn extends Omit<TurnRow, 'conversation' | 'effects'> {
  readonly attempt: number;
  readonly endedAt: number | null;
  readonly outcome: 'answered' | 'failed' | 'interrupted' | null;
  readonly reason: string | null;
  /** What it used, as its agent counted it; null where that does not count. */
  readonly usage: TrailUsage | null;
  /** What it said, as far as it was written down. */
  readonly streamed: string;
}

/** Tokens; `cachedTokens` are those of `inputTokens` that the server had kept, where it says so. */
export interface TrailUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens?: number;
}

export interface TrailCommand extends Omit<CommandRow, 'messageId'> {
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly outcome: string | null;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** How long its program ran, in milliseconds; null until it has ended, 0 for one that never began. */
  readonly durationMs: number | null;
  /** What it printed, bounded; null until it has ended. */
  readonly output: string | null;
}

export interface TrailReply extends StoredOutbound {
  readonly deliveredAt: number | null;
}

export interface TrailLife extends Omit<Life, 'startTime' | 'bootId'> {
  readonly version: string;
  readonly startedAt: number;
  readonly exit: LastExit | null;
}

export interface MessageTrail {
  readonly message: StoredMessage & {
    /** What an alias made of the text. */
    readonly rewrittenText: string | null;
    readonly mergedInto: string | null;
  };
  /** The life that received it; null where that cannot be told any more. */
  readonly life: TrailLife | null;
  readonly turns: readonly TrailTurn[];
  readonly commands: readonly TrailCommand[];
  readonly replies: readonly TrailReply[];
  /** The rows that name the message, in order. */
  readonly journal: readonly JournalRow[];
  /** The last row before it came: the state that it met, should no row name it. */
  readonly before: JournalRow | null;
  /** The request to leave or drain that was the last before its decision. */
  readonly request: JournalRow | null;
  /** When the circuit of its agent was opened last before its decision. */
  readonly opened: JournalRow | null;
}

/** The questions behind it, one statement each. */
export interface TrailQueries {
  platformAfter(name: string): string | null;
  find(platform: string, platformMessageId: string): StoredMessage | undefined;
  message(id: string): StoredMessage | undefined;
  more(id: string): Pick<MessageTrail['message'], 'rewrittenText' | 'mergedInto'> | undefined;
  life(id: number): TrailLife | undefined;
  /** The daemon of this epoch. */
  lifeOfEpoch(epoch: number): TrailLife | undefined;
  turns(messageId: string, rowsMax: number): TrailTurn[];
  commands(messageId: string, rowsMax: number): TrailCommand[];
  replies(messageId: string, rowsMax: number): TrailReply[];
  /** The epoch of the daemon that had started last at this time. */
  epochAt(at: number): number | undefined;
  journalFrom(epoch: number, number: number): JournalRow | undefined;
  journalLast(epoch: number): JournalRow | undefined;
  journalNaming(epoch: number, from: number, to: number, id: string): JournalRow[];
  requestBefore(epoch: number, from: number, to: number): JournalRow | undefined;
  /** The last row that raised this reason of the degraded set. */
  raisedBefore(epoch: number, from: number, to: number, reason: string): JournalRow | undefined;
}

/** The message of this id, ours or its platform's; of several platforms that use the id the first by name. */
export function readTrail(queries: TrailQueries, id: string): MessageTrail | undefined {
  const message = queries.message(id) ?? ofAnyPlatform(queries, id);
  if (message === undefined) return undefined;
  const turns = queries.turns(message.id, TRAIL_ROWS_MAX);
  const commands = queries.commands(message.id, TRAIL_ROWS_MAX);
  const moments = [
    message.receivedAt,
    ...turns.map(({ startedAt }) => startedAt),
    ...commands.map(({ startedAt }) => startedAt),
    message.settledAt,
  ];
  const journal = rowsAround(queries, message.id, moments);
  const before = lastBefore(queries, message);
  const decided = journal[0] ?? before;
  return {
    message: { rewrittenText: null, mergedInto: null, ...message, ...queries.more(message.id) },
    life: receiverOf(queries, message) ?? null,
    turns,
    commands,
    replies: queries.replies(message.id, TRAIL_ROWS_MAX),
    journal,
    before,
    request: (decided && requestBefore(queries, decided)) ?? null,
    opened: openedBefore(queries, message.agent, journal.at(-1) ?? before),
  };
}

/** A row's life is the one that has it in hand, so another's once that has taken it up; its epoch stays the receiver's. */
function receiverOf(queries: TrailQueries, { life, epoch }: StoredMessage): TrailLife | undefined {
  const hasIt = queries.life(life);
  if (hasIt === undefined || hasIt.epoch === epoch) return hasIt;
  return epoch === null ? undefined : queries.lifeOfEpoch(epoch);
}

function ofAnyPlatform(queries: TrailQueries, id: string): StoredMessage | undefined {
  for (let name = queries.platformAfter(''); name !== null; name = queries.platformAfter(name)) {
    const message = queries.find(name, id);
    if (message !== undefined) return message;
  }
  return undefined;
}

function rowsAround(queries: TrailQueries, id: string, moments: readonly (number | null)[]): JournalRow[] {
  const rows = new Map<string, JournalRow>();
  for (const at of moments) {
    const epoch = at === null ? undefined : queries.epochAt(at);
    if (at === null || epoch === undefined) continue;
    const from = numberAt(queries, epoch, at - BEFORE_MS);
    const to = Math.min(numberAt(queries, epoch, at + AFTER_MS), from + TRAIL_JOURNAL_ROWS_MAX);
    for (const row of queries.journalNaming(epoch, from, to, id)) rows.set(`${row.epoch} ${row.number}`, row);
  }
  return [...rows.values()].toSorted((a, b) => a.epoch - b.epoch || a.number - b.number);
}

function lastBefore(queries: TrailQueries, { receivedAt }: StoredMessage): JournalRow | null {
  const epoch = queries.epochAt(receivedAt);
  if (epoch === undefined) return null;
  const next = numberAt(queries, epoch, receivedAt + 1);
  return queries.journalFrom(epoch, next - 1) ?? null;
}

function requestBefore(queries: TrailQueries, { epoch, number }: JournalRow): JournalRow | undefined {
  return queries.requestBefore(epoch, Math.max(0, number - TRAIL_JOURNAL_ROWS_MAX), number);
}

function openedBefore(
  queries: TrailQueries,
  agent: string | null,
  decided: JournalRow | null,
): JournalRow | null {
  if (agent === null || decided === null) return null;
  const { epoch, number } = decided;
  const from = Math.max(0, number - TRAIL_JOURNAL_ROWS_MAX);
  return queries.raisedBefore(epoch, from, number, `agent:${agent}`) ?? null;
}

/** The number of the first row of this epoch at or after this time; rows are in the order of time. */
function numberAt(queries: TrailQueries, epoch: number, at: number): number {
  let low = 1;
  let high = (queries.journalLast(epoch)?.number ?? 0) + 1;
  while (low < high) {
    const row = queries.journalFrom(epoch, Math.floor((low + high) / 2));
    if (row === undefined || row.at >= at) high = Math.floor((low + high) / 2);
    else low = row.number + 1;
  }
  return low;
}
