/**
 * A store that keeps units in memory and fails when it is told to: for units of the gateway that must be brought
 * into an outage at an exact moment. What it takes stands in `units`, in order.
 */
import { SluiceError } from '../../src/errors.ts';
import type {
  Exchange,
  JournalRow,
  Life,
  OpenWork,
  Store,
  StoredMessage,
  StoredOutbound,
  Write,
} from '../../src/store/store.ts';

const NO_WORK: OpenWork = { messages: [], turns: [], commands: [], outbound: [] };

export class MemoryStore implements Store {
  readonly units: (readonly Write[])[] = [];
  readonly journalRows: JournalRow[] = [];
  writable = true;
  /** What a message asked for by its id has come to; another process writes there. */
  known: StoredMessage | undefined;
  /** Called before each commit: it may fail the store, and what it throws is the commit's failure. */
  beforeCommit: (unit: readonly Write[]) => void = () => {};

  /** From now on nothing can be written. */
  fail(): void {
    this.writable = false;
  }

  async commit(unit: readonly Write[]): Promise<'committed' | 'duplicate'> {
    this.beforeCommit(unit);
    if (!this.writable) throw new SluiceError('STORE_UNAVAILABLE', 'the disk of the test is full');
    const received = unit.find((write) => write.op === 'receive');
    if (received !== undefined && (await this.find('', received.message.platformMessageId)) !== undefined) {
      return 'duplicate';
    }
    this.units.push(unit);
    return 'committed';
  }

  journal(row: JournalRow): void {
    this.journalRows.push(row);
  }

  async probe(): Promise<boolean> {
    return this.writable;
  }

  async begin(): Promise<Life> {
    return { id: 1, kind: 'daemon', epoch: 1, pid: 1, startTime: '', bootId: '' };
  }

  async openLives(): Promise<readonly Life[]> {
    return [];
  }

  async lastExit(): Promise<undefined> {}

  async find(_platform: string, platformMessageId: string): Promise<StoredMessage | undefined> {
    for (const write of this.units.flat()) {
      if (write.op !== 'receive' || write.message.platformMessageId !== platformMessageId) continue;
      return { ...write.message, outcome: null, settledAt: null, recorded: true };
    }
    return undefined;
  }

  async message(): Promise<StoredMessage | undefined> {
    return this.known;
  }

  async replies(): Promise<readonly StoredOutbound[]> {
    return [];
  }

  async openWork(): Promise<OpenWork> {
    return NO_WORK;
  }

  async history(): Promise<readonly Exchange[]> {
    return [];
  }

  async close(): Promise<void> {}
}
