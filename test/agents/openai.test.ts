/** The agent on a real socket: what it asks, what it makes of every stream that a server may send, and how it ends. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentFailure } from '../../src/agents/agent.ts';
import type { Exchange } from '../../src/agents/history.ts';
import { OpenAiAgent } from '../../src/agents/openai.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import type { OpenAiAgentConfig } from '../../src/config/schema.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type Asked, OpenAiStandIn } from '../support/openai-stand-in.ts';
import { SELF_SIGNED } from '../support/self-signed.ts';
import { TurnReader } from '../support/turn-reader.ts';

const KEY = 'sk-planted-0123456789';

let server: OpenAiStandIn;
beforeEach(async () => {
  server = await OpenAiStandIn.start();
});
afterEach(async () => {
  await server.quiet();
  await server[Symbol.asyncDispose]();
});

interface Made {
  readonly config?: Partial<OpenAiAgentConfig>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly said?: readonly Exchange[];
  readonly clock?: Clock;
}

function made({ config, environment = {}, said = [], clock = systemClock }: Made = {}): OpenAiAgent {
  const defaults = {
    name: 'default',
    type: 'openai',
    model: 'qwen3',
    historyWindow: 40,
    failureThreshold: 5,
    effects: false,
  } as const;
  return new OpenAiAgent({
    config: { ...defaults, baseUrl: server.baseUrl, turnTimeoutMs: 60_000, ...config },
    environment,
    history: async (_conversation, _turnId, exchangesMax) => said.slice(-exchangesMax),
    clock,
  });
}

/** One turn to its end; the server answers as it is told. */
async function turn(
  answer: (asked: Asked) => void,
  agent = made(),
): Promise<TurnReader & { error: unknown }> {
  server.answer = answer;
  const reader = new TurnReader(agent, 'hello');
  return Object.assign(reader, { error: await reader.over });
}

const codeOf = (error: unknown): unknown => (error instanceof AgentFailure ? error.code : error);

