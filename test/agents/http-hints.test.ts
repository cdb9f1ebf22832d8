/**
 * What a person is told of each way a model server fails. The bodies are what the providers send, shortened; the
 * sentences, codes and whether it counts against the server are written by hand. In every body and header stands a key.
 */
import { describe, expect, test } from 'vitest';
import { readErrorBody } from '../../src/agents/http-error-body.ts';
import { hintFor } from '../../src/agents/http-hints.ts';
import type { Endpoint, Trouble } from '../../src/agents/http-trouble.ts';
import { ERRORS } from '../../src/errors.ts';

const KEY = 'sk-planted-0123456789';
const NOW_MS = 1_800_000_000_000;

const at: Endpoint = {
  agent: 'coder',
  model: 'qwen3',
  url: 'http://models.example:8000/v1',
  key: { variable: 'MODEL_KEY', isSet: true },
};

/** What every cause begins with. */
const WHO = 'the agent coder (qwen3 at http://models.example:8000/v1) ';

interface Row {
  readonly name: string;
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly at?: Partial<Endpoint>;
  readonly code: string;
  readonly cause: string;
  readonly next: string;
  readonly backend: boolean;
  /** From now on; absent: nobody said so. */
  readonly retryMs?: number;
}

const openAi = (message: string, more: Readonly<Record<string, unknown>> = {}) => ({
  error: { message: `${message} ${KEY}`, type: 'invalid_request_error', param: null, code: null, ...more },
});

const vllm = (type: string, message: string, code: number) => ({
  object: 'error',
  message: `${message} ${KEY}`,
  type,
  param: null,
  code,
});

const llamaCpp = (code: number, type: string, message: string) => ({
  error: { code, message: `${message} ${KEY}`, type },
});

const openRouter = (code: number, message: string, raw?: string) => ({
  error: { code, message, metadata: { provider_name: 'x', raw: `${raw} ${KEY}` } },
  user_id: 'u',
});

const PAGE = `<!DOCTYPE html><html><body>nginx ${KEY}</body></html>`;

const REQUEST = "Check agents.coder.model and agents.coder.base_url, or see that server's log.";
const LESS = 'Send less text, or lower agents.coder.history_window.';
const MODEL = 'Correct agents.coder.model, or load qwen3 on that server.';
const BALANCE = "Look at balance and quota in the provider's dashboard (models.example:8000).";
const AGAIN = 'Send it again in a minute.';
const LOG = "Send it again; if it stays, look at that server's log.";

