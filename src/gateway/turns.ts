/**
 * Gives agent turns their places: one at a time in a conversation, in order of arrival, and at most so many side by side.
 * A turn takes its place when its message is admitted, so nothing that comes later can overtake it; what has
 * no place yet waits here, and goes back to the held messages when a drain begins. How one runs is
 * `turn-run.ts`.
 */
import { newId } from '../messages/ids.ts';
import { type InHand, isNamed, type Settlement, type Suspension } from './in-hand.ts';
import { abortTurn, type Turn, type TurnAbort, type UsableAgent } from './turn.ts';
import { runTurn, type TurnRunOptions } from './turn-run.ts';

/** Turns that may wait for a free place, all conversations together. */
export const TURNS_WAITING_MAX = 1000;

/** A message that waits for its turn. It may start once its row is on disk, or it could run without one. */
interface Waiting {
  readonly message: InHand;
  /** As it was when the message came: should a reload remove it, what was accepted is still answered. */
  readonly accepted: UsableAgent | undefined;
  /** What is on disk says that it waits. */
  written: boolean;
  /** Its end is being written, because a person gives it up: meanwhile it neither begins nor becomes held. */
  setAside: boolean;
  /** It becomes held as soon as its row is on disk: what is not could turn out to be a duplicate, or not to be kept. */
  becomesHeld: boolean;
}

/** Of a waiting message: it may begin, become held, or be given up. */
const mayLeave = ({ written, setAside }: Waiting): boolean => written && !setAside;

export interface TurnsOptions extends TurnRunOptions {
  readonly life: () => number;
  readonly agent: (name: string) => UsableAgent | undefined;
  readonly maxTurns: () => number;
  /** Starts a turn whose place came free: writes its start, then runs it. */
  readonly start: (turn: Turn) => void;
  /** Holds turns that were to become held and have their rows only now. */
  readonly holdLate: (messages: readonly InHand[]) => void;
}