describe('a request', () => {
  test('asks for the model, a stream and its usage, and carries no key where none is named', async () => {
    await turn((asked) => asked.say('hi').end());
    const [asked] = server.asked;
    expect(server.requests).toEqual(['POST /v1/chat/completions']);
    expect(asked?.body).toEqual({
      model: 'qwen3',
      messages: [{ role: 'user', content: 'hello' }],
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(asked?.request.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(asked?.request.headers).not.toHaveProperty('authorization');
  });

  test('carries the key of the variable that is named, without the white space around it', async () => {
    const agent = made({
      config: { apiKeyEnv: 'K' },
      environment: { K: ` ${KEY}\n`, OPENAI_API_KEY: 'another' },
    });
    await turn((asked) => asked.say('hi').end(), agent);
    expect(server.asked[0]?.request.headers.authorization).toBe(`Bearer ${KEY}`);
  });

  test('keeps the query of the address, and any path before /v1', async () => {
    const baseUrl = `${server.baseUrl.replace('/v1', '/api/v1/')}?api-version=7`;
    const { error } = await turn((asked) => asked.refuse(404, ''), made({ config: { baseUrl } }));
    expect(server.requests).toEqual(['POST /api/v1/chat/completions?api-version=7']);
    expect((error as Error).message).toContain(`(qwen3 at http://127.0.0.1:${server.port}/api/v1)`);
    expect((error as Error).message).not.toContain('api-version');
  });

  test('shows the model what was said before, as far as the window goes', async () => {
    const said = ['1', '2', '3'].map((n) => ({ texts: [`q${n}`], answer: `a${n}` }));
    await turn((asked) => asked.say('hi').end(), made({ said, config: { historyWindow: 4 } }));
    await turn((asked) => asked.say('hi').end(), made({ said, config: { historyWindow: 0 } }));
    const contents = server.asked.map(({ body }) =>
      body.messages.map(({ role, content }) => `${role} ${content}`),
    );
    expect(contents).toEqual([
      ['user q2', 'assistant a2', 'user q3', 'assistant a3', 'user hello'],
      ['user hello'],
    ]);
  });

  test('is made once, whatever comes of it', async () => {
    for (const status of [408, 429, 500, 503]) await turn((asked) => asked.refuse(status, {}));
    await turn((asked) => asked.cut());
    expect(server.asked).toHaveLength(5);
  });

  test('goes through the proxy of the machine, but never to a server on this one', async () => {
    const proxy = `http://127.0.0.1:${server.port}`;
    const away = made({
      config: { baseUrl: 'http://models.invalid/v1' },
      environment: { HTTP_PROXY: proxy },
    });
    expect((await turn((asked) => asked.say('by proxy').end(), away)).text).toBe('by proxy');
    expect(server.requests).toEqual(['POST http://models.invalid/v1/chat/completions']);
    const here = made({
      environment: { HTTP_PROXY: 'http://127.0.0.1:1', http_proxy: 'http://127.0.0.1:1' },
    });
    expect((await turn((asked) => asked.say('directly').end(), here)).text).toBe('directly');
  });
});

describe('the system prompt', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is read at each turn, so that an edit holds from the next one on', async () => {
    const systemPromptFile = join(folder, 'prompt.md');
    const agent = made({ config: { systemPromptFile } });
    for (const prompt of ['Be brief.', 'Sei ausführlich.', '']) {
      writeFileSync(systemPromptFile, prompt);
      await turn((asked) => asked.say('hi').end(), agent);
    }
    expect(server.asked.map(({ body }) => body.messages[0])).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'system', content: 'Sei ausführlich.' },
      { role: 'user', content: 'hello' },
    ]);
  });

  test.each([
    ['is missing', 'ENOENT', (_path: string) => {}],
    ['is a folder', 'it is no file', (path: string) => mkdirSync(path)],
    ['is too large', 'it is larger than 256 KB', (path: string) => writeFileSync(path, 'x'.repeat(262_145))],
    ['is no text', 'it is not UTF-8 text', (path: string) => writeFileSync(path, Buffer.from([0xff, 0xfe]))],
  ])('that %s fails the turn, which is no failure of the server', async (_, why, prepare) => {
    const systemPromptFile = join(folder, 'prompt.md');
    prepare(systemPromptFile);
    const { error } = await turn((asked) => asked.say('hi').end(), made({ config: { systemPromptFile } }));
    expect(error).toMatchObject({
      message: `the system prompt of the agent default cannot be read (${systemPromptFile}: ${why})`,
      next: 'Correct that file, or agent.system_prompt_file.',
      code: 'AGENT_PROMPT_UNREADABLE',
      backend: false,
    });
    expect(server.asked).toEqual([]);
  });
});

