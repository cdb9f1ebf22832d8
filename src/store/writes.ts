/**
 * One write of the port as one or two statements, prepared once a connection: those of messages, turns, commands and
 * lives; what is promised outwards stands in `promise-writes.ts`, the journal in `journal-writes.ts`.
 *
 * What has ended stays as it ended: each statement that ends something holds on to the first end, so that a
 * write which comes twice, or late, changes nothing. A change to a row nobody knows changes nothing either.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Appliers } from './appliers.ts';
import { type JournalWrites, prepareJournal } from './journal-writes.ts';
import { preparePromises } from './promise-writes.ts';
import { type Prune, preparePrune } from './prune.ts';
import type { MessageRow } from './records.ts';
import type { LifeStart } from './store.ts';
import type { Write } from './write.ts';

const RECEIVE = `
  INSERT INTO inbox (id, platform, platform_message_id, conversation, sender, kind, text, agent, when_busy,
    received_at, life, epoch, admission, reason, phase)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (platform, platform_message_id) DO NOTHING`;

const PHASE = 'UPDATE inbox SET phase = ?, reason = coalesce(?, reason) WHERE id = ? AND outcome IS NULL';

const ADOPT = 'UPDATE inbox SET phase = ?, life = ? WHERE id = ? AND outcome IS NULL';

const SETTLE = `
  UPDATE inbox SET phase = 'settled', outcome = ?, reason = ?, settled_at = ?, recorded = ?
  WHERE id = ? AND outcome IS NULL`;

/** Before its settling: a statement of its own, so that the many which are not merged do not pay for it. */
const MERGE = 'UPDATE inbox SET merged_into = ? WHERE id = ? AND outcome IS NULL';

/** Looks the attempt up only where it is not known: of a message that begins in the unit it comes in it is the first. */
const TURN_START = `
  INSERT INTO turns (id, conversation, agent, life, started_at, effects, attempt)
  VALUES (?, ?, ?, ?, ?, ?, coalesce(?, (SELECT count(*) + 1 FROM turn_messages WHERE message_id = ?)))`;

const TURN_MESSAGE = 'INSERT INTO turn_messages (turn_id, position, message_id) VALUES (?, ?, ?)';

const TURN_PROGRESS = 'UPDATE turns SET streamed = ? WHERE id = ? AND ended_at IS NULL';

const TURN_END = `
  UPDATE turns SET ended_at = ?, outcome = ?, reason = ?, streamed = coalesce(?, streamed), usage = ?
  WHERE id = ? AND ended_at IS NULL`;

/** A command that had not ended and is received again is taken up by another life. */
const COMMAND_RECEIVE = `
  INSERT INTO commands (id, message_id, name, actor, args_hash, life, received_at) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET life = excluded.life WHERE ended_at IS NULL`;

const COMMAND_START =
  'UPDATE commands SET started_at = ? WHERE id = ? AND started_at IS NULL AND ended_at IS NULL';

const COMMAND_END = `
  UPDATE commands SET ended_at = ?, outcome = ?, exit_code = ?, signal = ?, duration_ms = ?, output = ?
  WHERE id = ? AND ended_at IS NULL`;

const LIFE_BEGIN = `
  INSERT INTO lives (kind, epoch, pid, start_time, boot_id, version, started_at)
  VALUES (?, CASE WHEN ? = 'daemon' THEN (SELECT max(coalesce(max(epoch), 0), ?) + 1 FROM lives) END, ?, ?, ?, ?, ?)
  RETURNING id, epoch`;

const LIFE_READY = 'UPDATE lives SET ready_at = ? WHERE id = ? AND ready_at IS NULL AND ended_at IS NULL';

const LIFE_SAFE_MODE = 'UPDATE lives SET safe_mode = ? WHERE id = ?';

const LIFE_END = 'UPDATE lives SET ended_at = ?, exit_code = ?, cause = ? WHERE id = ? AND ended_at IS NULL';

export interface Writes extends JournalWrites {
  /**
   * Applies one write. False only for a `receive` whose message is known; then nothing was changed. `received`: the message
   * that this very unit has received, and that has no turn yet.
   */
  apply(write: Write, received?: string): boolean;
  /** Adds a life; gives its number and, for a daemon, the next epoch. */
  beginLife(start: LifeStart): { readonly id: number; readonly epoch: number | null };
  readonly prune: Prune;
}

