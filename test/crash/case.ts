/** A chapter's record, arranged so that the checks find what they ask for, and what they say of it. */
import type { Arrival } from '../support/stand-in/server.ts';
import { type Deviations, noDeviations, type Problem, type Rule } from './findings.ts';
import type { Noted } from './inside/trace.ts';
import type {
  ChapterRecord,
  CommandRecord,
  Effect,
  InboxRow,
  OutboxRow,
  TurnRecord,
  Written,
} from './record.ts';
import { CONVERSATIONS } from './round.ts';

/** A disk stays full into the next round; a command that waited for its turn may begin some lives later. */
const OUTAGE_ROUNDS = 1;
const AT_WORK_ROUNDS = 3;

/** A message with all that belongs to it. */
export interface Told {
  readonly written: Written;
  readonly row: InboxRow | undefined;
  readonly turns: readonly TurnRecord[];
  readonly commands: readonly CommandRecord[];
  readonly replies: readonly OutboxRow[];
  readonly begun: readonly Effect[];
  readonly ended: readonly Effect[];
}

export class Case {
  readonly record: ChapterRecord;
  readonly told: readonly Told[];
  readonly problems: Problem[] = [];
  readonly deviations: Deviations = noDeviations();
  /** By id of the outbox: in the order in which they came. */
  readonly arrivals: ReadonlyMap<string, readonly Arrival[]>;
  /** By id of the outbox: in the order in which it happened. */
  readonly sendings: ReadonlyMap<string, readonly Noted[]>;
  readonly #awaited: ReadonlySet<string>;
  readonly #quarantined: ReadonlySet<string>;
  readonly #notTaken: ReadonlySet<string>;
  readonly #startUnwritten: ReadonlySet<string>;

  constructor(record: ChapterRecord) {
    this.record = record;
    const { rows, effects, trace } = record;
    const inbox = new Map(rows.inbox.map((row) => [`${row.platform} ${row.name}`, row]));
    const turns = Map.groupBy(rows.turns, ({ messageId }) => messageId);
    const commands = Map.groupBy(rows.commands, ({ messageId }) => messageId);
    const replies = Map.groupBy(rows.outbox, ({ messageId }) => messageId ?? '');
    const done = Map.groupBy(effects, ({ id }) => id);
    this.told = record.written.map((written): Told => {
      const row = inbox.get(`${written.platform} ${written.id}`);
      const id = row?.id ?? '-';
      const own = done.get(written.id) ?? [];
      return {
        ...{ written, row, turns: turns.get(id) ?? [], commands: commands.get(id) ?? [] },
        replies: replies.get(id) ?? [],
        begun: own.filter(({ what }) => what === 'begun'),
        ended: own.filter(({ what }) => what === 'ended'),
      };
    });
    this.arrivals = Map.groupBy(record.arrivals, ({ id }) => id);
    const outgoing = trace.filter(({ what }) => /^(claim|unclaimed|send|mark)$/.test(what));
    this.sendings = Map.groupBy(outgoing, (noted) => ('id' in noted ? noted.id : ''));
    this.#awaited = new Set(trace.flatMap((noted) => (noted.what === 'awaits' ? [noted.id] : [])));
    this.#quarantined = new Set(
      trace.flatMap((noted) => (noted.what === 'quarantine' ? [noted.conversation] : [])),
    );
    this.#startUnwritten = new Set(
      trace.flatMap((noted) => (noted.what === 'start-unwritten' ? [noted.id] : [])),
    );
    this.#notTaken = new Set(trace.flatMap((noted) => (noted.what === 'not-taken' ? [noted.id] : [])));
  }

  broken(rule: Rule, about: string, what: string): void {
    this.problems.push({ rule, about, what });
  }

  /** It has waited for a person's word at some time: what came after it need not have waited for it. */
  hasAwaited(row: InboxRow): boolean {
    return this.#awaited.has(row.id);
  }

  wasQuarantined(conversation: string): boolean {
    return this.#quarantined.has(conversation);
  }

  /** The gateway had no room for it on its disk, at least once, and got it again later. */
  wasTurnedBack({ id }: Written): boolean {
    return this.#notTaken.has(id);
  }

  /** The store could not be written about the time when this message was at work. */
  hadOutage({ round: writtenIn, acknowledgedIn = writtenIn }: Written): boolean {
    return this.record.outages.some(
      ({ round }) => round >= writtenIn - OUTAGE_ROUNDS && round <= acknowledgedIn + AT_WORK_ROUNDS,
    );
  }

  /** It could not be put on disk that this run of a command began, or that there is one: the next life could not know. */
  beganUnwritten({ written, commands }: Told, { work }: Effect): boolean {
    return (
      this.#startUnwritten.has(work) || (this.hadOutage(written) && !commands.some(({ id }) => id === work))
    );
  }

  had(trouble: string): boolean {
    return (this.record.troubles[trouble] ?? 0) > 0;
  }

  /** Its agent changes nothing outside. */
  isPure({ conversation, platform }: Written): boolean {
    return platform === 'standin' && CONVERSATIONS.without.includes(conversation);
  }
}

const TURNS: readonly string[] = ['say', 'slow', 'long', 'stream'];
const COMMANDS: readonly string[] = ['note', 'slow-note', 'n'];

export const isTurn = ({ word }: Written): boolean => TURNS.includes(word);
export const isCommand = ({ word }: Written): boolean => COMMANDS.includes(word);

/** A text with the whole answer to this message in it. */
export const answers = (text: string, id: string): boolean => new RegExp(`answer to ${id}\\b`).test(text);

/** A turn of it was cut off, by the end of a life that could not wait for it. */
export const wasCutOff = ({ turns }: Told): boolean => turns.some(({ outcome }) => outcome === 'interrupted');
