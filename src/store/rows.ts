/**
 * From a row as SQLite gives it to a row of the port. The queries name their columns as the port does, and
 * the schema is STRICT with CHECKed enumerations, so only what SQLite has no type for is converted here.
 */
import type { SQLOutputValue } from 'node:sqlite';
import type { LastExit } from './last-exit.ts';
import type {
  CommandRow,
  CrashedSession,
  Death,
  JournalRow,
  OpenOutbound,
  OpenTurn,
  SafeModeMark,
  StoredMessage,
  StoredNotice,
  StoredOutbound,
} from './records.ts';
import type { Life } from './store.ts';
import type { MessageTrail, TrailCommand, TrailLife, TrailReply, TrailTurn } from './trail.ts';

type Row = Record<string, SQLOutputValue>;

export const MESSAGE_COLUMNS = `id, platform, platform_message_id AS platformMessageId, conversation, sender, kind,
  text, agent, when_busy AS whenBusy, received_at AS receivedAt, life, epoch, admission, reason, phase, outcome,
  settled_at AS settledAt, recorded`;

export const TURN_COLUMNS =
  'id, conversation, agent, life, started_at AS startedAt, effects, attempt, streamed';

export const COMMAND_COLUMNS = `id, message_id AS messageId, name, actor, args_hash AS argsHash, life,
  received_at AS receivedAt, started_at AS startedAt`;

export const OUTBOUND_COLUMNS = `id, message_id AS messageId, platform, conversation, text, kind,
  created_at AS createdAt, life, part, state, attempts, next_at AS nextAt,
  possible_duplicate AS possibleDuplicate, error`;

export const NOTICE_COLUMNS = 'incident, platform, conversation, kind, state, created_at AS createdAt';

export const CRASHED_COLUMNS = 'conversation, crashes, quarantined';

export const LIFE_COLUMNS = 'id, kind, epoch, pid, start_time AS startTime, boot_id AS bootId';

export const TRAIL_LIFE_COLUMNS = `id, kind, epoch, pid, version, started_at AS startedAt, ended_at AS endedAt,
  exit_code AS code, cause`;

export const JOURNAL_COLUMNS = 'epoch, number, at, event, state, context';

export function toMessage(row: Row): StoredMessage {
  return { ...row, recorded: row.recorded === 1 } as unknown as StoredMessage;
}

/** The messages of a turn are rows of their own. */
export function toTurn(row: Row): Omit<OpenTurn, 'messageIds'> {
  return { ...row, effects: row.effects === 1 } as unknown as Omit<OpenTurn, 'messageIds'>;
}

export function toCommand(row: Row): CommandRow & { startedAt: number | null } {
  return { ...row } as unknown as CommandRow & { startedAt: number | null };
}

/** The first part and the only one are told alike: without a number. */
export function toOutbound({ part, ...row }: Row): StoredOutbound {
  const possibleDuplicate = row.possibleDuplicate === 1;
  return { ...row, possibleDuplicate, ...(part === 0 ? {} : { part }) } as unknown as StoredOutbound;
}

/** As a start finds one. */
export function toOpenOutbound(row: Row): OpenOutbound {
  return toOutbound(row) as OpenOutbound;
}

export function toNotice(row: Row): StoredNotice {
  return { ...row } as unknown as StoredNotice;
}

export function toCrashedSession(row: Row): CrashedSession {
  return { ...row, quarantined: row.quarantined === 1 } as unknown as CrashedSession;
}

export function toDeath(row: Row): Death {
  return { ...row } as unknown as Death;
}

export function toSafeModeMark(row: Row): SafeModeMark {
  return { ...row } as unknown as SafeModeMark;
}

export function toLife(row: Row): Life {
  return { ...row } as unknown as Life;
}

export function toLastExit(row: Row): LastExit {
  return { ...row } as unknown as LastExit;
}

export function toJournalRow(row: Row): JournalRow {
  return { ...row } as unknown as JournalRow;
}

/** What a message's row has besides what everybody asks of it. */
export function toMessageMore(row: Row): Pick<MessageTrail['message'], 'rewrittenText' | 'mergedInto'> {
  return { ...row } as unknown as Pick<MessageTrail['message'], 'rewrittenText' | 'mergedInto'>;
}

/** A life that has not ended has no exit. */
export function toTrailLife({ code, cause, endedAt, ...row }: Row): TrailLife {
  const exit = endedAt === null ? null : { code, cause: cause ?? 'unknown', at: endedAt };
  return { ...row, exit } as unknown as TrailLife;
}

export function toTrailTurn({ usage, ...row }: Row): TrailTurn {
  return { ...row, usage: usage === null ? null : JSON.parse(String(usage)) } as unknown as TrailTurn;
}

export function toTrailCommand(row: Row): TrailCommand {
  return { ...row } as unknown as TrailCommand;
}

export function toTrailReply(row: Row): TrailReply {
  return toOutbound(row) as TrailReply;
}
