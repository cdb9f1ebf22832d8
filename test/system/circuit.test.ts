/** A gateway whose model server fails: what people get while it is down, how it comes back, and who is told. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ChatTerminal } from '../support/chat-terminal.ts';
import { EventClient } from '../support/event-client.ts';
import { TestFolder, TestGateway } from '../support/gateway.ts';
import { OpenAiStandIn } from '../support/openai-stand-in.ts';
import { startWithStandIn } from '../support/stand-in/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';

interface World {
  readonly gateway: TestGateway;
  readonly model: OpenAiStandIn;
  readonly chat: StandInServer;
}

/** `more`: of the default agent. */
async function start(more = ''): Promise<World> {
  const model = await OpenAiStandIn.start();
  onTestFinished(() => model[Symbol.asyncDispose]());
  const chat = await StandInServer.start();
  onTestFinished(() => chat[Symbol.asyncDispose]());
  const config = `
agent: { type: openai, base_url: "${model.baseUrl}", model: qwen3${more} }
agents: { program: { command: [cat] } }
quick_commands: { up: { type: exec, command: "echo up" } }
access: { owners: ["standin:ann"] }`;
  const gateway = await startWithStandIn(chat, { config });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  return { gateway, model, chat };
}

/** The model server fails whatever it is asked, until `heal`. */
function breakDown(model: OpenAiStandIn): { heal: () => void } {
  const { answer, models } = model;
  model.answer = (asked) => asked.refuse(500, {});
  model.models = (response) => response.writeHead(500).end();
  return { heal: () => Object.assign(model, { answer, models }) };
}

async function failFiveTimes({ gateway }: World): Promise<void> {
  for (let at = 0; at < 5; at += 1)
    expect((await gateway.send('hello')).json).toMatchObject({ outcome: 'failed' });
  await gateway.entered('running.degraded');
}

const agentsOf = async ({ gateway }: World) => (await gateway.status()).agents;

test('after five failures turns are refused at once with the cause, commands run, and the way back is told once', async () => {
  const world = await start();
  const { gateway, model, chat } = world;
  const { heal } = breakDown(model);
  await failFiveTimes(world);
  const { length: asked } = model.asked;

  const { json } = await gateway.send('one more');
  expect(json).toMatchObject({ admission: 'refuse', outcome: 'refused', reason: 'state' });
  expect(json.replies[0]).toMatch(
    /^Not taken: the agent default \(qwen3 at .*\) .*500.*commands still run\.$/s,
  );
  for (const id of ['1', '2']) await chat.deliver({ id, from: 'ann', text: 'hello' });
  await chat.until(() => chat.sent.length === 2, 'two refusals');
  expect(model.asked).toHaveLength(asked);
  expect((await gateway.send('/up')).json).toMatchObject({ outcome: 'ran', replies: ['up'] });
  expect((await gateway.send('hello', { agent: 'program' })).json).toMatchObject({ replies: ['hello'] });
  expect(await agentsOf(world)).toMatchObject([
    { name: 'default', health: 'circuit-open', reason: expect.stringContaining('500'), accepts: 'refuse' },
    { name: 'program', health: 'usable', reason: null, accepts: 'dispatch' },
  ]);
  expect((await gateway.cli('status')).stdout).toMatch(/^agent {4}default: .*500/m);
  expect(await gateway.request('GET', '/readyz')).toMatchObject({ status: 200 });

  heal();
  const back = 'The agent default is back. Send again what was not taken.';
  await chat.reached(({ text }) => text === back);
  expect(await agentsOf(world)).toMatchObject([{ name: 'default', health: 'usable', reason: null }, {}]);
  expect((await gateway.send('hello')).json).toMatchObject({ outcome: 'answered' });
  await chat.deliver({ id: '3', from: 'ann', text: '/up' });
  await chat.reached(({ text }) => text === 'up');
  expect(chat.sent.filter(({ text }) => text === back)).toHaveLength(1);
});

test('whoever watches a conversation of this machine hears once that the agent is back, in a stream and in a chat', async () => {
  const world = await start();
  const { gateway, model } = world;
  const { home } = gateway.folder;
  const { heal } = breakDown(model);
  await failFiveTimes(world);
  const watch = async (conversation: string) => {
    const path = `/v1/conversations/${conversation}/events`;
    const client = await EventClient.open({ socketPath: join(home, 'control.sock') }, path);
    onTestFinished(() => client[Symbol.dispose]());
    await client.next(({ event }) => event === 'connected');
    return client;
  };
  const [refused, unconcerned] = await Promise.all([watch('default'), watch('other')]);
  await using chat = await ChatTerminal.open({ home, args: ['--conversation', 'chatting'] });
  for (let at = 0; at < 2; at += 1) expect((await gateway.send('hello')).json.admission).toBe('refuse');
  chat.send('hello');
  await chat.sees(/^Not taken: the agent default/);

  heal();
  await refused.next(({ event }) => event === 'notice');
  await chat.sees(/The agent default is back\. Send again what was not taken\./);
  for (const conversation of ['default', 'other']) await gateway.send('again', { conversation });
  for (const client of [refused, unconcerned])
    await client.next(({ event, data }) => event === 'settled' && data.outcome === 'answered');
  const noticesOf = ({ events }: EventClient) => events.filter(({ event }) => event === 'notice');
  expect(noticesOf(refused).map(({ id, data }) => ({ id, data }))).toEqual([
    { id: undefined, data: { text: 'The agent default is back. Send again what was not taken.' } },
  ]);
  expect(noticesOf(unconcerned)).toEqual([]);
});

