/**
 * What is known of a chapter once it is over, from everybody who was there: those who wrote, the chat server, the file in
 * which agents and commands noted what they did, the trace of the gateways, and the database they left.
 */
import type { Arrival, TooEarly } from '../support/stand-in/server.ts';
import type { Noted } from './inside/trace.ts';
import type { Line, Word } from './round.ts';

/** A message as whoever wrote it knows it. */
export interface Written extends Omit<Line, 'word'> {
  readonly word: Word | 'resume';
  readonly round: number;
  /** The platform it came through, and its conversation's key. */
  readonly platform: 'standin' | 'local';
  readonly key: string;
  /** The gateway has said that it has it, and in which round. */
  acknowledged: boolean;
  acknowledgedIn?: number;
  /** What it was told at once, where it waits at a connection. */
  admission?: { readonly admission: string; readonly recorded: boolean };
  /** Asked again under the same id at the end: the outcome it was told. */
  toldOutcome?: string;
}

/** A command that a CLI ran beside the gateways. */
export interface Beside {
  readonly id: string;
  readonly exitCode: number | null;
  /** It ran in the CLI's own process, and was recorded. */
  readonly byItself: boolean;
  readonly recorded: boolean;
  /** On its standard error. */
  readonly said: string;
}

/** How a life ended. */
export interface Ended {
  readonly round: number;
  readonly how: 'killed' | 'killed at a point' | 'left';
  readonly point?: string;
  readonly code: number | null;
  /** It may have been asked to leave before; then its end may be none that nobody wanted. */
  readonly wasAsked: boolean;
  /** Milliseconds of `performance.now`. */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

/** What an agent or a command noted. */
export interface Effect {
  readonly what: 'begun' | 'ended';
  readonly word: string;
  readonly id: string;
  readonly work: string;
}

export interface InboxRow {
  readonly seq: number;
  readonly id: string;
  readonly platform: string;
  readonly name: string;
  readonly conversation: string;
  readonly kind: string;
  readonly admission: string;
  readonly phase: string;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly recorded: number;
  readonly mergedInto: string | null;
}

export interface OutboxRow {
  readonly seq: number;
  readonly id: string;
  readonly messageId: string | null;
  readonly conversation: string;
  readonly part: number;
  readonly kind: string;
  readonly text: string;
  readonly state: string;
  readonly possibleDuplicate: number;
}

export interface TurnRecord {
  readonly seq: number;
  readonly id: string;
  readonly messageId: string;
  readonly conversation: string;
  readonly attempt: number;
  readonly outcome: string | null;
  readonly reason: string | null;
  /** What of its answer is on disk. */
  readonly streamed: string;
}

export interface CommandRecord {
  readonly id: string;
  readonly messageId: string;
  readonly lifeKind: string | null;
  readonly startedAt: number | null;
  readonly outcome: string | null;
}

export interface Rows {
  readonly inbox: readonly InboxRow[];
  readonly outbox: readonly OutboxRow[];
  readonly turns: readonly TurnRecord[];
  readonly commands: readonly CommandRecord[];
  readonly integrity: string;
}

export interface ChapterRecord {
  readonly seed: string;
  readonly number: number;
  readonly resume: string;
  readonly written: readonly Written[];
  readonly beside: readonly Beside[];
  readonly ended: readonly Ended[];
  readonly effects: readonly Effect[];
  readonly trace: readonly Noted[];
  readonly arrivals: readonly Arrival[];
  /** What the chat server got although it had asked to be left alone. */
  readonly tooEarly: readonly TooEarly[];
  readonly rows: Rows;
  /** When the store could not be written, or the disk was full: in which round. */
  readonly outages: readonly { readonly round: number }[];
  /** What was done to them, by name. */
  readonly troubles: Readonly<Record<string, number>>;
  /** What went another way than a gateway may go, as it was seen while it happened. */
  readonly odd: readonly string[];
}

type Query = (sql: string) => unknown[];

/** Reads what the checker needs. `query`: of the database that nobody writes any more. */
export function readRows(query: Query): Rows {
  const rows = <T>(sql: string): T[] => query(sql) as T[];
  const check = rows<{ integrity_check: string }>('PRAGMA integrity_check');
  return {
    inbox:
      rows(`SELECT seq, id, platform, platform_message_id AS name, conversation, kind, admission, phase, outcome,
      reason, recorded, merged_into AS mergedInto FROM inbox ORDER BY seq`),
    outbox: rows(`SELECT seq, id, message_id AS messageId, conversation, part, kind, text, state,
      possible_duplicate AS possibleDuplicate FROM outbox ORDER BY seq`),
    turns:
      rows(`SELECT turns.seq AS seq, turns.id AS id, message_id AS messageId, conversation, attempt, outcome, reason,
      streamed FROM turns JOIN turn_messages ON turn_id = turns.id ORDER BY turns.seq, position`),
    commands: rows(`SELECT commands.id AS id, message_id AS messageId, lives.kind AS lifeKind,
      commands.started_at AS startedAt, outcome FROM commands LEFT JOIN lives ON lives.id = life ORDER BY seq`),
    integrity: check.map((row) => row.integrity_check).join(', '),
  };
}

export function readEffects(text: string): Effect[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [what = '', word = '', id = '', work = ''] = line.split(' ');
      return { what: what as Effect['what'], word, id, work };
    });
}

/** Those that a gateway noted: also a command line that closes the store may hold it for a moment too long. */
export function outagesIn(trace: readonly Noted[]): ChapterRecord['outages'] {
  const rounds = new Set<number>();
  let now = 0;
  for (const noted of trace) {
    if (noted.what === 'round') now = noted.round;
    if (noted.what === 'unwritable') rounds.add(now);
  }
  return [...rounds].map((round) => ({ round }));
}
