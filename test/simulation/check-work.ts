/**
 * Whether turns and commands ran as they may: each turn once its start was on disk, one at a time in a conversation and in
 * the order in which messages were accepted; no command twice; no message settled as something that did not happen; and a
 * gateway that has nothing to do counts nothing as work, so that it can leave.
 */
import type { Write } from '../../src/store/write.ts';
import type { IntakeCheck } from './check-intake.ts';
import type { Check, Known } from './checker.ts';
import type { Happening } from './happening.ts';
import type { MessageRecord } from './records.ts';

type Settle = Extract<Write, { op: 'settle' }>;
type TurnBegins = Extract<Happening, { what: 'turn begins' }>;
type ProgramBegins = Extract<Happening, { what: 'program begins' }>;

/** An exec command that waited longer is not run by a later life; a message that was asked about expires after a week. */
const COMMAND_AGE_MS_MAX = 60_000;
const ASKED_AGE_MS_MAX = 7 * 24 * 3_600_000;
/** So many messages of a conversation may be held. */
const HELD_MAX = 20;

export class WorkCheck implements Check {
  readonly #known: Known;
  readonly #intake: IntakeCheck;
  /** The turn that runs in each conversation. */
  readonly #running = new Map<string, string>();
  readonly #keyOf = new Map<string, string>();
  /** Keys of messages with a turn that has begun, has ended well, has failed, was told to stop. */
  readonly #turns = { begun: new Set<string>(), well: new Set<string>(), failed: new Set<string>() };
  /** Keys of messages that somebody wanted to give up. */
  readonly #givenUp = new Set<string>();
  readonly #programs = { well: new Set<string>(), over: new Set<string>() };
  /** Commands that have begun; true: without a row, or without one that says so. */
  readonly #begun = new Map<string, boolean>();

  constructor(known: Known, intake: IntakeCheck) {
    this.#known = known;
    this.#intake = intake;
  }

  see(happening: Happening): void {
    switch (happening.what) {
      case 'died':
      case 'left':
        this.#running.clear();
        return;
      case 'given up':
        this.#givenUp.add(happening.key);
        return;
      case 'idle':
        // A stop would wait for it until its deadline, and a drain for ever.
        for (const id of happening.work)
          this.#known.report('work set', `${id} counts as work in ${happening.state}, and nothing runs`);
        return;
      case 'turn begins':
        this.#turnBegins(happening);
        return;
      case 'turn ends': {
        const key = this.#keyOf.get(happening.turn) ?? '';
        for (const [conversation, turn] of this.#running) {
          if (turn === happening.turn) this.#running.delete(conversation);
        }
        this.#turns[happening.how === 'well' ? 'well' : 'failed'].add(key);
        return;
      }
      case 'program begins':
        this.#programBegins(happening);
        return;
      case 'program ends':
        this.#programs[happening.how === 'well' ? 'well' : 'over'].add(happening.key);
        return;
      default:
        return;
    }
  }

  /** Before a unit is on record: each outcome in it needs what it stands for. */
  committing(unit: readonly Write[]): void {
    for (const write of unit) if (write.op === 'settle') this.#settled(write, unit);
  }

  #turnBegins({ key, turn, conversation, life }: TurnBegins): void {
    const { records, report } = this.#known;
    this.#keyOf.set(turn, key);
    this.#turns.begun.add(key);
    const running = this.#running.get(conversation);
    if (running !== undefined)
      report('one turn', `${key} begins in ${conversation} while ${this.#keyOf.get(running)} runs`);
    this.#running.set(conversation, turn);
    const record = records.byKey.get(key);
    if (record === undefined || records.turns.get(turn)?.life !== life) {
      report('start on disk', `the turn of ${key} begins, and its start is not on disk`);
      return;
    }
    if (record.outcome !== null) report('one outcome', `${key} is ${record.outcome}, and answered once more`);
    for (const other of records.openMessages) {
      if (!this.#comesBefore(other, record)) continue;
      report('order in', `${key} begins before ${other.row.platformMessageId}, which is ${other.phase}`);
    }
  }

