/**
 * Takes up what waits on disk: held messages when the gateway takes turns again, and what a dead life had
 * accepted and not begun. Each is judged anew, but a hold is a promise: what the chart would not dispatch now, or
 * what finds every place taken, stays held.
 */
import { messageOf } from '../errors.ts';
import * as replies from '../messages/replies.ts';
import type { MessageRow, Store, Write } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { Access } from './access.ts';
import type { Held } from './held.ts';
import type { Judge, Judged } from './judge.ts';
import type { Ledger } from './ledger.ts';
import type { Placed, Placing } from './placing.ts';
import { logUnlessOutage } from './unexpected.ts';

export interface TakeUpOptions {
  readonly store: Store;
  readonly log: Log;
  readonly access: Access;
  readonly judge: Judge;
  readonly placing: Placing;
  readonly ledger: Ledger;
  readonly held: Held;
  readonly life: () => number;
  /** The work of this message has left: tells the chart. */
  readonly settled: (messageId: string) => void;
}

export class TakeUp {
  readonly #options: TakeUpOptions;
  /** Something stayed for want of a place. */
  #outOfRoom = false;

  constructor(options: TakeUpOptions) {
    this.#options = options;
  }

  /** Takes up held messages in order of arrival, until one has to stay. */
  all(): void {
    for (const row of this.#options.held.rows) if (!this.one(row)) return;
  }

  /** Work has left, and may have made room for what stayed. */
  roomFreed(): void {
    if (!this.#outOfRoom) return;
    this.#outOfRoom = false;
    this.all();
  }

  /** Takes up one message; false when it has to stay held, or the chart has ended and the next life finds it. */
  one(row: MessageRow): boolean {
    const { held, placing, ledger } = this.#options;
    const judged = this.#judge(row);
    if (judged === undefined || judged.admission === 'hold') return false;
    if (judged.admission === 'dispatch' && !placing.hasRoomFor(judged.classified)) return this.#stays(row);
    if (judged.admission === 'refuse' && (judged.rule === 'state' || judged.rule === 'store')) return false;
    held.remove(row.id);
    void ledger.open(row.id);
    const placed = placing.place(row, judged, null);
    this.#commit(row, placed).catch((error: unknown) => {
      const { log } = this.#options;
      log.error({ message: row.id, error: messageOf(error) }, 'a held message could not be begun');
    });
    return true;
  }

  /** The chart has counted it by now, so it leaves again. */
  #stays(row: MessageRow): false {
    this.#options.held.putBack([row]);
    this.#options.settled(row.id);
    this.#outOfRoom = true;
    return false;
  }

  /** As `queue`: whoever was told "kept" is not refused because the gateway became busy since. */
  #judge(row: MessageRow): Judged | undefined {
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
      },
      role,
    );
  }

  async #commit(row: MessageRow, placed: Placed): Promise<void> {
    const { store, placing, held, life } = this.#options;
    const adopted = placed.unit.map(
      (write): Write =>
        write.op === 'receive'
          ? { op: 'adopt', id: row.id, phase: write.message.phase, life: life() }
          : write,
    );
    try {
      await store.commit(adopted);
    } catch (error) {
      logUnlessOutage(this.#options.log, error, 'a held message was not taken up', { message: row.id });
      placing.withdraw(placed);
      held.putBack([row]);
      return;
    }
    placing.begin(placed);
  }
}
