/**
 * An agent whose words are shown to people without the gateway's secrets: what it streams, and why it failed. What it
 * is asked is left as it is. A secret is found, too, where the pieces of an answer cut it.
 */
import type { Secrets } from '../telemetry/secrets.ts';
import { type Agent, type AgentEvent, AgentFailure, type ProbeEvidence, type TurnInput } from './agent.ts';

export class RedactedAgent implements Agent {
  readonly name: string;
  readonly type: string;
  readonly #agent: Agent;
  readonly #secrets: Secrets;

  constructor(agent: Agent, secrets: Secrets) {
    this.name = agent.name;
    this.type = agent.type;
    this.#agent = agent;
    this.#secrets = secrets;
  }

  async *runTurn(input: TurnInput, options: { signal: AbortSignal }): AsyncGenerator<AgentEvent> {
    const pieces = this.#secrets.pieces();
    let failure: { readonly error: unknown } | undefined;
    try {
      for await (const event of this.#agent.runTurn(input, options)) {
        if (event.type !== 'text') {
          yield event;
          continue;
        }
        const text = pieces.next(event.text);
        if (text !== '') yield { type: 'text', text };
      }
    } catch (error) {
      failure = { error };
    }
    const text = pieces.rest();
    if (text !== '') yield { type: 'text', text };
    if (failure !== undefined) throw this.#clean(failure.error);
  }

  killNow(turnId: string): void {
    this.#agent.killNow(turnId);
  }

  async probe(options: { signal: AbortSignal }): Promise<ProbeEvidence> {
    try {
      return await this.#agent.probe(options);
    } catch (error) {
      throw this.#clean(error);
    }
  }

  #clean(error: unknown): unknown {
    if (!(error instanceof AgentFailure)) return error;
    const { message, next, backend, code, retryAtMs, cause } = error;
    const [shown, step] = [this.#secrets.redact(message), this.#secrets.redact(next)];
    if (shown === message && step === next) return error;
    return new AgentFailure(shown, step, {
      backend,
      ...(code === undefined ? {} : { code }),
      ...(retryAtMs === undefined ? {} : { retryAtMs }),
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
