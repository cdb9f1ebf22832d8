/**
 * Takes up what waits on disk: held messages when the gateway takes turns again, and what a dead life had
 * accepted and not begun. Each is judged anew, but a hold is a promise: what the chart would not dispatch now, or
 * what finds every place taken, stays held.
 */
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import * as replies from '../messages/replies.ts';
import * as resumeReplies from '../messages/resume-replies.ts';
import type { MessageRow } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import type { Write } from '../store/write.ts';
import type { Log } from '../telemetry/log.ts';
import type { Access } from './access.ts';
import type { Held } from './held.ts';
import type { Holding } from './holding.ts';
import type { InHand } from './in-hand.ts';
import type { Judge, Judged } from './judge.ts';
import type { Ledger } from './ledger.ts';
import type { Placed, Placing } from './placing.ts';
import { agedHold, type ResumeRules } from './resume-policy.ts';
import type { Resumes } from './resumes.ts';
import { tryCommit } from './unexpected.ts';

export interface TakeUpOptions {
  readonly store: Store;
  readonly log: Log;
  readonly access: Access;
  readonly judge: Judge;
  readonly placing: Placing;
  readonly ledger: Ledger;
  readonly held: Held;
  /** Something of this conversation is about to become held; what is held is taken up again once it has, or will not. */
  readonly isBecomingHeld: (conversation: string) => boolean;
  readonly holding: Holding;
  readonly resumes: Resumes;
  readonly clock: Clock;
  readonly rules: () => ResumeRules;
  readonly life: () => number;
  /** The work of this message has left: tells the chart. */
  readonly settled: (messageId: string) => void;
}

export class TakeUp implements Disposable {
  readonly #options: TakeUpOptions;
  /** Something stayed for want of a place. */
  #outOfRoom = false;
  /** Something stayed because its row, or that of one before it, was not on disk yet. */
  #awaitsRow = false;
  /** What was taken up and has not left. */
  readonly #working = new Set<string>();
  /** Runs while no more than one of those that were held may work at a time. */
  #slow: Disposable | undefined;

  constructor(options: TakeUpOptions) {
    this.#options = options;
  }

  /** Takes up held messages in order of arrival, until one has to stay. */
  all(): void {
    this.#take(this.#options.held.rows);
  }

  /** The same for one conversation, because a person says so: not slowly, and whatever their age. */
  allOf(conversation: string): void {
    const { held } = this.#options;
    for (const row of held.rows) {
      if (row.conversation !== conversation || !held.has(row.id)) continue;
      if (!this.#isThere(row) || !this.one(row)) return;
    }
  }

  /** Of one that took its place among the held it is known by now whether it is on disk. */
  heldDecided(): void {
    if (this.#awaitsRow) this.all();
  }

  /** For so long no more than one of those that were held works at a time: one of them may be what kills the gateway. */
  goSlowly(forMs: number): void {
    this[Symbol.dispose]();
    this.#slow = this.#options.clock.timer(forMs, () => {
      this.#slow = undefined;
      this.#again();
    });
  }

  [Symbol.dispose](): void {
    this.#slow?.[Symbol.dispose]();
    this.#slow = undefined;
  }

  /** Work has left, and may have made room for what stayed. */
  roomFreed(messageId: string): void {
    this.#working.delete(messageId);
    this.#again();
  }

  /** Takes up a command that a dead life had accepted and not begun: at once, also when it was sent by an alias. */
  command(row: MessageRow): void {
    if (!this.one(row, true)) this.#options.held.putBack([row]);
  }