test('the way of a message that was refused names the agent, what was wrong with it and since when', async () => {
  const world = await start();
  const { gateway } = world;
  breakDown(world.model);
  const before = Date.now();
  await failFiveTimes(world);
  const { json } = await gateway.send('one more');
  const { why } = (await gateway.request('GET', `/v1/messages/${json.messageId}`)).json;
  expect(why).toMatchObject({
    ...{ admission: 'refuse', rule: 'state', state: 'running.degraded', actor: 'gateway' },
    outage: { agent: 'default', reason: expect.stringContaining('500') },
  });
  expect(why.outage.since).toBeGreaterThanOrEqual(before);
  expect(why.outage.since).toBeLessThanOrEqual(why.at);
  const way =
    /^why {2}refuse in running\.degraded, rule state, by gateway \(the agent default was down: .*500.*\), at .*; down since \d{4}-/m;
  expect((await gateway.cli('logs', '--message', json.messageId)).stdout).toMatch(way);
});

test('a server that takes questions and never says a word counts as down; one that is slow does not', async () => {
  const world = await start(', turn_timeout: 300ms, failure_threshold: 2');
  const { gateway, model } = world;
  const { models, answer } = model;
  const failing = async (text: RegExp) => {
    for (let at = 0; at < 3; at += 1) {
      const { json } = await gateway.send('hello');
      expect(json).toMatchObject({ outcome: 'failed', outcomeReason: 'timeout' });
      expect(json.replies.at(-1)).toMatch(text);
      if ((await gateway.status()).degraded.length > 0) return at + 1;
    }
    return null;
  };
  model.answer = (asked) => void asked.say('so far');
  expect(await failing(/^No answer: the agent default took longer than/)).toBeNull();
  model.answer = () => {};
  model.models = (response) => response.writeHead(500).end();
  expect(await failing(/^No answer: the agent default said nothing within/)).toBe(2);
  expect((await gateway.send('hello')).json.replies[0]).toMatch(
    /^Not taken: the agent default said nothing within/,
  );
  Object.assign(model, { models, answer });
  await gateway.log(
    ({ from, to }) => from === 'running.degraded' && to === 'running.healthy',
    'the way back',
  );
  expect((await gateway.send('hello')).json).toMatchObject({ outcome: 'answered' });
});

test('what a server refuses for its own sake does not count', async () => {
  const world = await start();
  const { gateway, model } = world;
  model.answer = (asked) => asked.refuse(400, { error: { message: 'no' } });
  for (let at = 0; at < 6; at += 1)
    expect((await gateway.send('hello')).json).toMatchObject({ outcome: 'failed' });
  expect(await gateway.status()).toMatchObject({ state: 'running.healthy', degraded: [] });
});

test('a server that answers a probe with a refusal is there', async () => {
  const world = await start();
  const { gateway, model } = world;
  const { heal } = breakDown(model);
  await failFiveTimes(world);
  heal();
  model.models = (response) => response.writeHead(401).end();
  await gateway.log(
    ({ from, to }) => from === 'running.degraded' && to === 'running.healthy',
    'the way back',
  );
  expect((await gateway.send('hello')).json).toMatchObject({ outcome: 'answered' });
});

test('a program that is missing is down until it is there', async () => {
  using folder = new TestFolder();
  const config = 'agent: { command: [./late.sh], failure_threshold: 2 }\nlisten: { http: 127.0.0.1:0 }';
  await using gateway = await TestGateway.start({ folder, configText: config });
  for (let at = 0; at < 2; at += 1)
    expect((await gateway.send('hello')).json).toMatchObject({ outcome: 'failed' });
  expect((await gateway.send('hello')).json.replies[0]).toMatch(
    /^Not taken: the agent default could not be started/,
  );
  writeFileSync(join(folder.path, 'late.sh'), '#!/bin/sh\ncat\n', { mode: 0o755 });
  await gateway.log(
    ({ from, to }) => from === 'running.degraded' && to === 'running.healthy',
    'the way back',
  );
  expect((await gateway.send('hello')).json).toMatchObject({ outcome: 'answered', replies: ['hello'] });
});

test('an agent that was chosen with /agent stays chosen over a restart', async () => {
  const world = await start();
  const { gateway } = world;
  const ask = async (text: string) => (await gateway.send(text, { conversation: 'kept' })).json.replies[0];
  expect(await ask('/agent program')).toContain('talks to the agent program');
  expect(await ask('hello')).toBe('hello');
  expect(await gateway.cli('restart')).toMatchObject({ code: 0 });
  expect(await ask('again')).toBe('again');
  expect(await ask('/agent')).toContain('program (chosen here)');
  expect((await gateway.send('hi', { conversation: 'other' })).json.replies[0]).toBe('you said: hi');
});