/** Prepares every statement that changes something. */
export function prepareWrites(db: DatabaseSync): Writes {
  const receive = prepareReceive(db);
  const appliers: Appliers<Exclude<Write['op'], 'receive'>> = {
    ...prepareInbox(db),
    ...prepareTurns(db),
    ...prepareCommands(db),
    ...prepareLives(db),
    ...preparePromises(db),
  };
  const begin = db.prepare(LIFE_BEGIN);

  return {
    apply(write, received) {
      if (write.op === 'receive') return receive(write.message);
      // TypeScript does not relate the key to the argument over a union.
      appliers[write.op](write as never, received);
      return true;
    },
    beginLife({ kind, epochAbove, pid, startTime, bootId, version, startedAt }) {
      const row = begin.get(kind, kind, epochAbove, pid, startTime, bootId, version, startedAt);
      return row as unknown as { id: number; epoch: number | null };
    },
    prune: preparePrune(db),
    ...prepareJournal(db),
  };
}

/** True when the message was not known. */
function prepareReceive(db: DatabaseSync): (message: MessageRow) => boolean {
  const receive = db.prepare(RECEIVE);
  return (m) => {
    const { changes } = receive.run(
      m.id,
      m.platform,
      m.platformMessageId,
      m.conversation,
      m.sender,
      m.kind,
      m.text,
      m.agent,
      m.whenBusy,
      m.receivedAt,
      m.life,
      m.epoch,
      m.admission,
      m.reason,
      m.phase,
    );
    return changes === 1;
  };
}

function prepareInbox(db: DatabaseSync): Appliers<'phase' | 'adopt' | 'settle'> {
  const phase = db.prepare(PHASE);
  const adopt = db.prepare(ADOPT);
  const settle = db.prepare(SETTLE);
  const merge = db.prepare(MERGE);
  return {
    phase: (w) => phase.run(w.phase, w.reason ?? null, w.id),
    adopt: (w) => adopt.run(w.phase, w.life, w.id),
    settle: (w) => {
      if (w.mergedInto !== undefined) merge.run(w.mergedInto, w.id);
      settle.run(w.outcome, w.reason, w.at, w.recorded === false ? 0 : 1, w.id);
    },
  };
}

function prepareTurns(db: DatabaseSync): Appliers<'turn.start' | 'turn.progress' | 'turn.end'> {
  const start = db.prepare(TURN_START);
  const message = db.prepare(TURN_MESSAGE);
  const progress = db.prepare(TURN_PROGRESS);
  const end = db.prepare(TURN_END);
  return {
    'turn.start': ({ turn, messages }, received) => {
      const { id, conversation, agent, life, startedAt, effects } = turn;
      const first = messages[0] ?? null;
      const attempt = first !== null && first === received ? 1 : null;
      start.run(id, conversation, agent, life, startedAt, effects ? 1 : 0, attempt, first);
      for (const [position, messageId] of messages.entries()) message.run(id, position, messageId);
    },
    'turn.progress': (w) => progress.run(w.streamed, w.id),
    'turn.end': (w) => end.run(w.at, w.outcome, w.reason, w.streamed ?? null, w.usage ?? null, w.id),
  };
}

function prepareCommands(db: DatabaseSync): Appliers<'command.receive' | 'command.start' | 'command.end'> {
  const receive = db.prepare(COMMAND_RECEIVE);
  const start = db.prepare(COMMAND_START);
  const end = db.prepare(COMMAND_END);
  return {
    'command.receive': ({ command: c }) =>
      receive.run(c.id, c.messageId, c.name, c.actor, c.argsHash, c.life, c.receivedAt),
    'command.start': (w) => start.run(w.at, w.id),
    // A duration comes from the monotonic clock, which counts fractions; the column takes whole milliseconds.
    'command.end': ({ end: e }) =>
      end.run(
        e.at,
        e.outcome,
        e.exitCode,
        e.signal,
        e.durationMs === null ? null : Math.round(e.durationMs),
        e.output,
        e.id,
      ),
  };
}

function prepareLives(db: DatabaseSync): Appliers<'life.ready' | 'life.safe-mode' | 'life.end'> {
  const ready = db.prepare(LIFE_READY);
  const safeMode = db.prepare(LIFE_SAFE_MODE);
  const end = db.prepare(LIFE_END);
  return {
    'life.ready': (w) => ready.run(w.at, w.id),
    'life.safe-mode': (w) => safeMode.run(w.mode, w.id),
    'life.end': (w) => end.run(w.at, w.code, w.cause, w.id),
  };
}