const ANSWERS: readonly Row[] = [
  {
    name: '400 of a request that is wrong in itself',
    status: 400,
    body: openAi('Invalid type', { param: 'temperature' }),
    code: 'AGENT_REQUEST',
    cause: 'refused the request (400)',
    next: REQUEST,
    backend: false,
  },
  {
    name: '400 that names a field of ours',
    status: 400,
    body: openAi('Unknown parameter', { param: 'stream_options' }),
    code: 'AGENT_REQUEST',
    cause: 'refused the request because of stream_options (400)',
    next: REQUEST,
    backend: false,
  },
  {
    name: '400 context_length_exceeded of OpenAI',
    status: 400,
    body: openAi('This model has a limit', { code: 'context_length_exceeded', param: 'messages' }),
    code: 'AGENT_TOO_LONG',
    cause: 'was asked for more than its context takes (400)',
    next: LESS,
    backend: false,
  },
  {
    name: '400 of vLLM past its context',
    status: 400,
    body: vllm('BadRequestError', "This model's maximum context length is 4096 tokens. However, you", 400),
    code: 'AGENT_TOO_LONG',
    cause: 'was asked for more than its context takes (400)',
    next: LESS,
    backend: false,
  },
  {
    name: '400 of llama.cpp past its context',
    status: 400,
    body: llamaCpp(400, 'exceed_context_size_error', 'the request exceeds the available'),
    code: 'AGENT_TOO_LONG',
    cause: 'was asked for more than its context takes (400)',
    next: LESS,
    backend: false,
  },
  {
    name: '400 of OpenRouter for a model that nobody has',
    status: 400,
    body: openRouter(400, 'qwen3 is not a valid model ID'),
    code: 'AGENT_NOT_FOUND',
    cause: 'does not know the model qwen3 (400)',
    next: MODEL,
    backend: false,
  },
  {
    name: '400 of a provider whose balance is gone',
    status: 400,
    body: openAi('Your credit balance is too low to access the API'),
    code: 'AGENT_BALANCE',
    cause: 'has no balance or quota left (400)',
    next: BALANCE,
    backend: false,
  },
  {
    name: '401 with a key',
    status: 401,
    body: openAi(`Incorrect API key provided: ${KEY}`, { code: 'invalid_api_key' }),
    code: 'AGENT_KEY',
    cause: 'does not take the key in MODEL_KEY (401)',
    next: 'Correct MODEL_KEY, then restart the gateway.',
    backend: false,
  },
  {
    name: '401 where the variable of the key is empty',
    status: 401,
    body: llamaCpp(401, 'authentication_error', 'Invalid API Key'),
    at: { key: { variable: 'MODEL_KEY', isSet: false } },
    code: 'AGENT_KEY',
    cause: 'needs a key, and MODEL_KEY is not set (401)',
    next: 'Set MODEL_KEY, then restart the gateway.',
    backend: false,
  },
  {
    name: '401 where no variable is named',
    status: 401,
    body: { error: 'unauthorized' },
    at: { key: { variable: undefined, isSet: false } },
    code: 'AGENT_KEY',
    cause: 'needs a key (401)',
    next: 'Name the environment variable that holds it in agents.coder.api_key_env.',
    backend: false,
  },
  {
    name: '401 of the default agent, whose section has no name',
    status: 401,
    body: '',
    at: { agent: 'default', key: { variable: undefined, isSet: false } },
    code: 'AGENT_KEY',
    cause: 'the agent default (qwen3 at http://models.example:8000/v1) needs a key (401)',
    next: 'Name the environment variable that holds it in agent.api_key_env.',
    backend: false,
  },
  {
    name: '402 without a balance',
    status: 402,
    body: openRouter(402, 'Insufficient credits'),
    code: 'AGENT_BALANCE',
    cause: 'has no balance or quota left (402)',
    next: BALANCE,
    backend: false,
  },
  {
    name: '403 with a key',
    status: 403,
    body: openAi('Project does not have access'),
    code: 'AGENT_KEY',
    cause: 'may not be used with the key in MODEL_KEY (403)',
    next: "Look at what the key in MODEL_KEY may use in the provider's dashboard (models.example:8000).",
    backend: false,
  },
  {
    name: '403 without a key',
    status: 403,
    body: '',
    at: { key: { variable: undefined, isSet: false } },
    code: 'AGENT_KEY',
    cause: 'needs a key (403)',
    next: 'Name the environment variable that holds it in agents.coder.api_key_env.',
    backend: false,
  },
  {
    name: '403 as a page of a firewall',
    status: 403,
    body: PAGE,
    code: 'AGENT_NOT_AN_API',
    cause: "was answered with a web page instead of an API's answer (403)",
    next: 'Correct agents.coder.base_url; with most servers it ends in /v1.',
    backend: true,
  },
  {
    name: '404 of OpenAI for a model',
    status: 404,
    body: openAi('The model `qwen3` does not exist or you do not have access', { code: 'model_not_found' }),
    code: 'AGENT_NOT_FOUND',
    cause: 'does not know the model qwen3 (404)',
    next: MODEL,
    backend: false,
  },
  {
    name: '404 of Ollama for a model that is not pulled',
    status: 404,
    body: { error: { message: `model "qwen3" not found, try pulling it first ${KEY}`, type: 'api_error' } },
    code: 'AGENT_NOT_FOUND',
    cause: 'does not know the model qwen3 (404)',
    next: MODEL,
    backend: false,
  },
  {
    name: '404 of vLLM for a model',
    status: 404,
    body: vllm('NotFoundError', 'The model `qwen3` does not exist.', 404),
    code: 'AGENT_NOT_FOUND',
    cause: 'does not know the model qwen3 (404)',
    next: MODEL,
    backend: false,
  },
  {
    name: '404 of a wrong path',
    status: 404,
    body: { detail: 'Not Found' },
    code: 'AGENT_NOT_FOUND',
    cause: 'found no chat API at http://models.example:8000/v1 (404)',
    next: 'Correct agents.coder.base_url, which mostly ends in /v1, or agents.coder.model.',
    backend: false,
  },
  {
    name: '404 as a page',
    status: 404,
    body: PAGE,
    code: 'AGENT_NOT_FOUND',
    cause: 'found no chat API at http://models.example:8000/v1 (404)',
    next: 'Correct agents.coder.base_url, which mostly ends in /v1, or agents.coder.model.',
    backend: false,
  },
  {
    name: '408',
    status: 408,
    body: openRouter(408, 'Request timed out'),
    code: 'AGENT_TIMEOUT',
    cause: 'took too long for its server (408)',
    next: AGAIN,
    backend: true,
  },
  {
    name: '413',
    status: 413,
    body: PAGE,
    code: 'AGENT_TOO_LONG',
    cause: 'was sent more than its server takes (413)',
    next: LESS,
    backend: false,
  },
  {
    name: '422',
    status: 422,
    body: { detail: [{ loc: ['body', 'messages'], msg: KEY }] },
    code: 'AGENT_REQUEST',
    cause: 'refused the request (422)',
    next: REQUEST,
    backend: false,
  },
  {
    name: '429 of a rate, with seconds to wait',
    status: 429,
    body: openAi('Rate limit reached for requests', { type: 'requests', code: 'rate_limit_exceeded' }),
    headers: { 'retry-after': '20' },
    code: 'AGENT_RATE_LIMIT',
    cause: 'has reached a rate limit of its provider (429)',
    next: 'Send it again in 20 s.',
    backend: false,
    retryMs: 20_000,
  },
  {
    name: '429 of a rate, with the time of the limit that is used up',
    status: 429,
    body: openAi('Rate limit reached', { code: 'rate_limit_exceeded' }),
    headers: {
      'x-ratelimit-remaining-requests': '99',
      'x-ratelimit-reset-requests': '20ms',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '6m0s',
    },
    code: 'AGENT_RATE_LIMIT',
    cause: 'has reached a rate limit of its provider (429)',
    next: 'Send it again in 6 min.',
    backend: false,
    retryMs: 360_000,
  },
  {
    name: '429 of a rate, without a time',
    status: 429,
    body: '',
    code: 'AGENT_RATE_LIMIT',
    cause: 'has reached a rate limit of its provider (429)',
    next: AGAIN,
    backend: false,
  },
  {
    name: '429 of a quota, which no waiting mends',
    status: 429,
    body: openAi('You exceeded your current quota', {
      type: 'insufficient_quota',
      code: 'insufficient_quota',
    }),
    headers: { 'retry-after': '20' },
    code: 'AGENT_BALANCE',
    cause: 'has no balance or quota left (429)',
    next: BALANCE,
    backend: false,
  },
  {
    name: '429 from upstream',
    status: 429,
    body: openRouter(429, 'Provider returned error', 'qwen3 is temporarily rate-limited upstream'),
    headers: { 'x-ratelimit-reset': String(NOW_MS + 45_000) },
    code: 'AGENT_OVERLOADED',
    cause: 'is held up: the provider behind its server takes no more at present (429)',
    next: 'Send it again in 45 s.',
    backend: true,
    retryMs: 45_000,
  },
  {
    name: '500',
    status: 500,
    body: openAi('The server had an error'),
    code: 'AGENT_SERVER',
    cause: 'failed inside its server (500)',
    next: LOG,
    backend: true,
  },
  {
    name: '502 as a page of a proxy',
    status: 502,
    body: PAGE,
    code: 'AGENT_UNREACHABLE',
    cause: 'is not reached by the proxy in front of it (502)',
    next: AGAIN,
    backend: true,
  },
  {
    name: '503',
    status: 503,
    body: '',
    headers: { 'retry-after': 'Fri, 15 Jan 2027 08:01:30 GMT' },
    code: 'AGENT_OVERLOADED',
    cause: 'takes no requests at present (503)',
    next: 'Send it again in 90 s.',
    backend: true,
    retryMs: 90_000,
  },
  {
    name: '503 of llama.cpp while it loads',
    status: 503,
    body: llamaCpp(503, 'unavailable_error', 'Loading model'),
    code: 'AGENT_OVERLOADED',
    cause: 'is still loading its model (503)',
    next: AGAIN,
    backend: true,
  },
  {
    name: '504',
    status: 504,
    body: PAGE,
    code: 'AGENT_TIMEOUT',
    cause: 'took too long for its server (504)',
    next: AGAIN,
    backend: true,
  },
  {
    name: '529',
    status: 529,
    body: { type: 'error', error: { type: 'overloaded_error', message: `Overloaded ${KEY}` } },
    code: 'AGENT_OVERLOADED',
    cause: 'is overloaded (529)',
    next: AGAIN,
    backend: true,
  },
  {
    name: 'a status that nobody knows',
    status: 418,
    body: openAi('teapot'),
    code: 'AGENT_REQUEST',
    cause: 'refused the request (418)',
    next: REQUEST,
    backend: false,
  },
  {
    name: 'a page with a status of success',
    status: 200,
    body: PAGE,
    code: 'AGENT_NOT_AN_API',
    cause: "was answered with a web page instead of an API's answer (200)",
    next: 'Correct agents.coder.base_url; with most servers it ends in /v1.',
    backend: true,
  },
  {
    name: 'a redirection',
    status: 301,
    body: '',
    headers: { location: `https://me:${KEY}@elsewhere.example/v1/chat?key=${KEY}` },
    code: 'AGENT_NOT_AN_API',
    cause: 'was sent to another address (301)',
    next: 'Correct agents.coder.base_url: it has moved to https://elsewhere.example.',
    backend: true,
  },
  {
    name: 'a redirection that does not say where to',
    status: 302,
    body: '',
    code: 'AGENT_NOT_AN_API',
    cause: 'was sent to another address (302)',
    next: 'Correct agents.coder.base_url.',
    backend: true,
  },
];