  /** Takes up one message; false when it has to stay held, or the chart has ended and the next life finds it. */
  one(row: MessageRow, wasDispatched = false): boolean {
    const { held, placing, ledger } = this.#options;
    const judged = this.#judge(row, wasDispatched);
    if (judged === undefined || judged.admission === 'hold') return false;
    if (judged.admission === 'dispatch' && !placing.hasRoomFor(judged.classified)) return this.#stays(row);
    if (judged.admission === 'refuse' && (judged.rule === 'state' || judged.rule === 'store')) return false;
    held.remove(row.id);
    void ledger.open(row.id);
    const placed = placing.place(row, judged, true);
    if (placed.place.as !== 'refused') this.#working.add(row.id);
    this.#commit(row, placed).catch((error: unknown) => {
      const { log } = this.#options;
      log.error({ message: row.id, error: messageOf(error) }, 'a held message could not be begun');
    });
    return true;
  }

  #again(): void {
    if (this.#outOfRoom) this.all();
  }

  #take(rows: readonly MessageRow[]): void {
    const { clock, held, rules } = this.#options;
    this.#outOfRoom = false;
    this.#awaitsRow = false;
    const awaited = new Set<string>();
    for (const row of rows) {
      // One before it may have left at once, and taken others up in its place.
      if (!held.has(row.id) || awaited.has(row.conversation)) continue;
      if (!this.#isThere(row)) {
        awaited.add(row.conversation);
        continue;
      }
      const aged = agedHold(row.receivedAt, rules(), clock.wallMs());
      if (aged !== 'answer') this.#putAside(row, aged);
      else if (!this.#staysBack(row) && (!this.#mayGo() || !this.one(row))) return;
    }
  }

  /** What has no row yet may be a duplicate, and is not taken up under its id; it comes as soon as that is known. */
  #isThere({ id }: MessageRow): boolean {
    const isWritten = this.#options.held.isWritten(id);
    this.#awaitsRow ||= !isWritten;
    return isWritten;
  }

  /** Others go before it. */
  #staysBack(row: MessageRow): boolean {
    return this.#rests(row) || this.#options.isBecomingHeld(row.conversation);
  }

  /** A hold is a promise: of a conversation that rests it is kept until a person lets it go on, which may be held, too. */
  #rests({ conversation, text }: MessageRow): boolean {
    const { resumes, judge } = this.#options;
    if (!resumes.isQuarantined(conversation)) return false;
    const classified = judge.classify(text);
    return classified.kind === 'turn' && classified.builtin === undefined;
  }

  #mayGo(): boolean {
    if (this.#slow === undefined || this.#working.size === 0) return true;
    this.#outOfRoom = true;
    return false;
  }

  /** It has waited for too long to be answered unasked. */
  #putAside(row: MessageRow, how: 'ask' | 'expire'): void {
    const { clock, held, ledger, resumes, settled } = this.#options;
    const message: InHand = { row, classified: { kind: 'turn', text: row.text }, recorded: true };
    const ageMs = clock.wallMs() - row.receivedAt;
    held.remove(row.id);
    // It may be work still: the drain that was to hold it passes over what it does not find held when that is on disk.
    settled(row.id);
    const put =
      how === 'ask' && resumes.hasRoom(row.conversation)
        ? this.#ask(message, resumeReplies.grownOld(row.text, ageMs))
        : ledger.settle(message, {
            outcome: 'expired',
            reason: 'too-old',
            replies: [resumeReplies.expiredMessage(row.text, ageMs)],
          });
    put.catch((error: unknown) => {
      const { log } = this.#options;
      log.error({ message: row.id, error: messageOf(error) }, 'an old message could not be put aside');
    });
  }

  /** Where that cannot be written it stays held. */
  async #ask(message: InHand, text: string): Promise<void> {
    const { held, holding } = this.#options;
    const suspension = { phase: 'awaiting-resume', reason: 'too-old', replies: [text] } as const;
    if (!(await holding.putAside(message, suspension))) held.putBack([message.row]);
  }

  /** The chart has counted it by now, so it leaves again. */
  #stays(row: MessageRow): false {
    this.#options.held.putBack([row]);
    this.#options.settled(row.id);
    this.#outOfRoom = true;
    return false;
  }

  /** As `queue`: whoever was told "kept" is not refused because the gateway became busy since. */
  #judge(row: MessageRow, wasDispatched: boolean): Judged | undefined {
    const { access, judge } = this.#options;
    const role = access.roleOf(row.sender);
    if (role === undefined) {
      return {
        admission: 'refuse',
        rule: 'access',
        text: replies.senderUnknown(),
        refusal: null,
      };
    }
    return judge.judge(
      {
        id: row.id,
        platform: row.platform,
        text: row.text,
        agent: row.agent ?? 'default',
        whenBusy: 'queue',
        ...(wasDispatched ? { wasDispatched } : {}),
      },
      role,
    );
  }

  async #commit(row: MessageRow, placed: Placed): Promise<void> {
    const { store, log, placing, held, life } = this.#options;
    const adopted = placed.unit.map(
      (write): Write =>
        write.op === 'receive'
          ? { op: 'adopt', id: row.id, phase: write.message.phase, life: life() }
          : write,
    );
    // As by the ledger: what two commits of one batch say in a conversation leaves in their order.
    const written = await tryCommit({ store, log }, adopted, 'a held message was not taken up', {
      message: row.id,
    });
    if (written !== 'written') {
      placing.withdraw(placed);
      this.#working.delete(row.id);
      held.putBack([row]);
      return;
    }
    placing.begin(placed);
  }
}
