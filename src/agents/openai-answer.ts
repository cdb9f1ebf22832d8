/**
 * Reads the answer of a chat completions request: server-sent events as OpenAI streams them, with what others make of
 * it, or one JSON document from a server that does not stream. Ends without an error only when the answer is whole.
 *
 * Known ways of others: a last chunk with usage and no choices; comments while one waits (OpenRouter); an error as a
 * chunk, under a status of success (vLLM, sglang, OpenRouter); an SSE field `error` (llama.cpp); an end without [DONE].
 */
import type { IncomingMessage } from 'node:http';
import { createParser } from 'eventsource-parser';
import type { AgentEvent, TurnUsage } from './agent.ts';
import { errorBodyOf } from './http-error-body.ts';
import { Troubled } from './openai-http.ts';

/** Characters of one event of the stream, or of a whole answer that is not streamed. */
const EVENT_CHARS_MAX = 4_000_000;

const DONE = '[DONE]';

/** What an answer that ended early is followed by, so that nobody takes it for the whole. */
const CUT_NOTES: Readonly<Record<string, string>> = {
  length: '\n[cut: the model has used up its tokens]',
  content_filter: "\n[cut: the provider's content filter ended the answer]",
};

/** What one chunk, or a whole answer that is not streamed, may hold. Anything may be missing, or be of another kind. */
interface Chunk {
  readonly error?: unknown;
  readonly choices?: readonly {
    readonly delta?: Said;
    readonly message?: Said;
    readonly finish_reason?: unknown;
  }[];
  readonly usage?: {
    readonly prompt_tokens?: unknown;
    readonly completion_tokens?: unknown;
    readonly prompt_tokens_details?: { readonly cached_tokens?: unknown } | null;
  } | null;
}

interface Said {
  readonly content?: unknown;
  readonly refusal?: unknown;
}

/** Reads one answer: bodies go in piece by piece, events come out. */
export interface AnswerReader {
  /** True once nothing more is to come, whatever the server still sends. */
  readonly isDone: boolean;
  /** Yields what a piece of the body brings, also what stands before an error in it. Throws `Troubled`. */
  take(text: string): Iterable<AgentEvent>;
  /**
   * Yields what is said last, when the body has ended, or broken off with `error`. Throws `Troubled` where that is no
   * whole answer.
   */
  end(error?: unknown): Iterable<AgentEvent>;
}

/** A reader for this answer, by what its head says. */
export function answerReader({ headers }: IncomingMessage): AnswerReader {
  const isOneDocument = /^application\/json/i.test(headers['content-type'] ?? '');
  return isOneDocument ? new DocumentReader() : new StreamReader();
}

class StreamReader implements AnswerReader {
  readonly #reading = new Reading();
  #came: AgentEvent[] = [];
  readonly #parser = createParser({
    maxBufferSize: EVENT_CHARS_MAX,
    onEvent: ({ data }) => this.#came.push(...this.#reading.chunk(data)),
    onError: ({ type, field, value = '' }) => {
      if (type === 'max-buffer-size-exceeded') throw new Troubled({ kind: 'unreadable' });
      if (type === 'unknown-field' && field === 'error') this.#reading.chunk(`{"error":${value}}`);
    },
  });

  get isDone(): boolean {
    return this.#reading.isDone;
  }

  *take(text: string): Generator<AgentEvent> {
    this.#came = [];
    try {
      this.#parser.feed(text);
    } finally {
      yield* this.#came;
    }
  }

  end(error?: unknown): readonly AgentEvent[] {
    return this.#reading.end(error);
  }
}

class DocumentReader implements AnswerReader {
  readonly isDone = false;
  #whole = '';

  take(text: string): readonly AgentEvent[] {
    this.#whole += text;
    if (this.#whole.length > EVENT_CHARS_MAX) throw new Troubled({ kind: 'unreadable' });
    return [];
  }

  end(error?: unknown): readonly AgentEvent[] {
    if (error !== undefined) throw new Troubled({ kind: 'cut' }, error);
    const reading = new Reading();
    return [...reading.chunk(this.#whole), ...reading.end()];
  }
}

/** An answer so far. */
class Reading {
  isDone = false;
  #saidSomething = false;
  #finish = '';

  /** What one chunk brings. */
  chunk(data: string): AgentEvent[] {
    if (data.trim() === DONE) this.isDone = true;
    if (this.isDone) return [];
    const chunk = parsed(data);
    if (chunk.error !== undefined && chunk.error !== null) throw failedInside(chunk);
    const [choice] = Array.isArray(chunk.choices) ? chunk.choices : [];
    const said = choice?.delta ?? choice?.message;
    const came: AgentEvent[] = [];
    for (const text of [said?.content, said?.refusal]) {
      if (typeof text !== 'string' || text === '') continue;
      if (text.trim() !== '') this.#saidSomething = true;
      came.push({ type: 'text', text });
    }
    if (typeof choice?.finish_reason === 'string') this.#finish = choice.finish_reason;
    const usage = usageOf(chunk.usage);
    if (usage !== undefined) came.push({ type: 'usage', usage });
    return came;
  }

  /** As in `AnswerReader`. A server that gives its reason and then closes badly has said all there was to say. */
  end(error?: unknown): AgentEvent[] {
    if (this.#finish === '' && !this.isDone) throw new Troubled({ kind: 'cut' }, error);
    if (!this.#saidSomething) throw new Troubled({ kind: SILENCE[this.#finish] ?? 'empty' });
    const note = CUT_NOTES[this.#finish];
    return note === undefined ? [] : [{ type: 'text', text: note }];
  }
}

/** Why an answer says nothing, by its reason to finish. */
const SILENCE: Readonly<Record<string, 'filtered' | 'out-of-tokens'>> = {
  content_filter: 'filtered',
  length: 'out-of-tokens',
};

function parsed(data: string): Chunk {
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (cause) {
    throw new Troubled({ kind: 'unreadable' }, cause);
  }
  throw new Troubled({ kind: 'unreadable' });
}

/** The status that an error inside a stream names; without one the server failed. */
function failedInside(chunk: Chunk): Troubled {
  const body = errorBodyOf(chunk);
  const named = Number(body.code);
  const status = named >= 400 && named < 600 ? named : 500;
  return new Troubled({ kind: 'status', status, body, headers: {} });
}

function usageOf(usage: Chunk['usage']): TurnUsage | undefined {
  const inputTokens = usage?.prompt_tokens;
  const outputTokens = usage?.completion_tokens;
  if (!isCount(inputTokens) || !isCount(outputTokens)) return undefined;
  const cachedTokens = usage?.prompt_tokens_details?.cached_tokens;
  return { inputTokens, outputTokens, ...(isCount(cachedTokens) ? { cachedTokens } : {}) };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
