/**
 * Says what is wrong with what happened in a world. It is written from what the gateway promises, knows nothing but the list
 * of what happened, and asks no part of the gateway.
 */
import { DeliveryCheck } from './check-delivery.ts';
import { IntakeCheck } from './check-intake.ts';
import { RecoveryCheck } from './check-recovery.ts';
import { TellingCheck } from './check-telling.ts';
import { WorkCheck } from './check-work.ts';
import type { Happening, Rules, Said } from './happening.ts';
import { Records } from './records.ts';

/** What all checks know. */
export interface Known {
  readonly rules: Rules;
  readonly records: Records;
  readonly said: ReadonlyMap<string, Said>;
  readonly report: (rule: string, what: string) => void;
  readonly count: (what: string) => void;
  readonly isOutage: () => boolean;
  /** What runs, or ran, without a row, because nothing could be written when it came. */
  readonly unrecorded: Set<string>;
  /** The conversation may have been in flight in so many deaths that its turns are refused. */
  readonly mayRest: (conversation: string) => boolean;
}

export interface Check {
  see(happening: Happening): void;
}

/** Something that must not be, with the promise that it breaks. */
export interface Violation {
  readonly rule: string;
  readonly what: string;
  /** How many things had happened. */
  readonly at: number;
}

export interface CheckerOptions {
  readonly rules: Rules;
  /** Nothing goes wrong in this world. */
  readonly isCalm: boolean;
  readonly isOutage: () => boolean;
  /** Without a death for so long an incident is over. */
  readonly quietMs: number;
}

export class Checker {
  readonly records = new Records();
  readonly violations: Violation[] = [];
  /** What is allowed, and worth a number. */
  readonly counts = new Map<string, number>();
  readonly #options: CheckerOptions;
  readonly #said = new Map<string, Said>();
  readonly #acknowledged = new Set<string>();
  /** What a turn that ended well had said, by the key of its message. */
  readonly #answers = new Map<string, string>();
  readonly #turns = new Map<string, { readonly key: string; text: string }>();
  readonly #intake: IntakeCheck;
  readonly #work: WorkCheck;
  readonly #delivery: DeliveryCheck;
  readonly #recovery: RecoveryCheck;
  readonly #telling: TellingCheck;
  #seen = 0;
  #hasResumed = false;

  constructor(options: CheckerOptions) {
    this.#options = options;
    const { rules, isOutage } = options;
    const known: Known = {
      ...{ rules, isOutage, records: this.records, said: this.#said, unrecorded: new Set() },
      report: (rule, what) => this.#report(rule, what),
      count: (what) => this.counts.set(what, (this.counts.get(what) ?? 0) + 1),
      mayRest: (conversation) => this.#recovery.mayRest(conversation),
    };
    this.#intake = new IntakeCheck(known);
    this.#work = new WorkCheck(known, this.#intake);
    this.#delivery = new DeliveryCheck(known);
    this.#recovery = new RecoveryCheck(known);
    this.#telling = new TellingCheck(known, options.quietMs);
  }

  see(happening: Happening): void {
    this.#seen += 1;
    switch (happening.what) {
      case 'begins':
        this.#hasResumed = false;
        this.records.isLate = this.#options.isOutage();
        break;
      case 'resumed':
        this.#hasResumed = true;
        this.records.isLate = false;
        break;
      case 'fault':
        if (happening.fault === 'the disk is full' && !this.#hasResumed) this.records.isLate = true;
        break;
      case 'handed':
        this.#said.set(happening.said.key, happening.said);
        break;
      case 'acknowledged':
        this.#acknowledged.add(happening.key);
        break;
      case 'committed':
        this.#committed(happening);
        break;
      case 'turn begins':
        this.#turns.set(happening.turn, { key: happening.key, text: '' });
        break;
      case 'turn says': {
        const turn = this.#turns.get(happening.turn);
        if (turn !== undefined) turn.text += happening.text;
        break;
      }
      case 'turn ends': {
        const turn = this.#turns.get(happening.turn);
        if (turn !== undefined && happening.how === 'well') this.#answers.set(turn.key, turn.text);
        break;
      }
      case 'defect':
        this.#report('defect', happening.message);
        break;
      default:
        break;
    }
    const checks = [this.#intake, this.#work, this.#delivery, this.#recovery, this.#telling];
    for (const check of checks) check.see(happening);
  }

  /** After the last life has finished all that it could. */
  finish(): void {
    for (const key of this.#acknowledged) this.#ended(key);
    for (const { row, outcome, phase } of this.records.messages.values()) {
      if (outcome === null) this.#report('none missing', `${row.platformMessageId} is ${phase} at the end`);
    }
    this.#delivery.finish();
    this.#telling.finish();
    if (this.#options.isCalm && this.#delivery.marked > 0)
      this.#report('calm', `${this.#delivery.marked} replies are marked, and nothing was cut`);
  }

  #committed(committed: Extract<Happening, { what: 'committed' }>): void {
    const { unit, taken, life } = committed;
    if (!taken) return;
    this.#work.committing(unit);
    this.#recovery.committing(life, unit);
    this.records.apply(life, unit);
    this.#recovery.committed();
    this.#telling.committed(committed);
    for (const id of this.records.settledTwice.splice(0))
      this.#report('one outcome', `${id} is settled twice`);
  }

  #ended(key: string): void {
    const record = this.records.byKey.get(key);
    const said = this.#said.get(key);
    if (record === undefined) {
      // It ran while nothing could be written, and its life died before it could: its reply said so.
      if (said?.kind === 'exec' || said?.kind === 'control') this.#count('not recorded');
      else this.#report('none missing', `${key} was acknowledged, and is not there`);
      return;
    }
    const { outcome, row } = record;
    if (outcome !== null) this.#count(outcome);
    if (this.#options.isCalm && said?.kind === 'turn' && outcome !== 'answered')
      this.#report('calm', `${key} is ${outcome}, and nothing went wrong`);
    if (outcome !== 'answered') return;
    const answer = this.#answers.get(key) ?? '';
    const arrived = bare(this.#delivery.arrivedFor(row.id));
    if (arrived.includes(bare(answer)) || this.#delivery.wasGivenUp(row.id)) return;
    this.#report('at least once', `${key} is answered, and its answer did not arrive`);
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  #report(rule: string, what: string): void {
    this.violations.push({ rule, what, at: this.#seen });
  }
}

/** Parts of a text may break at a space. */
const bare = (text: string): string => text.replace(/\s+/g, '');
