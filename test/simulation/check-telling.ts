/**
 * Whether people are told of what a life's end cut off: each who is asked for a word, with the very commit that asks, and
 * with what the turn had said; and of one incident at most once that the gateway went down, and once that it rests.
 */
import type { OutboundRow } from '../../src/store/records.ts';
import type { Write } from '../../src/store/write.ts';
import type { Check, Known } from './checker.ts';
import type { Happening } from './happening.ts';

type Committed = Extract<Happening, { what: 'committed' }>;
type Notice = Extract<Write, { op: 'notice' }>['notice'];

/** As people read it. */
const WENT_DOWN = /The gateway went down (?:(?:again )?while this|several times)/;
const BACK_AT_REST = /The gateway is back\. It went down three times running/;

export class TellingCheck implements Check {
  readonly #known: Known;
  readonly #quietMs: number;
  readonly #dead = new Set<number>();
  /** What the store calls each life. */
  readonly #lives = new Map<number, number>();
  /** What each turn had said, as far as it is on disk. */
  readonly #streamed = new Map<string, string>();
  /** Who heard what of which incident. */
  readonly #heard = new Set<string>();
  /** By promise of a notice: the incident that it was made in, as it is counted here. */
  readonly #promised = new Map<string, number>();
  /** Promises that stand for a word which could not be said yet. */
  readonly #owed = new Map<string, string>();
  #incident = 0;
  /** When the last death was found, as its end says: wall milliseconds. */
  #lastDeath = Number.NEGATIVE_INFINITY;

  constructor(known: Known, quietMs: number) {
    this.#known = known;
    this.#quietMs = quietMs;
  }

  see(happening: Happening): void {
    if (happening.what === 'registered') this.#lives.set(happening.id, happening.life);
    if (happening.what === 'died' || happening.what === 'left') this.#dead.add(happening.life);
  }

  /** Once a unit is on record. */
  committed({ unit }: Committed): void {
    const said = unit.flatMap((write) => (write.op === 'reply' ? [write.outbound] : []));
    for (const write of unit) {
      if (write.op !== 'life.end' || write.code !== null) continue;
      if (this.#dead.has(this.#lives.get(write.id) ?? 0)) this.#died(write.at);
    }
    for (const write of unit) {
      if (write.op === 'notice' && isCrash(write.notice) && !this.#promised.has(keyOf(write.notice)))
        this.#promised.set(keyOf(write.notice), this.#incident);
    }
    for (const row of said) this.#hears(row, unit);
    for (const write of unit) {
      if (write.op === 'turn.progress') this.#streamed.set(write.id, write.streamed);
      if (write.op === 'turn.end' && write.outcome === 'interrupted') this.#cutOff(write, unit, said);
      if (write.op === 'notice.end') this.#owed.delete(keyOf(write.notice));
    }
  }

  /** After the last life has finished all that it could. */
  finish(): void {
    for (const key of this.#owed.values())
      this.#known.report('told', `${key} was promised a word, and got none`);
  }

  /**
   * The dead are known only now, and count as of now; deaths with less than the quiet time from one to the next are one
   * incident. By a clock that was set back by more nobody knows how long ago the one before was.
   */
  #died(at: number): void {
    if (Math.abs(at - this.#lastDeath) >= this.#quietMs) this.#incident += 1;
    this.#lastDeath = at;
  }

  /** What keeps no promise of a death is told of an end that somebody asked for. */
  #hears({ kind, conversation, text }: OutboundRow, unit: readonly Write[]): void {
    const what = WENT_DOWN.test(text) ? 'down' : BACK_AT_REST.test(text) ? 'back' : undefined;
    if (kind !== 'notice' || what === undefined) return;
    const kept = unit.flatMap((write) => (write.op === 'notice.end' ? [write.notice] : []));
    const here = kept.filter((notice) => notice.conversation === conversation && isCrash(notice));
    for (const incident of new Set(here.map((notice) => this.#promised.get(keyOf(notice))))) {
      const key = `${what} ${incident} ${conversation}`;
      if (this.#heard.has(key))
        this.#known.report('incident once', `${conversation} hears "${text.slice(-100)}" again`);
      this.#heard.add(key);
    }
  }

  #cutOff(
    { id, streamed = this.#streamed.get(id) ?? '' }: Extract<Write, { op: 'turn.end' }>,
    unit: readonly Write[],
    said: readonly OutboundRow[],
  ): void {
    const { records, report } = this.#known;
    for (const messageId of records.turns.get(id)?.messages ?? []) {
      const record = records.messages.get(messageId);
      if (record?.outcome !== null || record.phase !== 'awaiting-resume') continue;
      const { conversation, platformMessageId: key, text: asked } = record.row;
      const here = said.filter((row) => row.conversation === conversation);
      const text = here.map((row) => row.text).join('');
      const isAbout = here.some((row) => row.messageId === messageId) || text.includes(`"${asked}"`);
      const promised = promisedIn(unit, conversation);
      if (promised !== undefined) this.#owed.set(keyOf(promised), key);
      else if (!isAbout || !text.includes('/resume'))
        report('told', `${key} waits for a word, and nobody is told`);
      else if (!bare(text).includes(bare(streamed)))
        report('told', `${key} waits for a word, and what it had said is not told: "${streamed}"`);
    }
  }
}

/** In a quiet life: a promise of this death that is not kept in the same unit. */
function promisedIn(unit: readonly Write[], conversation: string): Notice | undefined {
  const ended = new Set(unit.flatMap((write) => (write.op === 'notice.end' ? [keyOf(write.notice)] : [])));
  const promised = unit.flatMap((write) => (write.op === 'notice' ? [write.notice] : []));
  return promised.find((notice) => notice.conversation === conversation && !ended.has(keyOf(notice)));
}

const isCrash = ({ incident }: Notice): boolean => incident.startsWith('crash:');

const keyOf = ({ incident, platform, conversation, kind }: Notice): string =>
  JSON.stringify([incident, platform, conversation, kind]);

/** Parts of a text may break at a space. */
const bare = (text: string): string => text.replace(/\s+/g, '');
