/**
 * A turn or a command of a running gateway that lasts until it is let go: its program waits at a FIFO, and its
 * sender at the control socket.
 */
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { ControlClient } from '../../src/control/client.ts';
import type { TestFolder } from '../support/gateway.ts';

export interface LastingOptions {
  /** The FIFO in the gateway's folder at which it waits. */
  readonly fifo: string;
  /** How far it has to come before it counts as begun: decided, or with its first words said. */
  readonly until: 'admission' | 'delta';
}

export class LastingWork {
  readonly #folder: TestFolder;
  readonly #fifo: string;
  readonly #settled: Promise<unknown>;
  #isOver = false;

  private constructor(folder: TestFolder, fifo: string, settled: Promise<unknown>) {
    this.#folder = folder;
    this.#fifo = fifo;
    this.#settled = settled.finally(() => {
      this.#isOver = true;
    });
  }

  /** Sends the message that begins it. */
  static async begin(
    folder: TestFolder,
    message: Readonly<Record<string, unknown>>,
    { fifo, until }: LastingOptions,
  ): Promise<LastingWork> {
    const client = new ControlClient(join(folder.home, 'control.sock'), systemClock);
    const begun = Promise.withResolvers<void>();
    const settled = client.stream('/v1/messages', message, {
      onEvent: ({ event }) => {
        if (event === until) begun.resolve();
      },
    });
    const work = new LastingWork(folder, fifo, settled);
    work.#settled.then(() => begun.reject(new Error(`${JSON.stringify(message)} never began`)), begun.reject);
    await begun.promise;
    return work;
  }

  /** It has ended, be it that nobody let it go. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Lets it go; resolves when it has settled. */
  async end(): Promise<void> {
    if (!this.#isOver) await this.#folder.release(this.#fifo);
    await this.#settled;
  }
}
