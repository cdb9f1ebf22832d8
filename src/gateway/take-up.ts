/**
 * Takes up what waits on disk: held messages when the gateway takes turns again, and what a dead life had
 * accepted and not begun. Each is judged anew, but a hold is a promise: what the chart would not dispatch now
 * stays held.
 */
import type { MessageRow, Store, Write } from '../store/store.ts';
import type { Access } from './access.ts';
import type { Held } from './held.ts';
import type { Judge, Judged } from './judge.ts';
import type { Ledger } from './ledger.ts';
import type { Placed, Placing } from './placing.ts';

export interface TakeUpOptions {
  readonly store: Store;
  readonly access: Access;
  readonly judge: Judge;
  readonly placing: Placing;
  readonly ledger: Ledger;
  readonly held: Held;
  readonly life: () => number;
}

export class TakeUp {
  readonly #options: TakeUpOptions;

  constructor(options: TakeUpOptions) {
    this.#options = options;
  }

  /** Takes up held messages in order of arrival, until one has to stay. */
  all(): void {
    for (const row of this.#options.held.rows) if (!this.one(row)) return;
  }

  /** Takes up one message; false when it has to stay held. */
  one(row: MessageRow): boolean {
    const { held, placing, ledger } = this.#options;
    const judged = this.#judge(row);
    if (judged.admission === 'hold') return false;
    if (judged.admission === 'refuse' && (judged.rule === 'state' || judged.rule === 'store')) return false;
    held.remove(row.id);
    void ledger.open(row.id);
    const placed = placing.place(row, judged, null);
    void this.#commit(row, placed);
    return true;
  }

  /** As `queue`: whoever was told "kept" is not refused because the gateway became busy since. */
  #judge(row: MessageRow): Judged {
    const { access, judge } = this.#options;
    const role = access.roleOf(row.sender);
    if (role === undefined) {
      return {
        admission: 'refuse',
        rule: 'access',
        text: 'Not run: its sender is not known any more.',
        refusal: null,
      };
    }
    return judge.judge(
      { id: row.id, text: row.text, agent: row.agent ?? 'default', whenBusy: 'queue' },
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
    } catch {
      placing.withdraw(placed);
      held.putBack([row]);
      return;
    }
    placing.begin(placed);
  }
}
