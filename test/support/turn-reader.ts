/** Reads one turn of an agent as the gateway does, and keeps what came and how it ended. */
import type { Agent, AgentEvent, TurnUsage } from '../../src/agents/agent.ts';

/** Unlike any other: a process is found by the id of its turn. */
let turns = 0;
export const newTurnId = (): string => `t_${process.pid}_${++turns}`;

export class TurnReader {
  readonly id = newTurnId();
  readonly texts: string[] = [];
  usage: TurnUsage | undefined;
  /** Resolves when the turn is over, with what it threw. */
  readonly over: Promise<unknown>;
  readonly #abort = new AbortController();
  readonly #waiting = new Set<() => void>();
  #isOver = false;

  constructor(agent: Agent, text: string, conversation = 'local:default') {
    const input = { turnId: this.id, conversation, text };
    this.over = this.#read(agent.runTurn(input, { signal: this.#abort.signal }));
  }

  get text(): string {
    return this.texts.join('');
  }

  /** Waits until so much has been said. */
  async said(text: string): Promise<void> {
    while (this.text !== text) {
      if (this.#isOver) throw new Error(`the turn ended, and had said ${JSON.stringify(this.text)}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Aborts it; resolves when it is over, with the milliseconds that took. */
  async abort(): Promise<number> {
    const begunMs = performance.now();
    this.#abort.abort(new Error('the test asked for it'));
    await this.over;
    return performance.now() - begunMs;
  }

  async #read(events: AsyncIterable<AgentEvent>): Promise<unknown> {
    try {
      for await (const event of events) {
        if (event.type === 'usage') this.usage = event.usage;
        else this.texts.push(event.text);
        this.#wake();
      }
      return undefined;
    } catch (error) {
      return error;
    } finally {
      this.#isOver = true;
      this.#wake();
    }
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