  /** True when `other` is to be answered first. One that a person was asked about goes on when they say so. */
  #comesBefore(other: MessageRecord, record: MessageRecord): boolean {
    if (other.number >= record.number || other.row.conversation !== record.row.conversation) return false;
    const kind = this.#known.said.get(other.row.platformMessageId)?.kind;
    return kind === 'turn' && !other.wasAwaiting && !record.wasAwaiting && other.phase !== 'received';
  }

  #programBegins({ key, outage }: ProgramBegins): void {
    const { records, report, count, unrecorded } = this.#known;
    const record = records.byKey.get(key);
    const before = this.#begun.get(key);
    const isUnrecorded = record === undefined || !records.startedCommands.has(record.row.id);
    if (before === false) report('command once', `${key} runs a second time`);
    if (before === true) count('a command ran again that was not recorded');
    if (isUnrecorded && !outage && !unrecorded.has(key))
      report('start on disk', `${key} runs, and its start is not on disk`);
    if (record !== undefined && record.outcome !== null) report('one outcome', `${key} runs, and is settled`);
    this.#begun.set(key, isUnrecorded);
  }

  #settled({ id, outcome, reason, at }: Settle, unit: readonly Write[]): void {
    const { records, said, report } = this.#known;
    const received = unit.find((write) => write.op === 'receive' && write.message.id === id);
    const row = received?.op === 'receive' ? received.message : records.messages.get(id)?.row;
    if (row === undefined) return;
    const key = row.platformMessageId;
    const message = { key, id, kind: said.get(key)?.kind, ageMs: at - row.receivedAt };
    const because = this.#evidence({ ...message, conversation: row.conversation }, outcome, reason);
    if (!because)
      report('outcome', `${key} is settled as ${outcome} (${reason}), which is not what happened`);
  }

  /** Whether what happened is what the outcome says. */
  #evidence(
    message: { key: string; id: string; kind: string | undefined; ageMs: number; conversation: string },
    outcome: Settle['outcome'],
    reason: string | null,
  ): boolean {
    const { key, id, kind, ageMs } = message;
    const { records, rules } = this.#known;
    switch (outcome) {
      case 'answered':
        return kind === 'turn' && this.#turns.well.has(key);
      case 'failed':
        if (kind === 'resume') return reason === 'store';
        return reason !== 'internal' && (this.#turns.failed.has(key) || this.#programs.over.has(key));
      case 'ran':
        return kind === 'exec' && this.#programs.well.has(key);
      case 'done':
        return kind === 'control' || kind === 'resume';
      case 'merged':
        return kind === 'resume';
      case 'interrupted': {
        const isStarted =
          this.#turns.begun.has(key) || this.#begun.has(key) || records.startedCommands.has(id);
        const hasTurn = [...records.turns.values()].some(({ messages }) => messages.includes(id));
        return isStarted || hasTurn || kind === 'control' || kind === 'resume' || reason === 'not-run';
      }
      case 'expired': {
        const isUnknown = ageMs < 0;
        if (kind === 'exec') return isUnknown || ageMs >= COMMAND_AGE_MS_MAX;
        return isUnknown || ageMs >= (rules.onExpired === 'expire' ? rules.maxAgeMs : ASKED_AGE_MS_MAX);
      }
      case 'discarded':
        return this.#givenUp.has(key);
      case 'refused':
        return this.#mayBeRefused(message, reason);
      default:
        return false;
    }
  }

  #mayBeRefused({ id, conversation }: { id: string; conversation: string }, reason: string | null): boolean {
    if (reason === 'state') return this.#intake.refused(id) || this.#known.mayRest(conversation);
    if (reason === 'limit') {
      const held = this.#known.records.openMessages.filter(({ row }) => row.conversation === conversation);
      return held.length >= HELD_MAX;
    }
    return reason === 'access' || reason === 'arguments';
  }
}