interface Silence {
  readonly name: string;
  readonly trouble: Trouble;
  readonly code: string;
  readonly cause: string;
  readonly next: string;
  readonly backend: boolean;
}

const network = (...codes: readonly string[]) => codes.map((code) => ({ kind: 'network', code }) as const);

const silence = (
  troubles: readonly Trouble[],
  name: string,
  code: string,
  backend: boolean,
  cause: string,
  next: string,
): Silence[] => troubles.map((trouble) => ({ name, trouble, code, backend, cause, next }));

const RUNNING = 'Is it running at http://models.example:8000/v1?';

const NO_ANSWERS: readonly Silence[] = [
  ...silence(
    network('ECONNREFUSED'),
    'a refused connection',
    'AGENT_UNREACHABLE',
    true,
    'cannot be reached: nothing listens there',
    `${RUNNING} Start it, then send it again.`,
  ),
  ...silence(
    network('ENOTFOUND'),
    'a host that is not there',
    'AGENT_UNREACHABLE',
    true,
    'cannot be reached: there is no host models.example:8000',
    "Correct agents.coder.base_url, or this machine's DNS.",
  ),
  ...silence(
    network('EAI_AGAIN'),
    'a DNS that does not answer',
    'AGENT_UNREACHABLE',
    true,
    'cannot be reached: the host models.example:8000 could not be looked up',
    "Look at this machine's network and DNS, then send it again.",
  ),
  ...silence(
    network('EHOSTUNREACH', 'ENETUNREACH'),
    'a network without a way',
    'AGENT_UNREACHABLE',
    true,
    'cannot be reached: no route leads there',
    "Look at this machine's network, then send it again.",
  ),
  ...silence(
    network('ETIMEDOUT'),
    'a connection that does not come about',
    'AGENT_TIMEOUT',
    true,
    'cannot be reached: nobody answered in time',
    `${RUNNING} Look at it and at the network, then send it again.`,
  ),
  ...silence(
    network('CERT_HAS_EXPIRED'),
    'a certificate that has expired',
    'AGENT_TLS',
    true,
    'is not trusted: its certificate has expired',
    "Renew that server's certificate, or set this machine's clock.",
  ),
  ...silence(
    network('CERT_NOT_YET_VALID'),
    'a certificate from the future',
    'AGENT_TLS',
    true,
    'is not trusted: its certificate is not valid yet',
    "Renew that server's certificate, or set this machine's clock.",
  ),
  ...silence(
    network('DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
    'a certificate that it signed itself',
    'AGENT_TLS',
    true,
    'is not trusted: nobody whom this machine knows signed its certificate',
    'Name the file of its authority in NODE_EXTRA_CA_CERTS, then restart the gateway.',
  ),
  ...silence(
    network('ERR_TLS_CERT_ALTNAME_INVALID'),
    "another host's certificate",
    'AGENT_TLS',
    true,
    'is not trusted: its certificate is not for models.example:8000',
    'Write the name that its certificate is for in agents.coder.base_url.',
  ),
  ...silence(
    network('EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG'),
    'https to a server that speaks http',
    'AGENT_TLS',
    true,
    'cannot be spoken to by TLS',
    'Correct agents.coder.base_url if that server speaks plain http, else its certificate.',
  ),
  ...silence(
    network('HPE_INVALID_CONSTANT'),
    'http to a server of another protocol',
    'AGENT_NOT_AN_API',
    true,
    'does not speak HTTP there',
    'Correct agents.coder.base_url: another port, or https://, may be meant.',
  ),
  ...silence(
    network('ERR_PROXY_TUNNEL'),
    'a proxy that does not let through',
    'AGENT_UNREACHABLE',
    true,
    'cannot be reached through the proxy of this machine',
    'Correct HTTPS_PROXY, HTTP_PROXY or NO_PROXY, then restart the gateway.',
  ),
  ...silence(
    network('ERR_INVALID_CHAR'),
    'a key that is none',
    'AGENT_KEY',
    false,
    'was not asked: MODEL_KEY holds what cannot be a key',
    'Correct MODEL_KEY, then restart the gateway.',
  ),
  ...silence(
    network('ECONNRESET'),
    'a connection that breaks before the answer',
    'AGENT_UNREACHABLE',
    true,
    'lost the connection to its server (ECONNRESET)',
    LOG,
  ),
  ...silence(
    [{ kind: 'cut' }],
    'a stream without its end',
    'AGENT_ANSWER_BROKEN',
    true,
    'stopped in the middle: its stream ended without an end',
    LOG,
  ),
  ...silence(
    [{ kind: 'unreadable' }],
    'a stream of something else',
    'AGENT_ANSWER_BROKEN',
    true,
    'sent something that cannot be read as an answer',
    "Send it again; if it stays, correct agents.coder.base_url or look at that server's log.",
  ),
  ...silence(
    [{ kind: 'empty' }],
    'an empty answer',
    'AGENT_NO_ANSWER',
    false,
    'ended without a word',
    'Send it again, or ask otherwise.',
  ),
  ...silence(
    [{ kind: 'filtered' }],
    'an answer that a filter kept back',
    'AGENT_NO_ANSWER',
    false,
    "was kept from answering by its provider's content filter",
    'Ask otherwise.',
  ),
  ...silence(
    [{ kind: 'out-of-tokens' }],
    'tokens that were spent on thinking',
    'AGENT_NO_ANSWER',
    false,
    'used up its tokens before it said a word',
    'Ask for less at once, or give the model a larger context.',
  ),
];

/** As the agent itself makes it: the headers carry a key in each place that it could come from. */
function answered({ status, body, headers = {} }: Row): Trouble {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const planted = { 'x-request-id': KEY, 'www-authenticate': `Bearer realm="${KEY}"`, ...headers };
  return { kind: 'status', status, headers: planted, body: readErrorBody(text, 'application/json') };
}

describe('a refusal has its cause, its time and one next step:', () => {
  test.each(ANSWERS)('$name', (row) => {
    const hint = hintFor(answered(row), { ...at, ...row.at }, NOW_MS);
    expect(hint).toEqual({
      code: row.code,
      cause: row.cause.startsWith('the agent') ? row.cause : WHO + row.cause,
      next: row.next,
      retryAtMs: row.retryMs === undefined ? undefined : NOW_MS + row.retryMs,
      backend: row.backend,
    });
  });
});

describe('no answer has its cause and one next step:', () => {
  test.each(NO_ANSWERS)('$name ($trouble.kind $trouble.code)', ({ trouble, code, cause, next, backend }) => {
    const hint = hintFor(trouble, at, NOW_MS);
    expect(hint).toEqual({ code, cause: WHO + cause, next, retryAtMs: undefined, backend });
  });
});

describe('what a person is told', () => {
  const hints = [...ANSWERS.map(answered), ...NO_ANSWERS.map(({ trouble }) => trouble)].map((trouble) =>
    hintFor(trouble, at, NOW_MS),
  );

  test('never holds the key or a word of the server, wherever those stood', () => {
    for (const status of [200, 301, 400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 529]) {
      for (const body of [
        KEY,
        PAGE,
        JSON.stringify({ error: { message: KEY, type: KEY, code: KEY, param: KEY } }),
      ]) {
        const names = ['retry-after', 'x-ratelimit-reset', 'x-ratelimit-reset-tokens', 'location', 'server'];
        const headers = Object.fromEntries(names.map((name) => [name, KEY]));
        const trouble = { kind: 'status', status, headers, body: readErrorBody(body) } as const;
        hints.push(hintFor(trouble, at, NOW_MS));
      }
    }
    expect(hints.length).toBeGreaterThan(100);
    expect(JSON.stringify(hints)).not.toMatch(/planted|nginx|teapot/);
  });

  test('is one sentence each, with agent, model and address, under a code of the catalogue', () => {
    for (const { code, cause, next } of hints) {
      expect(cause.startsWith(WHO)).toBe(true);
      expect(cause).not.toMatch(/[.?!]$/);
      expect(next).toMatch(/^[A-Z].*\.$/);
      expect(Object.keys(ERRORS)).toContain(code);
    }
  });

  test('says the same of an error in the middle of a stream as of one before it', () => {
    const body = readErrorBody(JSON.stringify(openRouter(502, 'Provider disconnected')));
    const { cause } = hintFor({ kind: 'status', status: 502, headers: {}, body }, at, NOW_MS);
    expect(cause).toBe(`${WHO}is not reached by the proxy in front of it (502)`);
  });
});