export class Turns {
  readonly #options: TurnsOptions;
  /** By conversation: each has one at most. */
  readonly #running = new Map<string, Turn>();
  readonly #waiting: Waiting[] = [];

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  get running(): readonly Turn[] {
    return [...this.#running.values()];
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Those that nobody gives up just now: a drain would keep them. */
  get keptCount(): number {
    return this.#waiting.filter(({ setAside }) => !setAside).length;
  }

  /** True when a message may not find a place, not even one to wait in. */
  get full(): boolean {
    return this.#waiting.length >= TURNS_WAITING_MAX;
  }

  /** Gives the message a place: a turn to start once its row is written, or one to wait in. */
  reserve(message: InHand): Turn | 'waiting' | 'full' {
    const turn = this.#waitsFor(message.row.conversation) ? undefined : this.#place(message);
    if (turn !== undefined) return turn;
    if (this.full) return 'full';
    const accepted = this.#options.agent(message.row.agent ?? '');
    this.#waiting.push({ message, accepted, written: false, setAside: false, becomesHeld: false });
    return 'waiting';
  }

  /** The row of a waiting message is on disk: it starts as soon as its turn comes. */
  written(message: InHand): void {
    this.#change(message, { written: true });
  }

  /** True for a message that waits for its turn, may start, and nobody gives up just now. */
  isWaiting(messageId: string): boolean {
    return this.#unstarted(messageId) !== undefined;
  }

  /**
   * Keeps a message that waits from starting, and with it what comes after it in its conversation, while its end is
   * written: `release` follows that, and `putBack` where it failed.
   */
  setAside(messageId: string): InHand | undefined {
    const waiting = this.#unstarted(messageId);
    if (waiting !== undefined) waiting.setAside = true;
    return waiting?.message;
  }

  /** It waits again. */
  putBack(message: InHand): void {
    this.#change(message, { setAside: false });
  }

  /** Gives up a place that came to nothing: its row could not be written, was a duplicate, or has its end. */
  release(message: InHand): void {
    const index = this.#waiting.findIndex((one) => one.message === message);
    const [released] = index >= 0 ? this.#waiting.splice(index, 1) : [];
    // What is held, and was not taken up on its account, may be now.
    if (released?.becomesHeld === true) this.#options.holdLate([]);
    const placed = this.#running.get(message.row.conversation)?.message === message;
    if (placed) this.#running.delete(message.row.conversation);
    if (index >= 0 || placed) this.#startWaiting();
  }

  /**
   * Takes out every turn that has not started, in order: a drain begins, and they become held. One whose row is not on
   * disk yet follows by itself as soon as it is, one that could not be given up as soon as that is known.
   */
  takeUnstarted(): InHand[] {
    return this.#takeUnstarted(this.#waiting);
  }

  /** The same of one conversation: what waits behind a turn that could not start must not go before it. */
  takeUnstartedOf(conversation: string): InHand[] {
    return this.#takeUnstarted(
      this.#waiting.filter(({ message }) => message.row.conversation === conversation),
    );
  }

  /**
   * True when something of this conversation is about to become held, with all that waits in it by then: what is held there
   * already is not taken up before, for it would only be held once more, and might pass the other by in turns for ever.
   */
  isBecomingHeld(conversation: string): boolean {
    return this.#waiting.some((one) => one.becomesHeld && one.message.row.conversation === conversation);
  }

  /** Starts what has a place now: the limits may be others. */
  takeWaiting(): void {
    this.#startWaiting();
  }

  /** Runs a reserved turn to its end, which need not be that of its message. Never rejects. */
  run(turn: Turn): Promise<Settlement | Suspension> {
    return runTurn(turn, this.#options);
  }

  /** Frees the place of a turn that has settled, and starts what waited for it. */
  ended(turn: Turn): void {
    const { conversation } = turn.row;
    if (this.#running.get(conversation) !== turn) return;
    this.#running.delete(conversation);
    this.#startWaiting();
  }

  /** Aborts the running turn of a conversation, or one by its id or its message's; undefined when there is none. */
  abort(
    which: { id: string; platform: string } | { conversation: string },
    abort: TurnAbort,
  ): Turn | undefined {
    const turn = this.running.find(({ row, message }) =>
      'id' in which
        ? row.id === which.id || isNamed(message, which.id, which.platform)
        : row.conversation === which.conversation,
    );
    if (turn !== undefined) abortTurn(turn, abort);
    return turn;
  }

  abortAll(abort: TurnAbort): void {
    for (const turn of this.#running.values()) abortTurn(turn, abort);
  }

  /** Ends what running turns started, without grace. */
  killAll(abort: TurnAbort): void {
    this.abortAll(abort);
    for (const turn of this.#running.values()) turn.agent.killNow(turn.row.id);
  }

  #unstarted(messageId: string): Waiting | undefined {
    return this.#waiting.find((waiting) => mayLeave(waiting) && waiting.message.row.id === messageId);
  }

  /** May leave its place from now on, for its turn or for the held ones. */
  #change(message: InHand, to: Partial<Pick<Waiting, 'written' | 'setAside'>>): void {
    const waiting = this.#waiting.find((one) => one.message === message);
    if (waiting === undefined) return;
    Object.assign(waiting, to);
    // With what came after it meanwhile, which must not go before it.
    if (waiting.becomesHeld) this.#options.holdLate(this.takeUnstartedOf(message.row.conversation));
    this.#startWaiting();
  }

  #takeUnstarted(unstarted: readonly Waiting[]): InHand[] {
    for (const waiting of unstarted) waiting.becomesHeld = true;
    return unstarted.filter(mayLeave).map((waiting) => this.#takeOut(waiting));
  }

  #takeOut(waiting: Waiting): InHand {
    this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
    return waiting.message;
  }

  /** True when the conversation has a turn in hand, so the next one comes after it. */
  #waitsFor(conversation: string): boolean {
    return (
      this.#running.has(conversation) ||
      this.#waiting.some(({ message }) => message.row.conversation === conversation)
    );
  }

  #place(message: InHand, accepted?: UsableAgent): Turn | undefined {
    const { row } = message;
    const found = this.#options.agent(row.agent ?? '') ?? accepted;
    if (found === undefined || this.#running.size >= this.#options.maxTurns()) return undefined;
    // Where fewer run than one agent may have, its own need no counting.
    if (this.#running.size >= found.maxTurns && this.#runningOf(row.agent) >= found.maxTurns)
      return undefined;
    const at = this.#options.clock.wallMs();
    const turn: Turn = {
      row: {
        id: newId('t', at),
        conversation: row.conversation,
        agent: row.agent ?? '',
        life: this.#options.life(),
        startedAt: at,
        effects: found.effects,
      },
      message,
      abort: new AbortController(),
      agent: found.agent,
      timeoutMs: found.timeoutMs,
      answer: '',
      cut: false,
      usage: null,
      saidAt: null,
    };
    this.#running.set(row.conversation, turn);
    return turn;
  }

  #runningOf(agent: string | null): number {
    let count = 0;
    for (const turn of this.#running.values()) if (turn.row.agent === agent) count += 1;
    return count;
  }

  /** Starts what has a place now: in order, skipping conversations that are busy. */
  #startWaiting(): void {
    if (this.#waiting.length === 0) return;
    const passedOver = new Set<string>();
    for (const waiting of [...this.#waiting]) {
      if (this.#running.size >= this.#options.maxTurns()) return;
      const { message, accepted } = waiting;
      const { conversation } = message.row;
      if (this.#running.has(conversation) || passedOver.has(conversation)) continue;
      passedOver.add(conversation);
      const turn = mayLeave(waiting) ? this.#place(message, accepted) : undefined;
      if (turn === undefined) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      this.#options.start(turn);
    }
  }
}
