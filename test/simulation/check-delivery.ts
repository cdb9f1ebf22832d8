/**
 * Whether what is said arrives: at least once, in order, and marked where it may come twice and nowhere else.
 */
import type { Outbound } from '../../src/messages/outbound.ts';
import type { Check, Known } from './checker.ts';
import { type Happening, NAMED_WAIT_MS } from './happening.ts';
import type { OutboundRecord } from './records.ts';

/** As a person reads it. */
const MARK = /possibly sent twice/;

/** A message whose end nobody saw is given up after so many attempts; one that is a day old is, too. */
const UNCERTAIN_ATTEMPTS_MAX = 5;

/** What is known of one message that goes out. */
interface Sending {
  texts: string[];
  isUnderWay: boolean;
  /** Nobody may know whether it arrived. */
  isUncertain: boolean;
  uncertainAttempts: number;
  formatRefusals: number;
  arrivals: number;
  isOver: boolean;
  /** Wall milliseconds until which the chat wants to be left alone with it. */
  waitUntil: number;
}

export class DeliveryCheck implements Check {
  readonly #known: Known;
  readonly #sendings = new Map<string, Sending>();

  constructor(known: Known) {
    this.#known = known;
  }

  see(happening: Happening): void {
    switch (happening.what) {
      case 'attempt':
        this.#attempt(happening.outbound, happening.wallMs);
        return;
      case 'attempt over':
        this.#over(happening);
        return;
      case 'fault':
        // A wait is never longer than it was named, also by a clock that says otherwise.
        if (happening.fault === 'the wall clock is set back')
          for (const sending of this.#sendings.values()) sending.waitUntil = 0;
        return;
      case 'asked after':
        this.#answered(happening.id, happening.answer);
        return;
      case 'died':
      case 'left':
        this.#cutOff();
        return;
      default:
        return;
    }
  }

  /** The texts that arrived for a message, joined. */
  arrivedFor(messageId: string): string {
    return this.#known.records
      .repliesTo(messageId)
      .filter(({ row }) => row.platform === 'local' || (this.#sendings.get(row.id)?.arrivals ?? 0) > 0)
      .map(({ row }) => row.text)
      .join('\n');
  }

  /** True when what was said to this message is on its way no more, and need not have arrived. */
  wasGivenUp(messageId: string): boolean {
    return this.#known.records.repliesTo(messageId).some(({ row, state }) => {
      const sending = this.#sendings.get(row.id);
      return state === 'dead' && (sending === undefined || sending.isOver);
    });
  }

  finish(): void {
    const { records, report } = this.#known;
    for (const { row, state } of records.outbound.values()) {
      if (row.platform === 'local') continue;
      const sending = this.#sendings.get(row.id);
      if (state === 'delivered') continue;
      if (state === 'dead' && sending !== undefined && this.#mayBeGivenUp(sending)) continue;
      report('at least once', `${row.id} (${row.kind}, "${row.text.slice(0, 60)}") is ${state} at the end`);
    }
  }

  get marked(): number {
    return [...this.#sendings.values()].filter(({ texts }) => texts.some((text) => MARK.test(text))).length;
  }

  #attempt({ id, conversation, text }: Outbound, wallMs: number): void {
    const { records, report } = this.#known;
    const record = records.outbound.get(id);
    const sending = this.#of(id);
    const isMarked = MARK.test(text);
    if (sending.isUnderWay) report('one sending', `${id} is sent while it is being sent`);
    if (sending.isOver) report('sent again', `${id} is sent again after its end`);
    if (isMarked && !sending.isUncertain) report('marked', `${id} is marked, and no sending of it was cut`);
    if (!isMarked && this.#mustBeMarked(sending))
      report('not marked', `${id} may come twice, and does not say so`);
    if (wallMs < sending.waitUntil)
      report('named wait', `${id} is sent ${sending.waitUntil - wallMs} ms before the chat wants it`);
    if (record?.isNoted === false) this.#order(record, conversation);
    // A death now would hide it from the next life.
    if (record !== undefined && record.state !== 'sending')
      report('claimed', `${id} is sent, and its row says that it is ${record.state}`);
    sending.texts.push(text);
    sending.isUnderWay = true;
  }

  #mustBeMarked({ isUncertain }: Sending): boolean {
    return isUncertain && !this.#known.rules.sendsOnce;
  }

  /** What was committed before goes first. */
  #order(record: OutboundRecord, conversation: string): void {
    for (const other of this.#known.records.lines.get(conversation) ?? []) {
      if (other === record) return;
      if (other.isNoted) continue;
      if (other.state === 'delivered' || other.state === 'dead') continue;
      if (this.#sendings.get(other.row.id)?.isOver) continue;
      this.#known.report(
        'order out',
        `${record.row.id} is sent before ${other.row.id}, which is ${other.state}`,
      );
    }
  }

  #over({ id, arrived, told, wallMs }: Extract<Happening, { what: 'attempt over' }>): void {
    const sending = this.#of(id);
    if (told === 'wait') sending.waitUntil = wallMs + NAMED_WAIT_MS;
    sending.isUnderWay = false;
    if (arrived) sending.arrivals += 1;
    switch (told) {
      case 'well':
      case 'gone':
        sending.isOver = true;
        return;
      case 'format':
        sending.formatRefusals += 1;
        sending.isOver = sending.formatRefusals >= 2;
        return;
      case 'unknown':
      case null:
        sending.isUncertain = true;
        sending.uncertainAttempts += 1;
        return;
      default:
        return;
    }
  }

  #answered(id: string, answer: 'delivered' | 'absent' | 'unknown'): void {
    const sending = this.#of(id);
    if (answer === 'delivered') sending.isOver = true;
    if (answer === 'absent') sending.isUncertain = false;
  }

  /** A life ends: whatever its row does not say, the next one cannot know. */
  #cutOff(): void {
    for (const { row, state } of this.#known.records.outbound.values()) {
      if (row.platform === 'local' || state === 'delivered' || state === 'dead') continue;
      const sending = this.#of(row.id);
      sending.isOver = false;
      sending.formatRefusals = 0;
      if (state !== 'pending') sending.waitUntil = 0;
      if (state === 'sending' || state === 'unknown') sending.isUncertain = true;
      else if (sending.texts.length > 0 && sending.arrivals > 0) sending.isUncertain = true;
    }
  }

  #mayBeGivenUp({ isOver, uncertainAttempts, formatRefusals }: Sending): boolean {
    return isOver || formatRefusals >= 2 || uncertainAttempts >= UNCERTAIN_ATTEMPTS_MAX;
  }

  #of(id: string): Sending {
    const known = this.#sendings.get(id);
    if (known !== undefined) return known;
    const sending: Sending = {
      ...{ texts: [], isUnderWay: false, isUncertain: false, uncertainAttempts: 0 },
      ...{ formatRefusals: 0, arrivals: 0, isOver: false, waitUntil: 0 },
    };
    this.#sendings.set(id, sending);
    return sending;
  }
}
