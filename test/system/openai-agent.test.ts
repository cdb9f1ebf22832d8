/** A gateway whose agents are models, against a server that speaks their wire format: what people get, and what is kept. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EventClient } from '../support/event-client.ts';
import { TestFolder, TestGateway } from '../support/gateway.ts';
import { type Asked, OpenAiStandIn } from '../support/openai-stand-in.ts';

const KEY = 'sk-planted-0123456789';

let server: OpenAiStandIn;
let folder: TestFolder;
let gateway: TestGateway;

const configOf = ({ baseUrl }: OpenAiStandIn): string =>
  [
    `agent: { type: openai, base_url: "${baseUrl}", model: qwen3, api_key_env: MODEL_KEY }`,
    'agents:',
    `  small: { type: openai, base_url: "${baseUrl}", model: small, history_window: 0 }`,
    `  hasty: { type: openai, base_url: "${baseUrl}", model: hasty, turn_timeout: 300ms }`,
    '  gone: { type: openai, base_url: "http://127.0.0.1:1/v1", model: gone }',
    '  program: { type: command, command: [cat] }',
    'quick_commands:',
    '  hi: { type: exec, command: echo hi }',
  ].join('\n');

const start = (): Promise<TestGateway> =>
  TestGateway.start({ folder, config: configOf(server), env: { MODEL_KEY: KEY } });

const saysBack = (asked: Asked): void => asked.say('you said: ', asked.question).usage(7, 3).end();

beforeAll(async () => {
  server = await OpenAiStandIn.start();
  folder = new TestFolder();
  gateway = await start();
});
beforeEach(() => {
  server.answer = saysBack;
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const socket = () => ({ socketPath: join(folder.home, 'control.sock') });

const lastAsked = (): Asked | undefined => server.asked.at(-1);

const contentsOf = (asked: Asked | undefined): string[] | undefined =>
  asked?.body.messages.map(({ role, content }) => `${role}: ${content}`);

describe('a model', () => {
  test('answers, streamed as it speaks, and what it used is kept with its turn', async () => {
    server.answer = (asked) => void asked.say('so ');
    using sender = await EventClient.open(socket(), '/v1/messages', {
      text: 'hello',
      conversation: 'streamed',
    });
    const { data } = await sender.next((one) => one.event === 'delta');
    expect(data).toEqual({ text: 'so ' });
    lastAsked()?.say('far').usage(11, 2).end();
    await sender.ended;
    expect(sender.events.at(-1)?.data).toMatchObject({ outcome: 'answered' });
    using db = new DatabaseSync(join(folder.home, 'sluice.db'), { readOnly: true });
    const row = db
      .prepare("SELECT outcome, streamed, usage FROM turns WHERE conversation = 'local:streamed'")
      .get();
    expect({ ...row, usage: JSON.parse(String(row?.usage)) }).toEqual({
      outcome: 'answered',
      streamed: 'so far',
      usage: { inputTokens: 11, outputTokens: 2 },
    });
  });

  test('has what it used shown in the way of its message', async () => {
    const { json } = await gateway.send('hello', { conversation: 'counted' });
    const told = await gateway.cli('logs', '--message', json.messageId);
    expect(told.stdout).toMatch(/ended +turn t_\w+: answered, 7 tokens in, 3 out\n/);
    const document = await gateway.cli('logs', '--message', json.messageId, '--json');
    expect(document.json.turns).toMatchObject([{ usage: { inputTokens: 7, outputTokens: 3 } }]);
  });

  test('is asked by its name, with its own model and its own key or none', async () => {
    await gateway.send('one', { conversation: 'named' });
    const first = lastAsked();
    await gateway.send('two', { conversation: 'named', agent: 'small' });
    const second = lastAsked();
    expect([first?.body.model, first?.request.headers.authorization]).toEqual(['qwen3', `Bearer ${KEY}`]);
    expect([second?.body.model, second?.request.headers.authorization]).toEqual(['small', undefined]);
    expect(contentsOf(second)).toEqual(['user: two']);
  });

  test('is told what was said in its conversation, by whichever agent, and not what was refused', async () => {
    const conversation = 'remembered';
    await gateway.send('first', { conversation });
    await gateway.send('by a program', { conversation, agent: 'program' });
    await gateway.send('/hi', { conversation });
    server.answer = (asked) => asked.refuse(500, {});
    await gateway.send('failed', { conversation });
    server.answer = saysBack;
    await gateway.send('elsewhere', { conversation: 'another' });
    await gateway.send('now', { conversation });
    expect(contentsOf(lastAsked())).toEqual([
      'user: first',
      'assistant: you said: first',
      'user: by a program',
      'assistant: by a program',
      'user: now',
    ]);
  });

  test('that is interrupted is let go of at once, and what it had said is kept and remembered', async () => {
    const conversation = 'interrupted';
    server.answer = (asked) => void asked.say('half an ');
    using sender = await EventClient.open(socket(), '/v1/messages', { text: 'question', conversation });
    await sender.next((one) => one.event === 'delta');
    await gateway.send('/interrupt', { conversation });
    await lastAsked()?.closed;
    await sender.ended;
    expect(sender.events.at(-1)?.data).toMatchObject({
      outcome: 'interrupted',
      replies: ['half an ', expect.stringMatching(/^Interrupted: /)],
    });
    server.answer = saysBack;
    await gateway.send('again', { conversation });
    expect(contentsOf(lastAsked())).toEqual(['user: question', 'assistant: half an ', 'user: again']);
  });

  test('that stalls is given up at its turn_timeout', async () => {
    server.answer = (asked) => void asked.say('so far');
    expect((await gateway.send('hello', { agent: 'hasty' })).json).toMatchObject({
      outcome: 'failed',
      outcomeReason: 'timeout',
      replies: ['so far', expect.stringMatching(/^No answer: the agent hasty took longer than/)],
    });
    await lastAsked()?.closed;
  });

  test('that refuses fails its turn with cause and next step', async () => {
    server.answer = (asked) =>
      asked.refuse(402, { error: { code: 402, message: `Insufficient credits ${KEY}` } });
    expect((await gateway.send('hello')).json).toMatchObject({
      outcome: 'failed',
      replies: [
        `No answer: the agent default (qwen3 at ${server.baseUrl}) has no balance or quota left (402). ` +
          `Look at balance and quota in the provider's dashboard (127.0.0.1:${server.port}).`,
      ],
    });
  });

  test('that is not there fails its own turns; commands and other agents go on', async () => {
    expect((await gateway.send('hello', { agent: 'gone' })).json.replies).toEqual([
      'No answer: the agent gone (gone at http://127.0.0.1:1/v1) cannot be reached: nothing listens there. ' +
        'Is it running at http://127.0.0.1:1/v1? Start it, then send it again.',
    ]);
    expect((await gateway.send('/hi')).json.replies).toEqual(['hi']);
    expect((await gateway.send('hello', { agent: 'small' })).json.replies).toEqual(['you said: hello']);
  });
});

describe('after a restart', () => {
  test('a conversation goes on where it was, also after kill -9, and the key is nowhere on disk', async () => {
    const conversation = 'lasting';
    await gateway.send('before', { conversation });
    await gateway.kill9();
    const logged = gateway.stderr + gateway.stdout;
    gateway = await start();
    await gateway.send('after', { conversation });
    expect(contentsOf(lastAsked())).toEqual(['user: before', 'assistant: you said: before', 'user: after']);
    expect(await gateway.stop()).toMatchObject({ code: 0 });
    const files = readdirSync(folder.home, { recursive: true, withFileTypes: true });
    const kept = files
      .filter((file) => file.isFile())
      .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'));
    expect(kept.length).toBeGreaterThan(3);
    for (const text of [...kept, logged, gateway.stderr, gateway.stdout]) expect(text).not.toContain(KEY);
  });
});
