/**
 * An agent that is a model behind an OpenAI-compatible API: OpenAI itself, Ollama, vLLM, sglang, llama.cpp, OpenRouter.
 * Each turn is one streamed request; nothing is asked twice by itself. What goes wrong reaches the person as a hint of
 * `http-hints.ts`, never as the server's words.
 */
import { constants, open } from 'node:fs/promises';
import type { Clock } from '../clock.ts';
import { variableOf } from '../config/process-environment.ts';
import { SYSTEM_PROMPT_BYTES_MAX } from '../config/prompt-file.ts';
import type { OpenAiAgentConfig } from '../config/schema.ts';
import { type Agent, type AgentEvent, AgentFailure, type ProbeEvidence, type TurnInput } from './agent.ts';
import { type ChatMessage, exchangesIn, type ReadHistory, windowOf } from './history.ts';
import { hintFor } from './http-hints.ts';
import type { Endpoint } from './http-trouble.ts';
import { answerReader } from './openai-answer.ts';
import { BodyText } from './openai-body.ts';
import { OpenAiHttp, Troubled } from './openai-http.ts';

/** How long a probe may take. */
const PROBE_MS_MAX = 10_000;

export interface OpenAiAgentOptions {
  readonly config: OpenAiAgentConfig;
  /** The gateway's environment: the key, and the proxy of this machine. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly history: ReadHistory;
  readonly clock: Clock;
}

export class OpenAiAgent implements Agent {
  readonly type = 'openai';
  readonly name: string;
  readonly #options: OpenAiAgentOptions;
  readonly #http: OpenAiHttp;
  readonly #endpoint: Endpoint;
  readonly #running = new Map<string, AbortController>();

  constructor(options: OpenAiAgentOptions) {
    const { config, environment, clock } = options;
    const { baseUrl, model, apiKeyEnv } = config;
    const apiKey =
      apiKeyEnv === undefined ? undefined : variableOf(environment, apiKeyEnv)?.trim() || undefined;
    const { origin, pathname } = new URL(baseUrl);
    this.#options = options;
    this.name = config.name;
    this.#http = new OpenAiHttp({ baseUrl, apiKey, environment, clock });
    this.#endpoint = {
      agent: config.name,
      model,
      url: `${origin}${pathname}`.replace(/\/$/, ''),
      key: { variable: apiKeyEnv, isSet: apiKey !== undefined },
    };
  }

  async *runTurn(input: TurnInput, { signal }: { signal: AbortSignal }): AsyncGenerator<AgentEvent> {
    const own = new AbortController();
    this.#running.set(input.turnId, own);
    try {
      const body = await this.#bodyOf(input);
      const either = AbortSignal.any([signal, own.signal]);
      const answer = await this.#http.ask({ path: '/chat/completions', body, signal: either });
      const reader = answerReader(answer);
      let broken: unknown;
      try {
        for await (const text of new BodyText(answer)) {
          // No generator stands between this one and the socket: each costs time with every token.
          for (const event of reader.take(text)) yield event;
          if (reader.isDone) break;
        }
      } catch (error) {
        if (error instanceof Troubled) throw error;
        broken = error;
      }
      for (const event of reader.end(broken)) yield event;
    } catch (error) {
      if (!signal.aborted) throw this.#failure(error);
    } finally {
      this.#running.delete(input.turnId);
      // Whoever reads no further needs no more of it.
      own.abort();
    }
  }

  killNow(turnId: string): void {
    this.#running.get(turnId)?.abort();
  }

  /** Asks for the list of models, which costs nothing. */
  async probe({ signal }: { signal: AbortSignal }): Promise<ProbeEvidence> {
    const own = new AbortController();
    let isLate = false;
    using _ = this.#options.clock.timer(PROBE_MS_MAX, () => {
      isLate = true;
      own.abort();
    });
    try {
      await this.#http.ask({ path: '/models', signal: AbortSignal.any([signal, own.signal]) });
      return 'answers';
    } catch (error) {
      throw this.#failure(isLate ? new Troubled({ kind: 'network', code: 'ETIMEDOUT' }) : error);
    } finally {
      own.abort();
    }
  }

  async #bodyOf({ turnId, conversation, text }: TurnInput): Promise<Record<string, unknown>> {
    const { config, history } = this.#options;
    const { model, historyWindow } = config;
    const [system, exchanges] = await Promise.all([
      this.#systemPrompt(),
      historyWindow === 0 ? [] : history(conversation, turnId, exchangesIn(historyWindow)),
    ]);
    const messages: ChatMessage[] = [
      ...(system === '' ? [] : [{ role: 'system' as const, content: system }]),
      ...windowOf(exchanges, historyWindow),
      { role: 'user', content: text },
    ];
    return { model, messages, stream: true, stream_options: { include_usage: true } };
  }

  /** Read at each turn, so that an edit holds from the next one on. Empty without a file. */
  async #systemPrompt(): Promise<string> {
    const { systemPromptFile: path, name } = this.#options.config;
    if (path === undefined) return '';
    try {
      return await readText(path);
    } catch (cause) {
      const why = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
      throw new AgentFailure(
        `the system prompt of the agent ${name} cannot be read (${path}: ${why})`,
        `Correct that file, or ${name === 'default' ? 'agent' : `agents.${name}`}.system_prompt_file.`,
        { backend: false, code: 'AGENT_PROMPT_UNREADABLE', cause },
      );
    }
  }

  #failure(error: unknown): unknown {
    if (!(error instanceof Troubled)) return error;
    const { code, cause, next, retryAtMs, backend } = hintFor(
      error.trouble,
      this.#endpoint,
      this.#options.clock.wallMs(),
    );
    return new AgentFailure(cause, next, {
      backend,
      code,
      ...(retryAtMs === undefined ? {} : { retryAtMs }),
      ...(error.cause === undefined ? {} : { cause: error.cause }),
    });
  }
}

/** The text of a regular file, at most `SYSTEM_PROMPT_BYTES_MAX`. Opening never waits, as it would for a named pipe. */
async function readText(path: string): Promise<string> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const about = await file.stat();
  if (!about.isFile()) throw new Error('it is no file');
  if (about.size > SYSTEM_PROMPT_BYTES_MAX) throw new Error('it is larger than 256 KB');
  const bytes = await file.readFile();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error('it is not UTF-8 text');
  }
}
