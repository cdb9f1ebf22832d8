/**
 * Which faults met what: each kind of fault with the state that the gateway was in, and with how far each open message and
 * each text on its way out had come.
 */
import type { Records } from './records.ts';

export class Coverage {
  readonly pairs = new Set<string>();
  faults = 0;

  /** `inHand`: messages that were handed in and are not acknowledged, by key. */
  note(fault: string, state: string, records: Records, inHand: readonly string[]): void {
    this.faults += 1;
    this.pairs.add(`${fault} × ${state}`);
    for (const key of inHand) {
      const isOnDisk = records.byKey.has(key);
      this.pairs.add(`${fault} × a message that is handed in${isOnDisk ? ' and on disk' : ''}`);
    }
    for (const { phase } of records.openMessages) this.pairs.add(`${fault} × a message that is ${phase}`);
    for (const line of records.lines.values()) {
      for (const { state: sending } of line.slice(-3)) {
        if (sending !== 'delivered') this.pairs.add(`${fault} × a reply that is ${sending}`);
      }
    }
  }

  add(others: Iterable<string>): void {
    for (const pair of others) this.pairs.add(pair);
  }
}
