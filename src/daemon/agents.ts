/**
 * The agents of a configuration, each made at its first turn. A running turn keeps the agent it began with, whatever is
 * reloaded meanwhile: only the turn holds that one then.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Agent } from '../agents/agent.ts';
import { CommandAgent } from '../agents/command.ts';
import type { ReadHistory } from '../agents/history.ts';
import type { OpenAiAgent } from '../agents/openai.ts';
import { RedactedAgent } from '../agents/redacted.ts';
import { systemClock as clock } from '../clock.ts';
import type { AgentConfig, Config } from '../config/schema.ts';
import type { Processes } from '../process/exec.ts';
import type { Store } from '../store/store.ts';
import type { Secrets } from '../telemetry/secrets.ts';

export interface AgentsOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly processes: Processes;
  /** What agents that are programs get of the environment. */
  readonly environment: () => Record<string, string>;
  readonly store: Store;
  readonly secrets: Secrets;
}

export class Agents {
  readonly #made = new Map<AgentConfig, Agent>();
  readonly #options: AgentsOptions;
  #openAi: typeof OpenAiAgent | undefined;

  constructor(options: AgentsOptions) {
    this.#options = options;
  }

  /** True when an agent of this configuration is of a type whose code is not loaded. */
  lacks({ agents }: Config): boolean {
    return this.#openAi === undefined && Object.values(agents).some(({ type }) => type === 'openai');
  }

  /** Loads what the agents of this configuration are made of. Before they are used. */
  async load({ agents }: Config): Promise<void> {
    for (const settings of Object.values(agents)) {
      if (settings.type !== 'openai') continue;
      this.#openAi ??= (await import('../agents/openai.ts')).OpenAiAgent;
    }
  }

  /** Forgets what this configuration does not name, and goes on with agents that it leaves as they were. */
  keep({ agents }: Config): void {
    const before = [...this.#made];
    this.#made.clear();
    for (const settings of Object.values(agents)) {
      const same = before.find(([made]) => isDeepStrictEqual(made, settings));
      if (same !== undefined) this.#made.set(settings, same[1]);
    }
  }

  named(config: Config, name: string): Agent | undefined {
    const settings = Object.hasOwn(config.agents, name) ? config.agents[name] : undefined;
    if (settings === undefined) return undefined;
    const known = this.#made.get(settings);
    if (known !== undefined) return known;
    const agent = this.#make(settings);
    if (agent === undefined) return undefined;
    const made = new RedactedAgent(agent, this.#options.secrets);
    this.#made.set(settings, made);
    return made;
  }

  #make(config: AgentConfig): Agent | undefined {
    const { env, processes, environment, store } = this.#options;
    if (config.type === 'command') return new CommandAgent({ config, processes, environment });
    const history: ReadHistory = (...of) => store.history(...of);
    return this.#openAi && new this.#openAi({ config, environment: env, history, clock });
  }
}