describe('a good stream', () => {
  test('is passed on as it comes, however its bytes are cut', async () => {
    server.answer = () => {};
    const reader = new TurnReader(made(), 'hello');
    const asked = await server.question(0);
    const bytes = Buffer.from('data: {"choices":[{"delta":{"content":"wörld 👋"}}]}\r\n\r\n');
    const middle = bytes.indexOf(0xf0) + 2;
    asked.raw(': comment while it thinks\n\n').say('hello ');
    await reader.said('hello ');
    asked.raw(bytes.subarray(0, middle));
    asked.raw(bytes.subarray(middle));
    await reader.said('hello wörld 👋');
    expect(reader.texts).toEqual(['hello ', 'wörld 👋']);
    asked.end();
    expect(await reader.over).toBeUndefined();
  });

  test('may come all at once, and may hold what is not to be shown', async () => {
    const { text, usage, error } = await turn((asked) =>
      asked
        .event({ choices: [{ delta: { role: 'assistant', content: '' } }] })
        .event({ choices: [{ delta: { reasoning_content: 'hm', content: null } }] })
        .event({ choices: [{ delta: { content: ['no text'] } }] })
        .event({ choices: [] })
        .event({ object: 'something new' })
        .say('a', 'b', 'c')
        .usage(12, 3, 8)
        .end(),
    );
    expect(error).toBeUndefined();
    expect(text).toBe('abc');
    expect(usage).toEqual({ inputTokens: 12, outputTokens: 3, cachedTokens: 8 });
  });

  test.each<[string, (asked: Asked) => void]>([
    ['[DONE] alone', (asked) => asked.say('all').raw('data: [DONE]\n\n').response.end()],
    ['a reason alone', (asked) => asked.say('all').finish().response.end()],
    ['[DONE], while the connection stays open', (asked) => asked.say('all').finish().raw('data: [DONE]\n\n')],
    ['a reason, and then breaks', (asked) => asked.response.write('', () => asked.cut()) && asked],
  ])('ends with %s', async (_, end) => {
    const { text, error } = await turn((asked) => {
      asked.say('all').finish();
      end(asked);
    });
    expect(error).toBeUndefined();
    expect(text.startsWith('all')).toBe(true);
  });

  test('without a word of usage has none, and junk for usage is none', async () => {
    expect((await turn((asked) => asked.say('hi').end())).usage).toBeUndefined();
    const junk = { choices: [], usage: { prompt_tokens: 'many', completion_tokens: -1 } };
    expect((await turn((asked) => asked.say('hi').event(junk).end())).usage).toBeUndefined();
  });

  test('may be one JSON document, from a server that does not stream', async () => {
    const { text, usage } = await turn((asked) =>
      asked.refuse(200, {
        choices: [{ message: { role: 'assistant', content: 'all of it' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 1, completion_tokens: 2 },
      }),
    );
    expect([text, usage]).toEqual(['all of it', { inputTokens: 1, outputTokens: 2 }]);
  });

  test('that ends early says so, and a refusal of the model is an answer', async () => {
    const cut = await turn((asked) => asked.say('so far').finish('length').response.end());
    expect(cut.text).toBe('so far\n[cut: the model has used up its tokens]');
    const filtered = await turn((asked) => asked.say('so').finish('content_filter').response.end());
    expect(filtered.text).toBe("so\n[cut: the provider's content filter ended the answer]");
    const refused = await turn((asked) =>
      asked.event({ choices: [{ delta: { refusal: 'I will not.' } }] }).end(),
    );
    expect([refused.text, refused.error]).toEqual(['I will not.', undefined]);
  });
});

describe('a bad stream keeps what was said, and fails:', () => {
  const half = (asked: Asked): Asked => asked.say('half');
  test.each<[string, (asked: Asked) => unknown, string, boolean]>([
    ['it breaks', (asked) => asked.response.write('', () => asked.cut()), 'AGENT_ANSWER_BROKEN', true],
    ['it ends without an end', (asked) => asked.response.end(), 'AGENT_ANSWER_BROKEN', true],
    ['a chunk is no JSON', (asked) => asked.raw('data: {"choices":[\n\n'), 'AGENT_ANSWER_BROKEN', true],
    ['a chunk is no object', (asked) => asked.raw('data: 5\n\n'), 'AGENT_ANSWER_BROKEN', true],
    [
      'a chunk has no end',
      (asked) => asked.raw(`data: ${'x'.repeat(4_100_000)}`),
      'AGENT_ANSWER_BROKEN',
      true,
    ],
    [
      'an error of vLLM comes',
      (asked) => asked.event({ error: { message: KEY, type: 'InternalServerError', code: 500 } }),
      'AGENT_SERVER',
      true,
    ],
    [
      'an error of OpenRouter comes',
      (asked) => asked.event({ error: { code: 502, message: KEY }, choices: [{ finish_reason: 'error' }] }),
      'AGENT_UNREACHABLE',
      true,
    ],
    [
      'an error of an older llama.cpp comes',
      (asked) => asked.raw('error: {"code":400,"type":"exceed_context_size_error","message":"x"}\n\n'),
      'AGENT_TOO_LONG',
      false,
    ],
    ['an error without a code comes', (asked) => asked.event({ error: KEY }), 'AGENT_SERVER', true],
  ])('%s', async (_, end, code, backend) => {
    const { text, error } = await turn((asked) => end(half(asked)));
    expect(text).toBe('half');
    expect(error).toMatchObject({ code, backend });
    expect(inspect(error, { depth: 9 })).not.toContain(KEY);
  });

  test.each<[string, (asked: Asked) => unknown, string]>([
    ['it says nothing', (asked) => asked.end(), 'ended without a word'],
    ['it says only white space', (asked) => asked.say(' ', '\n').end(), 'ended without a word'],
    ['it is filtered', (asked) => asked.finish('content_filter').response.end(), 'kept from answering'],
    [
      'it thinks until its tokens end',
      (asked) => asked.finish('length').response.end(),
      'used up its tokens',
    ],
  ])('%s', async (_, answer, cause) => {
    const { error } = await turn(answer);
    expect(error).toMatchObject({ code: 'AGENT_NO_ANSWER', backend: false });
    expect((error as Error).message).toContain(cause);
  });

  test('what came in the same bytes as the error is kept, too', async () => {
    const said = 'data: {"choices":[{"delta":{"content":"half"}}]}\n\n';
    const { text, error } = await turn((asked) => asked.raw(`${said}data: {"error":{"code":429}}\n\n`));
    expect([text, codeOf(error)]).toEqual(['half', 'AGENT_RATE_LIMIT']);
  });
});

describe('a refusal', () => {
  test.each([
    [400, 'AGENT_REQUEST', false],
    [401, 'AGENT_KEY', false],
    [402, 'AGENT_BALANCE', false],
    [403, 'AGENT_KEY', false],
    [404, 'AGENT_NOT_FOUND', false],
    [408, 'AGENT_TIMEOUT', true],
    [413, 'AGENT_TOO_LONG', false],
    [422, 'AGENT_REQUEST', false],
    [429, 'AGENT_RATE_LIMIT', false],
    [500, 'AGENT_SERVER', true],
    [502, 'AGENT_UNREACHABLE', true],
    [503, 'AGENT_OVERLOADED', true],
    [504, 'AGENT_TIMEOUT', true],
    [529, 'AGENT_OVERLOADED', true],
  ])('%i is told as %s, without the key that it repeats', async (status, code, backend) => {
    const agent = made({ config: { apiKeyEnv: 'K' }, environment: { K: KEY } });
    const { error } = await turn((asked) => {
      const { authorization = '' } = asked.request.headers;
      const body = { error: { message: authorization, code: authorization, param: authorization } };
      asked.refuse(status, body, { 'x-echo': authorization, 'retry-after': authorization });
    }, agent);
    expect(error).toMatchObject({ code, backend });
    expect(inspect(error, { depth: 9 })).not.toContain(KEY);
  });

  test('tells when to come back', async () => {
    const clock = new FakeClock(1_800_000_000_000);
    const { error } = await turn((asked) => asked.refuse(429, {}, { 'retry-after': '30' }), made({ clock }));
    expect(error).toMatchObject({ retryAtMs: 1_800_000_030_000, next: 'Send it again in 30 s.' });
  });

  test('with an endless body is taken by its beginning', async () => {
    const { error } = await turn((asked) => {
      asked.response.writeHead(500, { 'content-type': 'text/plain' });
      const flood = (): void => {
        while (!asked.response.destroyed && asked.response.write('x'.repeat(65_536)));
        asked.response.once('drain', flood);
      };
      flood();
    });
    expect(codeOf(error)).toBe('AGENT_SERVER');
  });

  test('as a page with a status of success is no answer', async () => {
    const { error } = await turn((asked) => asked.refuse(200, '<!doctype html><title>Sign in</title>'));
    expect(codeOf(error)).toBe('AGENT_NOT_AN_API');
  });

  test('as an error with a status of success is the error', async () => {
    const { error } = await turn((asked) => asked.refuse(200, { error: { code: 402, message: 'credits' } }));
    expect(codeOf(error)).toBe('AGENT_BALANCE');
  });

  test('by sending elsewhere is not followed: the key is not for others', async () => {
    const location = 'https://elsewhere.invalid/v1';
    const { error } = await turn((asked) => asked.refuse(307, '', { location }));
    expect(error).toMatchObject({
      next: 'Correct agent.base_url: it has moved to https://elsewhere.invalid.',
    });
    expect(server.asked).toHaveLength(1);
  });
});

describe('a server that cannot be reached', () => {
  const failureAt = async (baseUrl: string, more: Made = {}): Promise<unknown> =>
    new TurnReader(made({ ...more, config: { baseUrl, ...more.config } }), 'hello').over;

  test('because nothing listens is asked after', async () => {
    const gone = await OpenAiStandIn.start();
    const { baseUrl } = gone;
    await gone[Symbol.asyncDispose]();
    expect(await failureAt(baseUrl)).toMatchObject({
      message: `the agent default (qwen3 at ${baseUrl}) cannot be reached: nothing listens there`,
      next: `Is it running at ${baseUrl}? Start it, then send it again.`,
      backend: true,
    });
  });

  test('because its name does not exist says so', async () => {
    expect(await failureAt('http://nowhere.invalid/v1')).toMatchObject({
      message: expect.stringMatching(/cannot be reached: .*host nowhere\.invalid/),
      code: 'AGENT_UNREACHABLE',
      backend: true,
    });
  });

  test('because nobody trusts its certificate, or it speaks no TLS, says so', async () => {
    await using secure = await OpenAiStandIn.start(SELF_SIGNED);
    expect(await failureAt(secure.baseUrl)).toMatchObject({
      message: expect.stringContaining('nobody whom this machine knows signed its certificate'),
      code: 'AGENT_TLS',
    });
    expect(secure.requests).toEqual([]);
    expect(await failureAt(server.baseUrl.replace('http:', 'https:'))).toMatchObject({
      message: expect.stringContaining('cannot be spoken to by TLS'),
      code: 'AGENT_TLS',
    });
  });

  test('because of a key that no header can carry is not asked', async () => {
    const more = { config: { apiKeyEnv: 'K' }, environment: { K: `${KEY}\u0007` } };
    const error = await failureAt(server.baseUrl, more);
    expect(error).toMatchObject({ code: 'AGENT_KEY', next: 'Correct K, then restart the gateway.' });
    expect(inspect(error, { depth: 9 })).not.toContain(KEY);
    expect(server.asked).toEqual([]);
  });

  describe('behind a raw port', () => {
    let raw: Server;
    let connected: Promise<Socket>;
    beforeEach(async () => {
      raw = createServer();
      connected = new Promise((resolve) => raw.once('connection', resolve));
      await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
    });
    afterEach(() => new Promise<unknown>((resolve) => raw.close(resolve)));
    const at = (protocol: string): string =>
      `${protocol}://127.0.0.1:${(raw.address() as { port: number }).port}/v1`;

    test('that speaks another protocol says so', async () => {
      const failed = failureAt(at('http'));
      (await connected).resume().end('SSH-2.0-OpenSSH_9.2\r\n\r\n');
      expect(await failed).toMatchObject({ code: 'AGENT_NOT_AN_API', backend: true });
    });

    test('that hangs up before it answers is a lost connection', async () => {
      const failed = failureAt(at('http'));
      (await connected).once('data', async () => (await connected).resetAndDestroy());
      expect(await failed).toMatchObject({ code: 'AGENT_UNREACHABLE', backend: true });
    });

    test('that never says who it is, is given up after 20 s', async () => {
      const clock = new FakeClock();
      const failed = failureAt(at('https'), { clock });
      const socket = await connected;
      await new Promise((resolve) => socket.once('data', resolve));
      await clock.advance(19_999);
      expect(socket.destroyed).toBe(false);
      await clock.advance(1);
      expect(await failed).toMatchObject({
        message: expect.stringContaining('nobody answered in time'),
        code: 'AGENT_TIMEOUT',
      });
      expect(clock.pending).toBe(0);
      socket.destroy();
    });
  });
});

describe('an abort is obeyed within 100 ms', () => {
  /** The least that a few took: a busy machine keeps one waiting, and not each of them. */
  async function leastMs(aborted: (at: number) => Promise<number>): Promise<number> {
    const tookMs: number[] = [];
    for (let at = 0; at < 5; at += 1) tookMs.push(await aborted(at));
    return Math.min(...tookMs);
  }

  /** Before anything has been said. */
  async function abortedAtOnce(at: number): Promise<number> {
    const reader = new TurnReader(made(), 'hello');
    const asked = await server.question(at);
    const tookMs = await reader.abort();
    await asked.closed;
    return tookMs;
  }

  test('before the server has answered', async () => {
    server.answer = () => {};
    expect(await leastMs(abortedAtOnce)).toBeLessThan(100);
  });

  test('after the head, before the first word', async () => {
    server.answer = (asked) => void asked.begin();
    expect(await leastMs(abortedAtOnce)).toBeLessThan(100);
  });

  test('in a stream that stalls, and in one that floods', async () => {
    server.answer = (asked) => void asked.say('so far');
    const aborted = async () => {
      const stalled = new TurnReader(made(), 'hello');
      await stalled.said('so far');
      const tookMs = await stalled.abort();
      expect(stalled.text).toBe('so far');
      return tookMs;
    };
    expect(await leastMs(aborted)).toBeLessThan(100);

    server.answer = (asked) => {
      const flood = (): void => {
        if (asked.response.destroyed) return;
        asked.say('x');
        setImmediate(flood);
      };
      flood();
    };
    const { length } = server.asked;
    const floodAborted = async (at: number) => {
      const flooded = new TurnReader(made(), 'hello');
      await server.question(length + at);
      return await flooded.abort();
    };
    expect(await leastMs(floodAborted)).toBeLessThan(100);
  });

  test('before it is asked at all', async () => {
    const aborted = async () => {
      const reader = new TurnReader(made(), 'hello');
      const tookMs = await reader.abort();
      expect([await reader.over, reader.text]).toEqual([undefined, '']);
      return tookMs;
    };
    expect(await leastMs(aborted)).toBeLessThan(100);
    expect(server.asked).toEqual([]);
  });
});

describe('a probe', () => {
  const { signal } = new AbortController();

  test('asks for the models, with the key', async () => {
    let authorization: string | undefined;
    const { models } = server;
    server.models = (response) => {
      authorization = response.req.headers.authorization;
      models(response);
    };
    await made({ config: { apiKeyEnv: 'K' }, environment: { K: KEY } }).probe({ signal });
    expect(server.requests).toEqual(['GET /v1/models']);
    expect(authorization).toBe(`Bearer ${KEY}`);
  });

  test.each([
    [401, 'AGENT_KEY', false],
    [404, 'AGENT_NOT_FOUND', false],
    [503, 'AGENT_OVERLOADED', true],
  ])('that is answered with %i fails as a turn would', async (status, code, backend) => {
    server.models = (response) => void response.writeHead(status).end(KEY);
    const failed = made().probe({ signal });
    await expect(failed).rejects.toMatchObject({ name: 'AgentFailure', code, backend });
  });

  test('that is answered with a page has found no API', async () => {
    server.models = (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
    await expect(made().probe({ signal })).rejects.toMatchObject({ code: 'AGENT_NOT_AN_API' });
  });

  test('that nobody answers is given up after 10 s', async () => {
    const asked = Promise.withResolvers<void>();
    server.models = () => asked.resolve();
    const clock = new FakeClock();
    const failed = made({ clock }).probe({ signal });
    const outcome = failed.catch((error: unknown) => error);
    await asked.promise;
    await clock.advance(10_000);
    expect(await outcome).toMatchObject({ code: 'AGENT_TIMEOUT', backend: true });
    expect(clock.pending).toBe(0);
  });

  test('can be called off', async () => {
    const asked = Promise.withResolvers<void>();
    server.models = () => asked.resolve();
    const off = new AbortController();
    const outcome = made()
      .probe({ signal: off.signal })
      .catch((error: unknown) => error);
    await asked.promise;
    off.abort();
    expect(await outcome).toBeInstanceOf(Error);
  });
});
