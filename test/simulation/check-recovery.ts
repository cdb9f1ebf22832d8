/**
 * Whether a message whose turn a life's end cut off goes on as the configuration says: by itself, when a person says so, or
 * not at all. The policy is written here once more, from its description.
 */
import type { Write } from '../../src/store/write.ts';
import type { Check, Known } from './checker.ts';
import type { Happening } from './happening.ts';
import type { MessageRecord } from './records.ts';

/** A conversation that was in flight in so many deaths running rests. */
const CRASHES_MAX = 3;

/** A wall clock that was set back by less is one like any other. */
const SKEW_MS_MAX = 5000;

/** Deaths running in which a conversation was in flight: at least, and at most. They differ when a calm was not written. */
interface Crashes {
  least: number;
  most: number;
}

type Disposition = 'by itself' | 'asked' | 'interrupted';

export class RecoveryCheck implements Check {
  readonly #known: Known;
  readonly #dead = new Set<number>();
  /** What the store calls each life. */
  readonly #lives = new Map<number, number>();
  /** Lives whose end is on disk, written by themselves. */
  readonly #saidEnd = new Set<number>();
  /** Conversations of turns that have begun. */
  readonly #turns = new Map<string, string>();
  readonly #crashes = new Map<string, Crashes>();
  /** Messages whose turn a unit that is just being committed has ended for a dead life. */
  #cutOff: { readonly record: MessageRecord; readonly effects: boolean; readonly at: number }[] = [];

  constructor(known: Known) {
    this.#known = known;
  }

  see(happening: Happening): void {
    if (happening.what === 'registered') this.#lives.set(happening.id, happening.life);
    if (happening.what === 'died') this.#dead.add(happening.life);
    // An end that could not be written is one that nobody knows of.
    if (happening.what === 'left' && !this.#saidEnd.has(happening.life)) this.#dead.add(happening.life);
    if (happening.what === 'turn begins') this.#turns.set(happening.turn, happening.conversation);
    if (happening.what === 'turn ends' && happening.how === 'well')
      this.#calm(this.#turns.get(happening.turn) ?? '');
    if (happening.what === 'handed' && happening.said.kind === 'resume') {
      const crashes = this.#crashes.get(happening.said.conversation);
      if (crashes !== undefined) crashes.least = 0;
    }
  }

  /** True when nothing of this conversation may be begun until a person says so. */
  mayRest(conversation: string): boolean {
    return (this.#crashes.get(conversation)?.most ?? 0) >= CRASHES_MAX;
  }

  /** Before a unit of this life is on record. */
  committing(life: number, unit: readonly Write[]): void {
    const { records, rules, report } = this.#known;
    this.#cutOff = [];
    const inFlight = new Set<string>();
    let died = false;
    for (const write of unit) {
      if (write.op === 'turn.start' && write.turn.effects !== (rules.effects === 'possible'))
        report('effects', `the turn ${write.turn.id} has effects: ${write.turn.effects}`);
      if (write.op === 'life.end' && this.#lives.get(write.id) === life) this.#saidEnd.add(life);
      if (write.op === 'life.end' && this.#dead.has(this.#lives.get(write.id) ?? 0)) died = true;
      if (write.op !== 'turn.end') continue;
      const turn = records.turns.get(write.id);
      if (turn === undefined || turn.outcome !== null) continue;
      const { conversation } = turn.row;
      if (turn.life === life) continue;
      if (this.#dead.has(turn.life)) inFlight.add(conversation);
      for (const id of turn.messages) {
        const record = records.messages.get(id);
        const effects = rules.effects === 'possible';
        if (record?.outcome === null) this.#cutOff.push({ record, effects, at: write.at });
      }
    }
    if (died) this.#count(inFlight);
  }

  /** The unit is on record. */
  committed(): void {
    for (const { record, effects, at } of this.#cutOff) this.#disposed(record, effects, at);
  }

  #disposed(record: MessageRecord, effects: boolean, at: number): void {
    const { report } = this.#known;
    const key = record.row.platformMessageId;
    const is = dispositionOf(record);
    const expected = this.#expected(record, effects, at);
    if (is === undefined || !expected.includes(is))
      report(
        'recovery',
        `the turn of ${key} was cut off: ${is ?? record.phase}, expected ${expected.join(' or ')}`,
      );
  }

  #expected({ row }: MessageRecord, effects: boolean, at: number): Disposition[] {
    const { resume, maxAgeMs } = this.#known.rules;
    const ageMs = at - row.receivedAt;
    const isOld = ageMs >= maxAgeMs || ageMs < -SKEW_MS_MAX;
    const { least, most } = this.#crashes.get(row.conversation) ?? { least: 0, most: 0 };
    if (resume === 'never') return ['interrupted'];
    if (resume === 'ask' || isOld || (resume === 'auto' && effects)) return ['asked'];
    if (least >= CRASHES_MAX) return ['asked'];
    return most >= CRASHES_MAX ? ['asked', 'by itself'] : ['by itself'];
  }

  #calm(conversation: string): void {
    const crashes = this.#crashes.get(conversation);
    if (crashes !== undefined) crashes.least = 0;
  }

  #count(inFlight: ReadonlySet<string>): void {
    for (const [conversation, crashes] of [...this.#crashes]) {
      if (inFlight.has(conversation)) continue;
      // Whoever rests goes on resting until a person says otherwise; whoever may rest, and does not, is calm now.
      if (crashes.most < CRASHES_MAX) this.#crashes.delete(conversation);
      else if (crashes.least < CRASHES_MAX) crashes.least = 0;
    }
    for (const conversation of inFlight) {
      const { least, most } = this.#crashes.get(conversation) ?? { least: 0, most: 0 };
      this.#crashes.set(conversation, { least: least + 1, most: most + 1 });
    }
  }
}

function dispositionOf({ outcome, phase }: MessageRecord): Disposition | undefined {
  if (outcome === 'interrupted') return 'interrupted';
  if (outcome !== null) return undefined;
  if (phase === 'awaiting-resume') return 'asked';
  return phase === 'held' ? 'by itself' : undefined;
}
