/**
 * Which agent a message is for. In this order: the one it names; the one chosen for its conversation with `/agent`;
 * the one that the configuration gives the conversation; `default`.
 *
 * A choice stands in the store and is read when a conversation speaks for the first time. To choose what a conversation
 * has anyway is to choose nothing: from then on it follows the configuration again.
 */
import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import type { Store } from '../store/store.ts';
import type { Write } from '../store/write.ts';
import type { Log } from '../telemetry/log.ts';
import { logUnlessOutage } from './unexpected.ts';

export const DEFAULT_AGENT = 'default';

/** Conversations whose choice is kept in memory; past it the one that was read first is read again when it speaks. */
export const CHOICES_KEPT_MAX = 10_000;

/** The agent of a conversation, and who says so. */
export interface Chosen {
  readonly agent: string;
  readonly by: 'choice' | 'configuration' | 'default';
}

export interface AgentChoiceOptions {
  readonly config: () => Config;
  readonly store: Pick<Store, 'chosenAgent'>;
  readonly clock: Clock;
  readonly log: Log;
}

export class AgentChoice {
  readonly #options: AgentChoiceOptions;
  /** Null: nothing is chosen. */
  readonly #choices = new Map<string, string | null>();
  readonly #reading = new Map<string, Promise<string | null>>();

  constructor(options: AgentChoiceOptions) {
    this.#options = options;
  }

  /** The agent a message is for; at once where it names one or its conversation has spoken before. */
  agentFor({ conversation, agent }: { conversation: string; agent?: string }): string | Promise<string> {
    if (agent !== undefined) return agent;
    const choice = this.#choices.get(conversation);
    if (choice !== undefined) return choice ?? this.#configured(conversation).agent;
    return this.#read(conversation).then((read) => read ?? this.#configured(conversation).agent);
  }

  async of(conversation: string): Promise<Chosen> {
    const known = this.#choices.get(conversation);
    const choice = known === undefined ? await this.#read(conversation) : known;
    return choice === null ? this.#configured(conversation) : { agent: choice, by: 'choice' };
  }

  /** Chooses for a conversation, from now on; gives what keeps it over a restart. */
  choose(conversation: string, agent: string): Write {
    const choice = this.#configured(conversation).agent === agent ? null : agent;
    this.#keep(conversation, choice);
    return { op: 'session.agent', conversation, agent: choice, at: this.#options.clock.wallMs() };
  }

  /** One read at a time for each conversation, so that what waits for it goes on in order. */
  #read(conversation: string): Promise<string | null> {
    const under = this.#reading.get(conversation);
    if (under !== undefined) return under;
    const reading = this.#options.store.chosenAgent(conversation).then(
      (agent) => {
        this.#reading.delete(conversation);
        if (!this.#choices.has(conversation)) this.#keep(conversation, agent);
        return agent;
      },
      (error: unknown) => {
        // A store that cannot be read cannot be written either: no turn comes of what is decided now.
        this.#reading.delete(conversation);
        logUnlessOutage(this.#options.log, error, 'the choice of an agent could not be read', {
          conversation,
        });
        return null;
      },
    );
    this.#reading.set(conversation, reading);
    return reading;
  }

  #keep(conversation: string, choice: string | null): void {
    this.#choices.delete(conversation);
    this.#choices.set(conversation, choice);
    if (this.#choices.size <= CHOICES_KEPT_MAX) return;
    const [first] = this.#choices.keys();
    if (first !== undefined) this.#choices.delete(first);
  }

  #configured(conversation: string): Chosen {
    const { conversations } = this.#options.config();
    const given = Object.hasOwn(conversations, conversation) ? conversations[conversation] : undefined;
    return given === undefined
      ? { agent: DEFAULT_AGENT, by: 'default' }
      : { agent: given.agent, by: 'configuration' };
  }
}
