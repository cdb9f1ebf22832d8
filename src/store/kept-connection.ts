/**
 * The connection to the store's file, through outages. One (full disk, lock, I/O error) is a state, not an exception: from
 * the first failure on nothing is to be written, until `regain` has succeeded; reads go on while the file is open. On a full
 * disk the reserve is given up first, and made again when there is room.
 */
import type { Clock } from '../clock.ts';
import { SluiceError } from '../errors.ts';
import type { Connection } from './connection.ts';
import { connect, type DatabaseOptions } from './database.ts';
import { isBusy, keepsConnection, mayBeFullDisk, unavailable } from './errors.ts';
import { Reserve } from './reserve.ts';
import type { Store } from './store.ts';

export interface KeptConnectionOptions extends DatabaseOptions {
  /** The file that is given up when the disk is too full to open or to write the store. */
  readonly reservePath: string;
  readonly clock: Clock;
  /** Told once for each outage, when it begins; STORE_UNAVAILABLE, or what stands in the way of opening it again. */
  readonly onProblem: (error: SluiceError) => void;
}

export class KeptConnection implements Disposable {
  readonly #options: KeptConnectionOptions;
  readonly #reserve: Reserve;
  #connection: Connection | undefined;
  /** Why nothing can be written, from the first failure until it is regained. */
  #outage: SluiceError | undefined;
  #obstacle: Store['obstacle'] = 'disk';

  constructor(options: KeptConnectionOptions) {
    this.#options = options;
    this.#reserve = new Reserve(options.reservePath, options.clock);
  }

  /** Undefined while the file is not open. */
  get forReads(): Connection | undefined {
    return this.#connection;
  }

  /** Undefined in an outage, too. */
  get forWrites(): Connection | undefined {
    return this.#outage === undefined ? this.#connection : undefined;
  }

  /** What stood in the way at the last failure. */
  get obstacle(): Store['obstacle'] {
    return this.#obstacle;
  }

  /** Opens the file, or begins with an outage. Rejects with what no waiting cures. */
  async open(): Promise<void> {
    try {
      this.#connection = await this.#connectOrMakeRoom();
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== 'STORE_UNAVAILABLE') throw error;
      this.#fail(error, false);
      return;
    }
    await this.replenish();
  }

  /** Tries whether the file can be written, opening it again if it must; true ends the outage. Never rejects. */
  async regain(): Promise<boolean> {
    try {
      this.#connection ??= await this.#connectOrMakeRoom();
      this.#connection.touch();
    } catch (error) {
      const failure = error instanceof SluiceError ? error : unavailable(this.#options.path, error);
      this.#fail(failure, keepsConnection(error));
      return false;
    }
    this.#outage = undefined;
    return true;
  }

  /** Makes the reserve again, as soon as there is room. */
  async replenish(): Promise<void> {
    await this.#reserve.replenish();
  }

  /** True when room was made for another attempt of what failed so, on the same connection. */
  madeRoom(error: unknown): boolean {
    return mayBeFullDisk(error) && this.#reserve.giveUp() && keepsConnection(error);
  }

  /** A write has failed so: gives what to refuse with, the outage. */
  lost(error: unknown): SluiceError {
    return this.#fail(unavailable(this.#options.path, error), keepsConnection(error));
  }

  /** What to refuse with meanwhile. */
  refusal(): SluiceError {
    return unavailable(this.#options.path, this.#outage?.cause ?? this.#outage);
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#reserve[Symbol.dispose]();
    this.#disconnect();
  }

  async #connectOrMakeRoom(): Promise<Connection> {
    try {
      return await connect(this.#options);
    } catch (error) {
      const full = error instanceof SluiceError && mayBeFullDisk(error.cause);
      if (!full || !this.#reserve.giveUp()) throw error;
      return await connect(this.#options);
    }
  }

  /** Enters the outage, or stays in it; told outside once for each kind of failure. */
  #fail(error: SluiceError, keepConnection: boolean): SluiceError {
    const before = this.#outage?.code;
    this.#outage = error;
    this.#obstacle = isBusy(error.cause) ? 'lock' : 'disk';
    if (!keepConnection) this.#disconnect();
    if (before !== error.code) this.#options.onProblem(error);
    return error;
  }

  #disconnect(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.close();
  }
}
