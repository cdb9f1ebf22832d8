/**
 * Asks a person at the terminal, a line at a time. The terminal itself edits the line; whoever hears its Ctrl-C calls
 * `leave`.
 */
import { createInterface, type Interface } from 'node:readline/promises';
import type { Context } from './context.ts';

export class Asker implements Disposable {
  readonly #lines: Interface;
  readonly #typed: AsyncIterator<string>;
  readonly #note: (text: string) => void;

  private constructor(input: NodeJS.ReadStream, note: (text: string) => void) {
    this.#lines = createInterface({ input, terminal: false });
    this.#typed = this.#lines[Symbol.asyncIterator]();
    this.#note = note;
  }

  /** Undefined where nobody sits who could be asked. */
  static at({ input, output }: Pick<Context, 'input' | 'output'>): Asker | undefined {
    const stdin = input();
    return stdin.isTTY === true && output.isTerminal ? new Asker(stdin, output.note) : undefined;
  }

  /** What was typed, trimmed; undefined when the person left. */
  async ask(question: string): Promise<string | undefined> {
    this.#note(question);
    const { done, value } = await this.#typed.next();
    return done === true ? undefined : value.trim();
  }

  /** The person has left, whatever is asked and whatever will be. */
  leave(): void {
    this.#lines.close();
  }

  [Symbol.dispose](): void {
    this.#lines.close();
  }
}
