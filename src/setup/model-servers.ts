/**
 * Finds model servers on this machine by asking the ports that they use for their list of models, all at the same
 * time and not for long. Whatever else answers there is not one.
 */
import type { IncomingMessage } from 'node:http';
import { OpenAiHttp } from '../agents/openai-http.ts';
import type { Clock } from '../clock.ts';
import type { Candidate } from './candidates.ts';

/** How long a server may take to list its models. */
export const LISTING_MS_MAX = 1500;

/** The longest list that is read. */
export const LISTING_BYTES_MAX = 1024 * 1024;

/** Models of a server that are offered. */
export const MODELS_MAX = 50;

/** Ports that are asked at most, where they are named by hand. */
export const PORTS_MAX = 16;

/** Who listens where unless told otherwise. */
const SERVERS: ReadonlyMap<number, string> = new Map([
  [11434, 'Ollama'],
  [1234, 'LM Studio'],
  [8000, 'vLLM'],
  [8080, 'llama.cpp'],
  [30000, 'sglang'],
]);

/** Names of models that do something else than answer. */
const NO_CHAT = /embed|rerank|whisper|\btts\b|\bbge\b|minilm/i;

type Server = Extract<Candidate, { kind: 'server' }>;

/** The servers that answered, in the order of their ports. `ports`: `11434,1234` instead of the usual ones. */
export async function findModelServers(ports: string | undefined, clock: Clock): Promise<Server[]> {
  const asked = ports === undefined ? [...SERVERS.keys()] : portsIn(ports);
  const found = await Promise.all(asked.map((port) => serverAt(port, clock)));
  return found.filter((server) => server !== undefined);
}

function portsIn(text: string): number[] {
  return text
    .split(',')
    .map(Number)
    .filter((port) => Number.isInteger(port) && port > 0 && port < 65_536)
    .slice(0, PORTS_MAX);
}

async function serverAt(port: number, clock: Clock): Promise<Server | undefined> {
  const baseUrl = `http://127.0.0.1:${port}/v1`;
  const limit = new AbortController();
  using _ = clock.timer(LISTING_MS_MAX, () => limit.abort());
  try {
    const http = new OpenAiHttp({ baseUrl, apiKey: undefined, environment: {}, clock });
    const answer = await http.ask({ path: '/models', signal: limit.signal });
    const models = modelsIn(JSON.parse(await textOf(answer)));
    if (models.length === 0) return undefined;
    const name = SERVERS.get(port) ?? `a model server on port ${port}`;
    const moreModels = Math.max(0, models.length - MODELS_MAX);
    return { kind: 'server', name, baseUrl, models: models.slice(0, MODELS_MAX), moreModels };
  } catch {
    // Nobody there, or somebody else: either way no model server.
    return undefined;
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    bytes += chunk.length;
    if (bytes > LISTING_BYTES_MAX) throw new Error('the list is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The ids of an OpenAI-compatible list, those first that can answer; none of anything else. */
function modelsIn(document: unknown): string[] {
  const { data } = (document ?? {}) as { data?: unknown };
  if (!Array.isArray(data)) return [];
  const ids = data
    .map((model: unknown) => (model as { id?: unknown } | null)?.id)
    .filter((id): id is string => typeof id === 'string' && isName(id));
  const answering = ids.filter((id) => !NO_CHAT.test(id));
  return [...answering, ...ids.filter((id) => NO_CHAT.test(id))];
}

/** It is shown on a terminal and written into a file, where `${NAME}` would be the value of a variable. */
const isName = (id: string): boolean => /^[\p{L}\p{N}\p{P}\p{S}]{1,200}$/u.test(id) && !id.includes('${');
