/** Model servers are found by what they answer on a real port, and nothing else is taken for one. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import {
  findModelServers,
  LISTING_BYTES_MAX,
  LISTING_MS_MAX,
  MODELS_MAX,
} from '../../src/setup/model-servers.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { OpenAiStandIn } from '../support/openai-stand-in.ts';

let server: OpenAiStandIn;

beforeEach(async () => {
  server = await OpenAiStandIn.start();
});

afterEach(() => server[Symbol.asyncDispose]());

const lists = (...ids: readonly unknown[]) => {
  server.models = (response) => void response.end(JSON.stringify({ data: ids.map((id) => ({ id })) }));
};

const find = () => findModelServers(`${server.port}`, systemClock);

describe('a model server', () => {
  test('is found with its models, those that only embed at the end', async () => {
    lists('nomic-embed-text', 'qwen3', 'llama3.2:3b');
    expect(await find()).toEqual([
      {
        kind: 'server',
        name: `a model server on port ${server.port}`,
        baseUrl: `http://127.0.0.1:${server.port}/v1`,
        models: ['qwen3', 'llama3.2:3b', 'nomic-embed-text'],
        moreModels: 0,
      },
    ]);
    expect(server.requests).toEqual(['GET /v1/models']);
  });

  test('is offered with no more models than a person can choose from', async () => {
    lists(...Array.from({ length: MODELS_MAX + 5 }, (_, i) => `model-${i}`));
    const [found] = await find();
    expect([found?.models.length, found?.moreModels]).toEqual([MODELS_MAX, 5]);
  });

  test('may give a name that would do something in a file or on a terminal: that one is left out', async () => {
    lists('good', 'two\nlines', '\u001b[2J', `${'$'}{OPENAI_API_KEY}`, '', 7, null);
    expect((await find())[0]?.models).toEqual(['good']);
  });

  test('is asked together with others, and listed in the order of the ports', async () => {
    await using other = await OpenAiStandIn.start();
    const found = await findModelServers(`${other.port},x,99999,${server.port}`, systemClock);
    expect(found.map(({ baseUrl }) => baseUrl)).toEqual([other.baseUrl, server.baseUrl]);
  });
});

describe('what is no model server', () => {
  const answers: Record<string, RequestListener> = {
    'a page': (_, response) => response.setHeader('content-type', 'text/html').end('<html></html>'),
    'no JSON': (_, response) => response.end('hello'),
    'JSON of another kind': (_, response) => response.end('{"models":[]}'),
    'nothing but null': (_, response) => response.end('null'),
    'an empty list': (_, response) => response.end('{"data":[]}'),
    'a refusal': (_, response) => response.writeHead(401).end('{"error":"no key"}'),
    'a list without an end': (_, response) => response.end(`{"data":["${'x'.repeat(LISTING_BYTES_MAX)}"]}`),
    'a cut connection': (request) => request.socket.destroy(),
  };

  test.each(Object.entries(answers))('answers with %s', async (_, listener) => {
    const other = createServer(listener).listen(0, '127.0.0.1');
    await once(other, 'listening');
    try {
      const { port } = other.address() as AddressInfo;
      expect(await findModelServers(`${port}`, systemClock)).toEqual([]);
    } finally {
      other.close();
    }
  });

  test('is not waited for when it says nothing', async () => {
    const clock = new FakeClock();
    const asked = Promise.withResolvers<void>();
    server.models = () => asked.resolve();
    const found = findModelServers(`${server.port}`, clock);
    await asked.promise;
    await clock.advance(LISTING_MS_MAX);
    expect(await found).toEqual([]);
    await server.quiet();
  });

  test('is nobody at all', async () => {
    const { port } = server;
    await server[Symbol.asyncDispose]();
    expect(await findModelServers(`${port}`, systemClock)).toEqual([]);
    server = await OpenAiStandIn.start();
  });
});
